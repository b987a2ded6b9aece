"""Proves what the sample does not show: values that are missing, and values that it does not have."""

from collections.abc import Callable, Iterator, Sequence
from itertools import islice
from typing import Any, NamedTuple

import numpy as np

from paygrade.saving.errors import SaveRefused
from paygrade.saving.proof import Scores, differing_rows
from paygrade.saving.raw import (
    FLOATS,
    LARGEST_EXACT,
    NARROW_INTEGERS,
    WIDE_INTEGERS,
    RawColumn,
    is_missing,
)

MOST_ROWS, FEWEST_ROWS = 100, 10
"""How many rows of the sample are scored with other values in each column in turn."""
MOST_CATEGORIES = 1_000
MOST_VALUES = 2_000_000
"""The most values of rows that are scored together, and about the most of all columns."""
UNSEEN = "a text that no table has"

Ask = Callable[[Any], Scores]
"""Scores a pandas frame as the model's author would; raises SaveRefused."""
Replayed = Callable[[Any], Scores]
"""Scores a pandas frame as the bundle will; raises SaveRefused."""


class Probe(NamedTuple):
    """Rows of the sample with other values in one column; `missing` tells whether they are missing there."""

    column: RawColumn
    rows: Any
    missing: bool


def probe_columns(columns: Sequence[RawColumn], sample: Any, ask: Ask, replay: Replayed) -> None:
    """Say of each column whether a value may be missing, and try values that the sample does not have.

    Raises SaveRefused if the bundle would score such a value otherwise than the model.
    """
    count = min(len(sample), max(FEWEST_ROWS, min(MOST_ROWS, MOST_VALUES // len(sample.columns) ** 2)))
    rows = sample.iloc[np.linspace(0, len(sample) - 1, count).astype(int)].reset_index(drop=True)
    probes = (probe for column in columns for probe in _probes(column, rows))
    together = max(1, MOST_VALUES // rows.size)
    while some := list(islice(probes, together)):
        for probe, same in zip(some, _compare_all([probe.rows for probe in some], ask, replay), strict=True):
            _judge(probe, same)


def _judge(probe: Probe, same: bool | None) -> None:
    if probe.missing:
        probe.column.nullable = same is True
    elif same is False:
        raise SaveRefused(
            f"values of column {probe.column.name!r} that the sample does not have would score otherwise "
            "than in the pipeline; give a sample of the training data, with its types and categories"
        )


def _probes(column: RawColumn, rows: Any) -> Iterator[Probe]:
    if any(map(is_missing, column.values)):
        column.nullable = True
        if "" in column.texts:
            raise SaveRefused(
                f"column {column.name!r} has empty texts and missing values, which no CSV file tells apart; "
                "use one of them, in training and here"
            )
    elif "" not in column.texts and column.dtype not in ("bool", *NARROW_INTEGERS):
        yield Probe(column, _with(rows, column, _missing(rows, column)), missing=True)
    for values in _other_values(column, len(rows)):
        yield Probe(column, _with(rows, column, _as_in(rows, column, values)), missing=False)


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
    if isinstance(values.dtype, np.dtype) and values.dtype.kind in "iuf":
        return values.astype("float32" if column.dtype == "float32" else "float64") * np.nan
    return values.where(np.zeros(len(rows), dtype=bool), column.missing)


def _other_values(column: RawColumn, rows: int) -> Iterator[Any]:
    """Columns of so many values: all categories in turn, or numbers within and beyond those of the sample."""
    if column.type == "number" and column.dtype in FLOATS + WIDE_INTEGERS:
        yield from _numbers(column, rows)
    elif column.type == "category" and column.holds_text():
        texts = column.categories + [UNSEEN] * column.unseen
        for first in range(0, min(len(texts), MOST_CATEGORIES), rows):
            yield np.resize(np.array(texts[first : first + rows], dtype=object), rows)


def _numbers(column: RawColumn, rows: int) -> Iterator[Any]:
    known = column.to_numbers()
    known = known[~np.isnan(known)]
    low, high = known.min(initial=np.inf), known.max(initial=-np.inf)
    if low > high:
        low, high = 0.0, 0.0
    within = np.random.default_rng(rows).uniform(low, high, rows)
    within[::2] = within[::2].round()
    beyond = np.resize([low - 1, high + 1, 0, 1, low - (high - low), high + (high - low)], rows)
    for values in (within, beyond):
        yield _whole(values, column.dtype) if column.dtype in WIDE_INTEGERS else values


def _whole(values: Any, dtype: str) -> Any:
    """Return numbers that a type of integers can hold."""
    limits = np.iinfo(dtype)
    return values.round().clip(max(limits.min, -LARGEST_EXACT), min(limits.max, LARGEST_EXACT))


def _compare_all(tables: Sequence[Any], ask: Ask, replay: Replayed) -> list[bool | None]:
    """Do what `_compare` does for each of these; those without a fault are compared together."""
    import pandas

    if len(tables) == 1:
        return [_compare(tables[0], ask, replay)]
    try:
        rows = pandas.concat(tables, ignore_index=True)
        expected = ask(rows)
        if np.isfinite(expected).all() and not differing_rows(expected, replay(rows)).size:
            return [True] * len(tables)
    except SaveRefused:
        pass
    half = len(tables) // 2
    return _compare_all(tables[:half], ask, replay) + _compare_all(tables[half:], ask, replay)


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
