"""Proves what the sample does not show: values that are missing, and values that it does not have."""

from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np

from paygrade.saving.errors import SaveRefused
from paygrade.saving.proof import Scores, differing_rows
from paygrade.saving.raw import FLOATS, NARROW_INTEGERS, WIDE_INTEGERS, RawColumn, is_missing

PROBED_ROWS = 100
"""As many rows of the sample are scored with other values in each column in turn."""
MOST_CATEGORIES = 1_000
UNSEEN = "a text that no table has"

Ask = Callable[[Any], Scores]
"""Scores a pandas frame as the model's author would; raises SaveRefused."""
Replayed = Callable[[Any], Scores]
"""Scores a pandas frame as the bundle will; raises SaveRefused."""


def probe_columns(columns: Sequence[RawColumn], sample: Any, ask: Ask, replay: Replayed) -> None:
    """Say of each column whether a value may be missing, and try values that the sample does not have.

    Raises SaveRefused if the bundle would score such a value otherwise than the model.
    """
    rows = sample.iloc[np.linspace(0, len(sample) - 1, min(len(sample), PROBED_ROWS)).astype(int)]
    rows = rows.reset_index(drop=True)
    for column in columns:
        if any(map(is_missing, column.values)):
            column.nullable = True
        elif column.dtype not in ("bool", *NARROW_INTEGERS):
            missing = _with(rows, column, _missing(rows, column))
            column.nullable = _compare(missing, ask, replay) is True
        for values in _other_values(column, len(rows)):
            other = _with(rows, column, _as_in(rows, column, values))
            if _compare(other, ask, replay) is False:
                raise SaveRefused(
                    f"values of column {column.name!r} that the sample does not have would score otherwise "
                    "than in "
                    "the pipeline; give a sample of the training data, with its types and categories"
                )


def _with(rows: Any, column: RawColumn, values: Any) -> Any:
    changed = rows.copy()
    changed[column.name] = values
    return changed


def _as_in(rows: Any, column: RawColumn, values: Any) -> Any:
    """Return values as the type that the column has in pandas."""
    import pandas

    return pandas.Series(values).astype(rows[column.name].dtype)


def _missing(rows: Any, column: RawColumn) -> Any:
    values = rows[column.name]
    if column.type == "number" and column.dtype != "object":
        return values.astype("float32" if column.dtype == "float32" else "float64") * np.nan
    return values.where(np.zeros(len(rows), dtype=bool), column.missing)


def _other_values(column: RawColumn, rows: int) -> Iterator[Any]:
    """Columns of so many values: all categories in turn, or numbers within and beyond those of the sample."""
    if column.type == "number" and column.dtype in FLOATS + WIDE_INTEGERS:
        yield from _numbers(column, rows)
    elif column.type == "category" and isinstance(_first(column), str):
        texts = column.categories + [UNSEEN] * column.unseen
        for first in range(0, min(len(texts), MOST_CATEGORIES), rows):
            yield np.resize(np.array(texts[first : first + rows], dtype=object), rows)


def _first(column: RawColumn) -> Any:
    return next((value for value in column.values if not is_missing(value)), None)


def _numbers(column: RawColumn, rows: int) -> Iterator[Any]:
    known = column.to_numbers()
    known = known[~np.isnan(known)]
    low, high = min(known, default=0.0), max(known, default=0.0)
    within = np.random.default_rng(rows).uniform(low, high, rows)
    within[::2] = within[::2].round()
    yield within
    yield np.resize([low - 1, high + 1, 0, 1, low - (high - low), high + (high - low)], rows)


def _compare(rows: Any, ask: Ask, replay: Replayed) -> bool | None:
    """Return whether model and bundle score the rows alike; None if one of them scores none of these."""
    try:
        expected, scores = ask(rows), replay(rows)
    except SaveRefused:
        return None
    finite = np.isfinite(expected.reshape(len(rows), -1)).all(axis=1)
    if not finite.any():
        return None
    return not differing_rows(expected[finite], scores[finite]).size
