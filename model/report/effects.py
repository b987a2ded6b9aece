"""How the prediction moves as one feature does: partial dependence, computed with the bundle itself."""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from model.bundle import Bundle
from model.description.features import Feature
from model.evaluation.metrics import Floats
from model.preparation import Matrix
from model.report.series import Series, series_of

MOST_ROWS = 300
POINTS, CATEGORIES = 20, 8
SEED = 3


class Effect(NamedTuple):
    """The mean prediction of the rows if all of them had each of these `values`; NaN is a missing one.

    `rows` counts the rows that have each of the values, or for numbers one near it.
    """

    feature: Feature
    values: Floats
    rows: NDArray[np.int64]
    series: Series

    @property
    def by_category(self) -> bool:
        """Whether the values have no order."""
        return self.feature.type in ("category", "boolean")


def effect_of(bundle: Bundle, matrix: Matrix, position: int) -> Effect | None:
    """Return the effect of the feature in this column; None if it has one value, or scores are infinite."""
    feature = bundle.manifest.schema.features[position]
    column = matrix[:, position].astype(np.float64)
    values, rows = _values_of(feature, column)
    if len(values) < 2:
        return None
    sample = matrix[_sample(len(matrix))]
    moved = np.repeat(sample[None], len(values), axis=0)
    moved[:, :, position] = values[:, None]
    scored = series_of(bundle.outputs(moved.reshape(-1, matrix.shape[1])))
    means = {name: scores.reshape(len(values), -1).mean(axis=1) for name, scores in scored.items()}
    if not all(np.isfinite(line).all() for line in means.values()):
        return None
    return Effect(feature, values, rows, means)


def _sample(rows: int) -> NDArray[np.int64]:
    if rows <= MOST_ROWS:
        return np.arange(rows)
    return np.sort(np.random.default_rng(SEED).choice(rows, MOST_ROWS, replace=False))


def _values_of(feature: Feature, column: Floats) -> tuple[Floats, NDArray[np.int64]]:
    present = column[~np.isnan(column)]
    distinct, counts = np.unique(present, return_counts=True)
    if feature.type in ("category", "boolean"):
        order = np.argsort(-counts, kind="stable")[:CATEGORIES]
        values, rows = distinct[order], counts[order]
    elif len(distinct) <= POINTS:
        values, rows = distinct, counts
    else:
        values = np.unique(np.quantile(present, np.linspace(0.01, 0.99, POINTS), method="nearest"))
        nearest = np.searchsorted((values[1:] + values[:-1]) / 2, present)
        rows = np.bincount(nearest, minlength=len(values))
    if missing := len(column) - len(present):
        return np.append(values, np.nan), np.append(rows, missing)
    return values, rows
