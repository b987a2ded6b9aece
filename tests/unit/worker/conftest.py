"""Claims, and the catalog of the models that the project ships."""

from itertools import count
from pathlib import Path

import pytest

from jobs.predictions.consumer import Claim
from jobs.predictions.record import Row
from model.description.catalog import Catalog
from tests.unit.conftest import SHA

BUNDLES = Path("model/bundles")
_numbers = count()


def claim(*rows: Row, listed: bool | None = None, sha256: str = SHA) -> Claim:
    """A claimed job of these rows; a list, if there are several."""
    number = next(_numbers)
    return Claim(
        stream=b"queue:predictions",
        entry=b"%d-0" % number,
        id=f"pred_{number}",
        attempt=1,
        model="salary@1",
        sha256=sha256,
        rows=list(rows),
        listed=len(rows) > 1 if listed is None else listed,
    )


@pytest.fixture(scope="session")
def catalog() -> Catalog:
    return Catalog(BUNDLES, "salary")
