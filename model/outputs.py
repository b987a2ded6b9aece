"""What a caller is told of each row: the scores of XGBoost, named."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from model.objective import BINARY, Objective

Floats = NDArray[np.float32]
MEDIAN = 0.5


class Outputs(NamedTuple):
    """By column, for some rows. Of a classifier `prediction` is the number of the likeliest class.

    probability: (rows,), of class 1; probabilities: (rows, classes); interval: (rows, 2), low and high.
    """

    prediction: Floats | NDArray[np.int64]
    probability: Floats | None = None
    labels: Sequence[str] | None = None
    probabilities: Floats | None = None
    interval: Floats | None = None
    classes: Sequence[str] = ()


def named(scores: Floats, objective: Objective, classes: Sequence[str]) -> Outputs:
    """`scores` as XGBoost gives them: (rows,), or one for each class or quantile of a row."""
    if objective.quantiles:
        # Quantiles are learned apart, and may cross.
        interval = np.stack([scores.min(axis=1), scores.max(axis=1)], axis=1)
        return Outputs(scores[:, middle_of(objective.quantiles)], interval=interval)
    if objective.name == BINARY:
        numbers = (scores > 0.5).astype(np.int64)
        return Outputs(numbers, probability=scores, labels=_labels(numbers, classes), classes=classes)
    if objective.classes:
        numbers = likeliest(scores, objective)
        classes = classes or [str(number) for number in range(objective.classes)]
        return Outputs(numbers, probabilities=scores, labels=_labels(numbers, classes), classes=classes)
    return Outputs(scores)


def likeliest(scores: Floats, objective: Objective) -> NDArray[np.int64]:
    """The column of each row that its prediction is about: of several classes, or several quantiles."""
    if objective.quantiles:
        return np.full(len(scores), middle_of(objective.quantiles))
    columns: NDArray[np.int64] = scores.argmax(axis=1)
    return columns


def middle_of(quantiles: Sequence[float]) -> int:
    """The quantile that is the prediction: the one nearest the median."""
    return int(np.argmin([abs(alpha - MEDIAN) for alpha in quantiles]))


def _labels(numbers: NDArray[np.int64], classes: Sequence[str]) -> Sequence[str] | None:
    return [classes[number] for number in numbers.tolist()] if classes else None
