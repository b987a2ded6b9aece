"""Pipelines of scikit-learn as data scientists have them, and tables that they were fitted on."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
import paygrade
from sklearn.calibration import CalibratedClassifierCV
from sklearn.compose import ColumnTransformer, TransformedTargetRegressor
from sklearn.frozen import FrozenEstimator
from sklearn.impute import SimpleImputer
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import OneHotEncoder, PolynomialFeatures, StandardScaler
from xgboost import XGBClassifier, XGBRegressor

TEXTS = ("city", "grade")
LEVELS = ("low", "middle", "high")


class Saved(NamedTuple):
    """A fitted pipeline, the table that it was fitted on, and the bundle that `paygrade.save` wrote of it."""

    pipeline: Any
    table: pd.DataFrame
    bundle: Path


def flats(rows: int, seed: int = 3) -> pd.DataFrame:
    """Make a table with texts, numbers with and without a fraction, missing ones, and booleans."""
    chance = np.random.default_rng(seed)
    area = chance.normal(80, 25, rows).round(2)
    area[chance.random(rows) < 0.1] = np.nan
    return pd.DataFrame(
        {
            "city": chance.choice(["Köln", "Bonn", "Ulm, an der Donau"], rows),
            "grade": chance.choice(["a", "b", "c"], rows),
            "area": area,
            "rooms": chance.integers(0, 6, rows),
            "lift": chance.random(rows) < 0.5,
        }
    )


def rents(table: pd.DataFrame) -> "pd.Series[float]":
    """Return a target that depends on every column."""
    cities = table.city.map({"Köln": 120.0, "Bonn": 60.0}).fillna(0)
    grades = table.grade.map({"a": 40.0, "b": 10.0, "c": 0.0}).fillna(0)
    return table.area.fillna(50) * 7.3 + cities + grades + table.rooms * 21 + table.lift * 15


def encoder() -> ColumnTransformer:
    """Make the encoder of the common tutorial, whose result is sparse."""
    encode = OneHotEncoder(handle_unknown="ignore")
    return ColumnTransformer([("texts", encode, list(TEXTS))], remainder="passthrough")


def regression(table: pd.DataFrame) -> Pipeline:
    """Fit a pipeline that predicts rents."""
    model = XGBRegressor(n_estimators=60, max_depth=5, n_jobs=1)
    return Pipeline([("encode", encoder()), ("model", model)]).fit(table, rents(table))


def classification(table: pd.DataFrame, classes: Sequence[str] = LEVELS) -> Pipeline:
    """Fit a pipeline that predicts levels of rents."""
    numbers = pd.qcut(rents(table), len(classes), labels=False)
    model = XGBClassifier(n_estimators=20, max_depth=4, n_jobs=1)
    return Pipeline([("encode", encoder()), ("model", model)]).fit(table, numbers)


def transformed(table: pd.DataFrame) -> TransformedTargetRegressor:
    """Fit a pipeline on the scaled target."""
    inner = Pipeline([("encode", encoder()), ("model", XGBRegressor(n_estimators=40, n_jobs=1))])
    return TransformedTargetRegressor(inner, transformer=StandardScaler()).fit(table, rents(table))


def crossed(table: pd.DataFrame) -> Pipeline:
    """Fit a pipeline that multiplies columns, after it has filled and scaled them."""
    numbers = make_pipeline(SimpleImputer(), StandardScaler(), PolynomialFeatures(2))
    texts = make_pipeline(SimpleImputer(strategy="most_frequent"), OneHotEncoder(handle_unknown="ignore"))
    columns = [("numbers", numbers, ["area", "rooms"]), ("texts", texts, list(TEXTS))]
    model = XGBRegressor(n_estimators=40, n_jobs=1)
    encode = ColumnTransformer(columns, remainder="passthrough")
    return Pipeline([("encode", encode), ("model", model)]).fit(table, rents(table))


def calibrated(table: pd.DataFrame) -> CalibratedClassifierCV:
    """Fit a classifier of two classes, and calibrate its probabilities on half of the table."""
    high = (rents(table) > rents(table).median()).astype(int)
    half = len(table) // 2
    model = XGBClassifier(n_estimators=20, max_depth=4, n_jobs=1)
    fitted = Pipeline([("encode", encoder()), ("model", model)]).fit(table[:half], high[:half])
    return CalibratedClassifierCV(FrozenEstimator(fitted)).fit(table[half:], high[half:])


def save(pipeline: Any, table: pd.DataFrame, directory: Path, name: str = "flats", **options: Any) -> Saved:
    """Save a pipeline as `directory`/`name`/1."""
    bundle = directory / name / "1"
    paygrade.save(pipeline, bundle, name=name, sample=table, target="rent", **options)
    return Saved(pipeline, table, bundle)


def rows_of(table: pd.DataFrame) -> list[dict[str, Any]]:
    """Return the table as callers send it in JSON."""
    return [_without_nan(row) for row in table.to_dict("records")]


def _without_nan(row: Mapping[Any, Any]) -> dict[str, Any]:
    return {name: None if pd.isna(value) else value for name, value in row.items()}
