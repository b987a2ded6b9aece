"""Warnings about a dataset that a data scientist should check before trusting the model."""

from collections.abc import Iterator, Sequence
from itertools import combinations

import numpy as np
from numpy.typing import NDArray

from model.training.column import TableColumn
from model.training.dataset import Dataset
from model.training.target import Target

FEW_ROWS = 200
MANY_CATEGORIES = 100
MANY_MISSING = 0.5
MANY_REPEATED = 0.05
LEAK = 0.98
"""A column that explains this share of the target's variance may be the target itself."""
MIN_ROWS_PER_BIN = 10
MAX_BINS = 200


def find_problems(dataset: Dataset) -> Iterator[str]:
    """Yield one line for each problem; none of them stops the training."""
    yield from dataset.notes
    yield from problems_of(dataset.columns, dataset.target)


def problems_of(columns: Sequence[TableColumn], target: Target | None) -> Iterator[str]:
    """Yield the problems of rows for training or evaluation; `target` is None if it is not known."""
    rows = len(columns[0].values)
    if rows < FEW_ROWS:
        yield f"{rows} rows are few, so the metrics below are not reliable"
    if target and not target.classes and len(np.unique(target.labels)) == 2:
        yield f"target {target.name!r} has two values; --classify would predict probabilities"
    if target and (share := _repeated_share(columns, target)) >= MANY_REPEATED:
        yield (
            f"{share:.1%} of the rows are copies of another row, so that rows which are held out look like "
            "rows which were learned; keep each row once"
        )
    for column in columns:
        yield from _check_column(column, target)
    for first, second in combinations(columns, 2):
        if np.array_equal(first.values, second.values, equal_nan=True) and first.texts == second.texts:
            yield f"columns {first.name!r} and {second.name!r} are the same; consider --drop {second.name!r}"


def _repeated_share(columns: Sequence[TableColumn], target: Target) -> float:
    """Return the share of rows whose features and label another row has before them."""
    random = np.random.default_rng(0)
    prints = target.labels * random.random()  # rows with the same sum are the same, by all odds
    for column in columns:
        prints = prints + np.nan_to_num(column.values, nan=0.123456789) * random.random()
    return 1 - len(np.unique(prints)) / len(prints)


def _check_column(column: TableColumn, target: Target | None) -> Iterator[str]:
    distinct = column.count_distinct()
    if distinct == 1 and not column.missing.any():
        yield f"column {column.name!r} has the same value in every row; consider --drop {column.name!r}"
    elif column.type == "category" and distinct > MANY_CATEGORIES:
        yield f"column {column.name!r} has {distinct} different texts, so each occurs in few rows"
    if (missing := float(column.missing.mean())) >= MANY_MISSING:
        yield f"column {column.name!r} is missing in {missing:.1%} of the rows"
    if target and (share := _explained_variance(column, _indicators(target))) >= LEAK:
        yield (
            f"column {column.name!r} alone explains {share:.1%} of {target.name!r}; "
            "check that it is known before the target is"
        )


def _indicators(target: Target) -> NDArray[np.float64]:
    """Return the labels as (rows, 1), or as one indicator for each class: (rows, classes)."""
    if target.classes:
        indicators: NDArray[np.float64] = np.eye(len(target.classes))[target.labels.astype(int)]
        return indicators
    return target.labels.reshape(-1, 1)


def _explained_variance(column: TableColumn, target: NDArray[np.float64]) -> float:
    """Return the correlation ratio: the variance between groups of similar values, as a share of the whole.

    With few rows the groups are coarse, and a straight line may explain more.
    """
    groups = _groups(column)
    counts = np.bincount(groups)
    if len(target) < MIN_ROWS_PER_BIN * len(counts) or len(counts) < 2:
        return _linear_share(column, target)
    total = ((target - target.mean(axis=0)) ** 2).sum()
    means = np.column_stack([np.bincount(groups, weights=labels) for labels in target.T]) / counts[:, None]
    between = (counts[:, None] * (means - target.mean(axis=0)) ** 2).sum()
    return max(float(between / total), _linear_share(column, target))


def _linear_share(column: TableColumn, target: NDArray[np.float64]) -> float:
    """Return the square of the correlation with a numeric target, and 0 for other targets."""
    present = ~column.missing
    values, labels = column.values[present], target[present, 0]
    if column.type == "category" or target.shape[1] > 1 or not values.size:
        return 0.0
    if not (np.ptp(values) and np.ptp(labels)):
        return 0.0
    return float(np.corrcoef(values, labels)[0, 1] ** 2)


def _groups(column: TableColumn) -> NDArray[np.int64]:
    """Number the groups of similar values from 0, without gaps; many different numbers are binned."""
    values = np.nan_to_num(column.values, nan=-np.inf)
    distinct, groups = np.unique(values, return_inverse=True)
    bins = min(MAX_BINS, max(2, len(values) // (2 * MIN_ROWS_PER_BIN)))
    if column.type == "category" or len(distinct) <= bins:
        return groups
    edges = np.unique(np.quantile(column.values[~column.missing], np.linspace(0, 1, bins + 1)[1:-1]))
    return np.unique(np.searchsorted(edges, values, side="right"), return_inverse=True)[1]
