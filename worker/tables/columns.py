"""The columns of a model's outputs, as results have them."""

from collections.abc import Callable, Sequence
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from model.bundle import Bundle, Outputs

Columns: TypeAlias = dict[str, NDArray[Any]]
"""By name. A column holds numbers, or texts as objects."""


def columns_of(outputs: Outputs) -> Columns:
    """One column for each output; each class and each end of an interval has a column of its own."""
    columns: Columns = {"prediction": outputs.prediction}
    if outputs.labels is not None:
        columns["label"] = np.array(outputs.labels, dtype=object)
    if outputs.probability is not None:
        columns["probability"] = outputs.probability
    if outputs.probabilities is not None:
        for number, name in enumerate(outputs.classes):
            columns[f"probability_{name}"] = outputs.probabilities[:, number]
    if outputs.interval is not None:
        columns["interval_low"], columns["interval_high"] = outputs.interval.T
    return columns


def predict_with(bundle: Bundle, explain: bool = False) -> Callable[[NDArray[np.float32]], Columns]:
    """A function that returns the columns that `bundle.manifest.columns(explain)` names."""
    return lambda matrix: (
        columns_of(bundle.outputs(matrix)) | (_contributions(bundle, matrix) if explain else {})
    )


def _contributions(bundle: Bundle, matrix: NDArray[np.float32]) -> Columns:
    explanation = bundle.explain(matrix)
    names = (f"contribution_{name}" for name in bundle.manifest.schema.names)
    return {**dict(zip(names, explanation.contributions.T, strict=True)), "base": explanation.base}


def joined(pieces: Sequence[tuple[int, Columns | None]], names: Sequence[str]) -> Columns:
    """Joins pieces, which have a number of rows and columns. Rows without columns get NaN or empty texts."""
    sample: Columns = next((columns for _, columns in pieces if columns is not None), {})
    result: Columns = {}
    for name in names:
        parts = [
            _empty(rows, sample.get(name)) if columns is None else columns[name] for rows, columns in pieces
        ]
        result[name] = np.concatenate(parts) if parts else np.zeros(0, np.float32)
    return result


def not_finite(columns: Columns, rows: int) -> NDArray[np.bool_]:
    """Which rows have a number that is not finite in any column."""
    found = np.zeros(rows, dtype=bool)
    for column in columns.values():
        if column.dtype.kind == "f":
            found |= ~np.isfinite(column)
    return found


def _empty(rows: int, like: NDArray[Any] | None) -> NDArray[Any]:
    if like is None or like.dtype.kind == "f":
        return np.full(rows, np.nan, np.float32)
    return np.full(rows, "" if like.dtype.kind == "O" else 0, like.dtype)
