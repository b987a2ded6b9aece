"""Fixtures: sites, each with its own Redis, and the bundles of another model."""

from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest
import xgboost

from model.publish import publish
from tests.unit.web.site import Site
from web import waiting

NewSite = Callable[..., Site]


@pytest.fixture
def new_site() -> Iterator[NewSite]:
    sites: list[Site] = []

    def make(**replaced: object) -> Site:
        sites.append(Site(**replaced))  # type: ignore[arg-type]
        return sites[-1]

    yield make
    for site in sites:
        site.close()


@pytest.fixture
def site(new_site: NewSite) -> Site:
    return new_site()


@pytest.fixture(scope="session")
def rent_bundles(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A model with an integer, a nullable category, and a feature name that needs escaping."""
    root = tmp_path_factory.mktemp("bundles")
    rows = [{"rooms": rooms, "city": "Bern", "m²/~": rooms * 20} for rooms in range(1, 9)]
    values = np.array([[row["rooms"], 0, row["m²/~"]] for row in rows], dtype=np.float32)
    names, types = ["rooms", "city", "m²/~"], ["q", "c", "q"]
    matrix = xgboost.DMatrix(
        values, values[:, 0], feature_names=names, feature_types=types, enable_categorical=True, nthread=1
    )
    booster = xgboost.train({"nthread": 1, "objective": "reg:squarederror"}, matrix, 3)
    features = [
        {"name": "rooms", "type": "integer"},
        {"name": "city", "type": "category", "categories": ["Bern", "Basel"], "nullable": True},
        {"name": "m²/~", "type": "number"},
    ]
    described = {"name": "salary", "version": 3, "target": "rent", "unit": "francs", "features": features}
    publish(root, booster, {**described, "trees": 3, "metrics": {}, "training": {}}, rows)
    return root


@pytest.fixture
def no_polling(monkeypatch: pytest.MonkeyPatch) -> None:
    """No wait ends by time, and no record is read again."""
    monkeypatch.setattr(waiting, "TICK_SECONDS", 3600)
    monkeypatch.setattr(waiting, "READ_AGAIN_EVERY_SECONDS", 3600)
