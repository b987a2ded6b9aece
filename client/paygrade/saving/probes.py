"""Finds out what callers may leave open: values that are missing, and texts that no step knows."""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from paygrade.saving.errors import SaveRefused
from paygrade.saving.proof import Scores, differing_rows
from paygrade.saving.raw import NARROW_INTEGERS, RawColumn, is_missing

PROBED_ROWS = 200
"""As many rows of the sample are scored with each column missing in turn."""

Ask = Callable[[Any], Scores]
"""Scores a pandas frame as the model's author would."""
Replayed = Callable[[Any], Scores]
"""Scores a pandas frame as the bundle will."""


def find_nullable(columns: Sequence[RawColumn], sample: Any, ask: Ask, replay: Replayed) -> None:
    """Say of each column whether a value may be missing: the model must score it, and the bundle likewise."""
    rows = sample.iloc[np.linspace(0, len(sample) - 1, min(len(sample), PROBED_ROWS)).astype(int)]
    rows = rows.reset_index(drop=True)
    for column in columns:
        if any(map(is_missing, column.values)):
            column.nullable = True
        elif column.dtype not in ("bool", *NARROW_INTEGERS):
            probe = rows.copy()
            probe[column.name] = _missing(rows, column)
            column.nullable = _scores_alike(probe, ask, replay)


def _missing(rows: Any, column: RawColumn) -> Any:
    values = rows[column.name]
    if column.type == "number" and column.dtype != "object":
        return values.astype("float32" if column.dtype == "float32" else "float64") * np.nan
    return values.where(np.zeros(len(rows), dtype=bool), column.missing)


def _scores_alike(rows: Any, ask: Ask, replay: Replayed) -> bool:
    try:
        expected = ask(rows)
    except SaveRefused:
        return False
    if not np.isfinite(expected).all():
        return False
    return not differing_rows(expected, replay(rows)).size
