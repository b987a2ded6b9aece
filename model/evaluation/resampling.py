"""How sure a metric is: intervals by drawing rows again (bootstrap), and for shares by Wilson's formula."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from model.evaluation.metrics import Floats, Metric

CONFIDENCE = 0.95
_Z = 1.959963984540054
"""The quantile of the normal distribution for CONFIDENCE."""
MOST_RESAMPLES, FEWEST_RESAMPLES, MOST_DRAWN = 1_000, 200, 20_000_000
SEED = 1


class Interval(NamedTuple):
    """A value, and between which others it lies with CONFIDENCE."""

    value: float
    low: float
    high: float


class Resampled:
    """Metrics of all rows, and of the same resamples of them: one seed, so that differences are paired."""

    def __init__(self, metrics: Sequence[Metric], rows: int) -> None:
        ones = np.ones(rows)
        self._values = np.array([metric(ones) for metric in metrics])
        self._drawn = _drawn(metrics, rows)

    def interval(self, position: int) -> Interval:
        """Return the metric at this position."""
        return _interval(self._values[position], self._drawn[:, position])

    def difference(self, position: int, other: int) -> Interval:
        """Return by how much the first metric exceeds the other one, on the same rows."""
        drawn = self._drawn[:, position] - self._drawn[:, other]
        return _interval(self._values[position] - self._values[other], drawn)


def wilson(successes: float, rows: float) -> Interval:
    """Return the share of successes with its interval."""
    share, square = successes / rows, _Z**2
    center = (share + square / (2 * rows)) / (1 + square / rows)
    half = _Z / (1 + square / rows) * np.sqrt(share * (1 - share) / rows + square / (4 * rows**2))
    return Interval(share, max(0.0, float(center - half)), min(1.0, float(center + half)))


def _drawn(metrics: Sequence[Metric], rows: int) -> Floats:
    """Return the metrics of resamples: (resamples, metrics). Large tables need fewer of them."""
    random = np.random.default_rng(SEED)
    resamples = min(MOST_RESAMPLES, max(FEWEST_RESAMPLES, MOST_DRAWN // rows))
    drawn = np.empty((resamples, len(metrics)))
    for number in range(resamples):
        weights = np.bincount(random.integers(rows, size=rows), minlength=rows).astype(np.float64)
        drawn[number] = [metric(weights) for metric in metrics]
    return drawn


def _interval(value: float, drawn: NDArray[np.float64]) -> Interval:
    known = drawn[~np.isnan(drawn)]
    if not known.size:
        return Interval(float(value), np.nan, np.nan)
    low, high = np.quantile(known, [(1 - CONFIDENCE) / 2, (1 + CONFIDENCE) / 2])
    return Interval(float(value), float(low), float(high))
