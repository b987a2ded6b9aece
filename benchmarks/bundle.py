"""The bundle that all contenders serve."""

from pathlib import Path

import numpy as np
import numpy.typing as npt
import xgboost

ROOT = Path(__file__).resolve().parents[1]
MODEL = "salary"


def model_file() -> Path:
    """The newest version's model.ubj."""
    versions = list((ROOT / "model" / "bundles" / MODEL).glob("*/model.ubj"))
    if not versions:
        raise FileNotFoundError(f"no bundle of the model {MODEL!r}; make it: python -m model {MODEL}")
    return max(versions, key=lambda path: int(path.parent.name))


def load_model() -> xgboost.Booster:
    """XGBoost's own object, with XGBoost's own settings."""
    booster = xgboost.Booster()
    booster.load_model(model_file())
    return booster


def predict(years: list[float]) -> npt.NDArray[np.float32]:
    """What XGBoost answers, asked directly."""
    booster = load_model()
    rows = np.array(years, dtype=np.float64).reshape(-1, 1)
    scores: npt.NDArray[np.float32] = booster.predict(
        xgboost.DMatrix(rows, feature_names=booster.feature_names)
    )
    return scores
