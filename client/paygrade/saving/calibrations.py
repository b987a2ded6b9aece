"""Reads CalibratedClassifierCV over one booster."""

import sys
from typing import Any

import numpy as np

from paygrade.saving.errors import SaveRefused

WEIGHS = (1, 18)
"""From this version on SciPy interpolates otherwise."""


def read_calibrated(model: Any) -> tuple[Any, dict[str, Any]]:
    """Return the calibrated classifier, and the calibration; raises SaveRefused."""
    if len(model.calibrated_classifiers_) != 1:
        raise SaveRefused(
            f"CalibratedClassifierCV holds {len(model.calibrated_classifiers_)} boosters; fit it with "
            "ensemble=False, or around FrozenEstimator(fitted classifier)"
        )
    calibrated = model.calibrated_classifiers_[0]
    if calibrated.method not in ("sigmoid", "isotonic"):
        raise SaveRefused(
            f"CalibratedClassifierCV with method={calibrated.method!r} is calculated in float32, whose last "
            'bits differ between processors; use method="sigmoid" or "isotonic"'
        )
    read = _read_sigmoid if calibrated.method == "sigmoid" else _read_isotonic
    calibrators = [read(calibrator) for calibrator in calibrated.calibrators]
    return calibrated.estimator, {"kind": "calibration", "calibrators": calibrators}


def _read_sigmoid(calibrator: Any) -> dict[str, Any]:
    return {"method": "sigmoid", "slope": float(calibrator.a_), "intercept": float(calibrator.b_)}


def _read_isotonic(calibrator: Any) -> dict[str, Any]:
    scores = calibrator.X_thresholds_
    if calibrator.out_of_bounds != "clip":
        raise SaveRefused('IsotonicRegression with another out_of_bounds than "clip" is not supported')
    return {
        "method": "isotonic",
        "dtype": str(scores.dtype),
        "scores": scores.astype(np.float64).tolist(),
        "probabilities": calibrator.y_thresholds_.astype(np.float64).tolist(),
        **({"weighs": True} if _scipy_version() >= WEIGHS else {}),
    }


def _scipy_version() -> tuple[int, ...]:
    """Return the version of SciPy, which scikit-learn interpolates with."""
    return tuple(int(part) for part in sys.modules["scipy"].__version__.split(".")[:2])
