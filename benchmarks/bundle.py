"""The bundle that all contenders serve."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import xgboost

ROOT = Path(__file__).resolve().parents[1]
MODEL, WAGES = "salary", "wages"
MIDDLE = 1
"""Of the three quantiles of a wage, the one that is explained."""

Floats = npt.NDArray[np.float32]


def model_file(model: str = MODEL) -> Path:
    """The newest version's model.ubj."""
    versions = list((ROOT / "model" / "bundles" / model).glob("*/model.ubj"))
    if not versions:
        raise FileNotFoundError(f"no bundle of the model {model!r}; make it: python -m model {model}")
    return max(versions, key=lambda path: int(path.parent.name))


def load_model(model: str = MODEL) -> xgboost.Booster:
    """XGBoost's own object, with XGBoost's own settings."""
    booster = xgboost.Booster()
    booster.load_model(model_file(model))
    return booster


def predict(years: list[float]) -> Floats:
    """What XGBoost answers, asked directly."""
    booster = load_model()
    rows = np.array(years, dtype=np.float64).reshape(-1, 1)
    scores: Floats = booster.predict(xgboost.DMatrix(rows, feature_names=booster.feature_names))
    return scores


def describe(model: str) -> dict[str, Any]:
    """What the newest version says of itself."""
    described: dict[str, Any] = json.loads(model_file(model).with_name("bundle.json").read_text())
    return described


def explain(rows: Sequence[Mapping[str, Any]]) -> tuple[Floats, Floats]:
    """What XGBoost answers for rows of `wages`, asked directly: contributions, and the margin of each."""
    booster, description = load_model(WAGES), describe(WAGES)
    features = description["features"]
    matrix = np.array([[_code(row[feature["name"]], feature) for feature in features] for row in rows])
    encoded = xgboost.DMatrix(
        matrix,
        feature_names=booster.feature_names,
        feature_types=booster.feature_types,
        enable_categorical=True,
    )
    rounds = (0, description["trees"])
    contributions = booster.predict(encoded, pred_contribs=True, iteration_range=rounds)
    margins = booster.predict(encoded, output_margin=True, iteration_range=rounds)
    return contributions[:, MIDDLE, :-1], margins[:, MIDDLE]


def _code(value: Any, feature: Mapping[str, Any]) -> float:
    if value is None:
        return np.nan
    return float(feature["categories"].index(value) if feature["type"] == "category" else value)
