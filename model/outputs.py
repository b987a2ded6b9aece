"""What a model gives for rows: scores by what they mean, and explanations."""

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from model.preparation import Floats

Scores = NDArray[Any]
"""float32 or float64, as the bundle says."""


class Outputs(NamedTuple):
    """What the model predicts for some rows, by column.

    `prediction` has shape (rows,); a classifier's is the number of the most likely class.
    `probability` has shape (rows,), and is that of class 1. `probabilities` has shape (rows, classes).
    `interval` has shape (rows, 2): low and high. Where there are `targets`, `prediction` and `probability`
    have shape (rows, targets). Outputs that the model does not have are None.
    """

    prediction: Scores | NDArray[np.int64]
    probability: Scores | None = None
    labels: Sequence[str] | None = None
    probabilities: Scores | None = None
    interval: Scores | None = None
    classes: Sequence[str] = ()
    targets: Sequence[str] = ()


class Explanation(NamedTuple):
    """SHAP values in the scale of the trees' sum: contributions (rows, features) and base (rows,).

    Together they sum to the margin of each row's prediction, which no calibration or inverse has changed yet.
    """

    contributions: Floats
    base: NDArray[np.float64]
