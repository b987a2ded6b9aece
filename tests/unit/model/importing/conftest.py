"""Models as a data scientist makes them, with the table that they were trained on."""

from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
import pytest
import xgboost

from model.bundle import Bundle
from model.description.manifest import Manifest
from tests.unit.model.command import made, refusal

ROWS = 300


class Attempt(NamedTuple):
    """A model on disk, which is imported with a sample and the author's scores."""

    folder: Path
    model: Path

    def sample(self, table: pd.DataFrame, **more: Any) -> Path:
        """Write rows, and further columns, as pandas writes them."""
        table.assign(**more).to_csv(self.folder / "sample.csv", index=False)
        return self.folder / "sample.csv"

    def made(self, *options: str | Path) -> Manifest:
        return made("import", self.model, "--target", "y", "--output", self.folder / "out", *options)

    def refused(self, *options: str | Path) -> str:
        line = refusal("import", self.model, "--target", "y", "--output", self.folder / "out", *options)
        assert not (self.folder / "out").exists()
        return line


Save = Callable[[Any], Attempt]


@pytest.fixture
def save(tmp_path: Path) -> Save:
    """Save a model as its author would."""

    def save_model(model: Any) -> Attempt:
        model.save_model(tmp_path / "m.ubj")
        return Attempt(tmp_path, tmp_path / "m.ubj")

    return save_model


@pytest.fixture(scope="session")
def flats() -> pd.DataFrame:
    """Three numeric features with gaps, and the target y."""
    chance = np.random.default_rng(7)
    table = pd.DataFrame(
        {
            "area": chance.normal(50, 20, ROWS).round(1),
            "floor": chance.integers(0, 9, ROWS).astype(float),
            "age": chance.integers(1, 90, ROWS).astype(float),
        }
    )
    target = table["area"] / 10 + table["floor"] - table["age"] / 30
    table = table.mask(chance.random(table.shape) < 0.2)
    return table.assign(y=target + 6 * table["area"].isna())


def features(flats: pd.DataFrame) -> pd.DataFrame:
    return flats.drop(columns="y")


def regressor(**parameters: Any) -> xgboost.XGBRegressor:
    return xgboost.XGBRegressor(**{"n_estimators": 15, "max_depth": 3, "n_jobs": 1, **parameters})


def served(manifest: Manifest, table: pd.DataFrame) -> Any:
    """Return the scores that callers get for these rows."""
    rows = [
        {name: None if pd.isna(value) else value for name, value in row.items()}
        for row in table[list(manifest.schema.names)].to_dict("records")
    ]
    return Bundle.load(manifest).predict(manifest.schema.check_rows(rows))
