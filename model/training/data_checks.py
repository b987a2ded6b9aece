"""What a data scientist should look at before this model is trusted: said, and never in the way."""

from collections.abc import Iterator
from itertools import combinations

import numpy as np
from numpy.typing import NDArray

from model.training.column import Column
from model.training.dataset import Dataset
from model.training.target import Target

FEW_ROWS = 200
MANY_CATEGORIES = 100
LEAKS = 0.98
"""The share of the target's variance that makes a column look like the target itself."""
BIN_ROWS = 10
MOST_BINS = 200


def doubts(dataset: Dataset) -> Iterator[str]:
    """A line for each doubt."""
    yield from dataset.left_out
    target = dataset.target
    if dataset.rows < FEW_ROWS:
        yield f"{dataset.rows} rows are few: the metrics below say little"
    if not target.classes and len(np.unique(target.labels)) == 2:
        yield f"target {target.name!r} has two values: --classify would give probabilities"
    for column in dataset.columns:
        yield from _of_column(column, target)
    for one, other in combinations(dataset.columns, 2):
        if np.array_equal(one.values, other.values, equal_nan=True) and one.texts == other.texts:
            yield f"columns {one.name!r} and {other.name!r} are the same: --drop {other.name!r}"


def _of_column(column: Column, target: Target) -> Iterator[str]:
    distinct = column.distinct()
    if distinct == 1 and not column.missing.any():
        yield f"column {column.name!r} is the same in every row: --drop {column.name!r}"
    elif column.type == "category" and distinct > MANY_CATEGORIES:
        yield f"column {column.name!r} has {distinct} different texts; few rows have each"
    if (share := _explained(column, _indicators(target))) >= LEAKS:
        yield (
            f"column {column.name!r} alone explains {share:.1%} of {target.name!r}; "
            "it may be known only afterwards"
        )


def _indicators(target: Target) -> NDArray[np.float64]:
    """(rows, 1), or of classes (rows, classes)."""
    if target.classes:
        every: NDArray[np.float64] = np.eye(len(target.classes))[target.labels.astype(int)]
        return every
    return target.labels.reshape(-1, 1)


def _explained(column: Column, target: NDArray[np.float64]) -> float:
    """The correlation ratio: the variance between groups of like values, as a share of all of it.

    Few rows make coarse groups; then a straight line may show more.
    """
    groups = _groups(column)
    counts = np.bincount(groups)
    if len(target) < BIN_ROWS * len(counts) or len(counts) < 2:
        return _on_a_line(column, target)
    total = ((target - target.mean(axis=0)) ** 2).sum()
    means = np.column_stack([np.bincount(groups, weights=one) for one in target.T]) / counts[:, None]
    between = (counts[:, None] * (means - target.mean(axis=0)) ** 2).sum()
    return max(float(between / total), _on_a_line(column, target))


def _on_a_line(column: Column, target: NDArray[np.float64]) -> float:
    """The square of the correlation with a target of numbers."""
    there = ~column.missing
    values, labels = column.values[there], target[there, 0]
    if column.type == "category" or target.shape[1] > 1 or not (np.ptp(values) and np.ptp(labels)):
        return 0.0
    return float(np.corrcoef(values, labels)[0, 1] ** 2)


def _groups(column: Column) -> NDArray[np.int64]:
    """The group of each row, from 0 with none left out; many numbers are put together by their order."""
    values = np.nan_to_num(column.values, nan=-np.inf)
    known, groups = np.unique(values, return_inverse=True)
    most = min(MOST_BINS, max(2, len(values) // (2 * BIN_ROWS)))
    if column.type == "category" or len(known) <= most:
        return groups
    edges = np.unique(np.quantile(column.values[~column.missing], np.linspace(0, 1, most + 1)[1:-1]))
    return np.unique(np.searchsorted(edges, values, side="right"), return_inverse=True)[1]
