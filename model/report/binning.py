"""Rows in groups: by ranks of their predictions, and by what came true."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from model.evaluation.metrics import Floats
from model.evaluation.resampling import Interval, wilson
from model.report.charts import Spread

GROUPS = 10
QUANTILES = (0.1, 0.25, 0.5, 0.75, 0.9)
FEWEST_IN_GROUP = 5
MOST_BINS = 30


class Group(NamedTuple):
    """Rows with similar predictions: the means of both, and how the errors spread."""

    rows: int
    predicted: float
    true: float
    spread: Spread


class CalibrationBin(NamedTuple):
    """Rows with similar probabilities: their mean, and the share of them that came true."""

    rows: int
    predicted: float
    found: Interval


def groups_of(values: Floats) -> list[NDArray[np.int64]]:
    """Return the positions of the lowest values, of the next, and so on; equal values stay together."""
    edges = np.quantile(values, np.linspace(0, 1, max(1, min(GROUPS, len(values) // FEWEST_IN_GROUP)) + 1))
    numbers = np.searchsorted(np.unique(edges)[1:-1], values)
    return [np.flatnonzero(numbers == number) for number in np.unique(numbers)]


def error_groups(predicted: Floats, labels: Floats) -> list[Group]:
    """Group rows by their predictions; errors are the truth minus the prediction."""
    groups = []
    for rows in groups_of(predicted):
        middle = float(predicted[rows].mean())
        errors = labels[rows] - predicted[rows]
        spread = Spread(middle, np.quantile(errors, QUANTILES).tolist())
        groups.append(Group(len(rows), middle, float(labels[rows].mean()), spread))
    return groups


def calibration_bins(probabilities: Floats, came_true: NDArray[np.bool_]) -> list[CalibrationBin]:
    """Group rows by the probability that the model gives them."""
    return [
        CalibrationBin(
            len(rows), float(probabilities[rows].mean()), wilson(int(came_true[rows].sum()), len(rows))
        )
        for rows in groups_of(probabilities)
    ]


def calibration_error(bins: Sequence[CalibrationBin]) -> float:
    """Return how far the probabilities are from what came true, on average over the rows."""
    sizes = np.array([each.rows for each in bins])
    gaps = np.array([abs(each.predicted - each.found.value) for each in bins])
    return float(sizes @ gaps / sizes.sum())


def covered(predicted: Floats, within: NDArray[np.bool_]) -> list[CalibrationBin]:
    """Group rows by their predictions; what comes true is that the interval holds the label."""
    return [
        CalibrationBin(len(rows), float(predicted[rows].mean()), wilson(int(within[rows].sum()), len(rows)))
        for rows in groups_of(predicted)
    ]


def histogram(values: Floats) -> tuple[Floats, list[int]]:
    """Return the edges of equal ranges, and the values in each; the outer ones hold a few far values, too."""
    low, high = np.quantile(values, (0.002, 0.998)) if len(values) > 1_000 else (values.min(), values.max())
    bins = int(min(MOST_BINS, max(5, np.sqrt(len(values)) * 1.2)))
    counts, edges = np.histogram(np.clip(values, low, high), bins)
    return edges.astype(np.float64), counts.tolist()


def confusion(numbers: NDArray[np.int64], predicted: NDArray[np.int64], classes: int) -> NDArray[np.int64]:
    """Count the rows of each true class (down) that were predicted as each class (across)."""
    return np.bincount(numbers * classes + predicted, minlength=classes**2).reshape(classes, classes)
