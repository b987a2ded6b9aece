"""A real model, small enough to be trained in every test run."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import xgboost

from model.description.files import DESCRIPTION_FILE, MODEL_FILE
from model.description.manifest import Manifest, digest
from model.publish import publish

Describe = Callable[..., dict[str, Any]]
Publish = Callable[..., Manifest]


def rewrite(directory: Path, **fields: object) -> None:
    """Change a bundle's description, and sign it again."""
    file = directory / DESCRIPTION_FILE
    description = {**json.loads(file.read_text()), **fields}
    description["sha256"] = digest(description, directory / MODEL_FILE)
    file.write_text(json.dumps(description))


@pytest.fixture(scope="session")
def booster() -> xgboost.Booster:
    """A model of rent by rooms, trained on 200 rows."""
    rooms = np.arange(200, dtype=np.float32).reshape(-1, 1) / 20
    matrix = xgboost.DMatrix(rooms, label=rooms.ravel() ** 2, feature_names=["rooms"], nthread=1)
    return xgboost.train({"nthread": 1, "objective": "reg:squarederror"}, matrix, 20)


@pytest.fixture(scope="session")
def describe() -> Describe:
    def description(**changes: object) -> dict[str, Any]:
        return {
            "name": "rent",
            "version": 1,
            "target": "rent",
            "unit": "euros",
            "features": [{"name": "rooms", "type": "number", "nullable": True}],
            "trees": 20,
            "metrics": {},
            "training": {},
            **changes,
        }

    return description


@pytest.fixture
def publish_rent(tmp_path: Path, booster: xgboost.Booster, describe: Describe) -> Publish:
    """Publish the rent model to `tmp_path`, with changes to its description."""

    def publish_changed(**changes: object) -> Manifest:
        return publish(
            tmp_path, booster, describe(**changes), [{"rooms": 1}, {"rooms": 2.5}, {"rooms": None}]
        )

    return publish_changed
