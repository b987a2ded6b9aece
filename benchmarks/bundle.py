"""The bundle that all contenders serve."""

from pathlib import Path

import numpy as np
import numpy.typing as npt
import xgboost

ROOT = Path(__file__).resolve().parents[1]
MODEL, WAGES = "salary", "wages"


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


def predict(years: list[float]) -> npt.NDArray[np.float32]:
    """What XGBoost answers, asked directly."""
    booster = load_model()
    rows = np.array(years, dtype=np.float64).reshape(-1, 1)
    scores: npt.NDArray[np.float32] = booster.predict(
        xgboost.DMatrix(rows, feature_names=booster.feature_names)
    )
    return scores
