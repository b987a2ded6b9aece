"""Metrics of predictions, each as a function of the weights of the rows, so that rows can be drawn again."""

from collections.abc import Callable
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

Floats: TypeAlias = NDArray[np.float64]
Weights: TypeAlias = Floats
Metric: TypeAlias = Callable[[Weights], float]
"""Returns NaN where the metric means nothing, such as r2 of equal labels."""

ABSOLUTE, SQUARED, LOG_LOSS = "mean absolute error", "root mean squared error", "log loss"
COVERAGE, WIDTH = "interval coverage", "interval width"
HIGHER_IS_BETTER = frozenset({"r2", "accuracy", "area under ROC"})
WITHOUT_ORDER = frozenset({COVERAGE, WIDTH})
"""Neither high nor low values of these are better by themselves."""
SMALLEST_PROBABILITY = 1e-15


def number_metrics(labels: Floats, predicted: Floats) -> dict[str, Metric]:
    """Return the metrics of a number that is predicted."""
    errors = predicted - labels
    squared = mean_of(errors**2)
    return {
        ABSOLUTE: mean_of(np.abs(errors)),
        SQUARED: lambda weights: float(np.sqrt(squared(weights))),
        "r2": _r2(labels, errors),
    }


def interval_metrics(labels: Floats, interval: Floats) -> dict[str, Metric]:
    """Return the metrics of an interval, of shape (rows, 2)."""
    low, high = interval.T
    return {COVERAGE: mean_of((labels >= low) & (labels <= high)), WIDTH: mean_of(high - low)}


def class_metrics(numbers: NDArray[np.int64], probabilities: Floats) -> dict[str, Metric]:
    """Return the metrics of probabilities, of shape (rows, classes); `numbers` are the true classes."""
    return {
        "accuracy": mean_of(probabilities.argmax(axis=1) == numbers),
        LOG_LOSS: mean_of(log_losses(numbers, probabilities)),
        **({} if probabilities.shape[1] != 2 else _binary_metrics(numbers, probabilities[:, 1])),
    }


def log_losses(numbers: NDArray[np.int64], probabilities: Floats) -> Floats:
    """Return the loss of each row."""
    shares = probabilities / probabilities.sum(axis=1, keepdims=True)
    of_label = shares[np.arange(len(numbers)), numbers]
    losses: Floats = -np.log(np.clip(of_label, SMALLEST_PROBABILITY, 1))
    return losses


def pinball_losses(labels: Floats, predicted: Floats, alpha: float) -> Floats:
    """Return the loss of each row that the quantile `alpha` makes smallest."""
    errors = labels - predicted
    losses: Floats = np.maximum(alpha * errors, (alpha - 1) * errors)
    return losses


def mean_of(values: NDArray[np.generic]) -> Metric:
    """Return the measure that is the mean of a value of each row."""
    numbers = values.astype(np.float64)
    return lambda weights: float(weights @ numbers / weights.sum())


def _r2(labels: Floats, errors: Floats) -> Metric:
    def r2(weights: Weights) -> float:
        mean = weights @ labels / weights.sum()
        spread = weights @ (labels - mean) ** 2
        return 1 - float(weights @ errors**2 / spread) if spread else np.nan

    return r2


def _binary_metrics(numbers: NDArray[np.int64], probability: Floats) -> dict[str, Metric]:
    return {
        "Brier score": mean_of((probability - numbers) ** 2),
        "area under ROC": _area_under_roc(numbers, probability),
    }


def _area_under_roc(numbers: NDArray[np.int64], probability: Floats) -> Metric:
    """Count the pairs of a row of each class that have the right order; ties are halves."""
    groups = np.unique(probability, return_inverse=True)[1]
    size = int(groups.max()) + 1 if len(groups) else 0

    def area(weights: Weights) -> float:
        of_second = np.bincount(groups, weights * numbers, size)
        of_first = np.bincount(groups, weights * (1 - numbers), size)
        pairs = of_first.sum() * of_second.sum()
        below = np.cumsum(of_first) - of_first / 2
        return float(of_second @ below / pairs) if pairs else np.nan

    return area
