"""What a caller is given to know about rows that were not scored."""

import sys
import warnings
from typing import Any, Literal, TypeAlias

from paygrade.errors import RowsFailed, RowsNotScored

OnFailed: TypeAlias = Literal["warn", "raise", "ignore"]
"""`warn` gives a warning, RowsNotScored; `raise` raises RowsFailed, which has the scores of the others."""


def sentence_of(row: int, fault: str) -> str:
    """What people read of a row that failed. They count rows from 1, and data from 0."""
    return f"row {row + 1}: {fault}"


def tell_of(failed: int, total: int, first: str, scored: Any, on_failed: OnFailed) -> None:
    """`first` is the first of the failed rows, with its fault."""
    if not failed or on_failed == "ignore":
        return
    message = f"{failed:,} of {total:,} rows were not scored, and have an error instead; {first}"
    if on_failed == "raise":
        raise RowsFailed(message, scored)
    warnings.warn(message, RowsNotScored, stacklevel=_level_of_caller())


def _level_of_caller() -> int:
    """Where a program called this package, so that the warning shows its line."""
    package = __name__.partition(".")[0]
    frame, level = sys._getframe(1), 1
    while frame.f_back and frame.f_globals.get("__name__", "").partition(".")[0] == package:
        frame, level = frame.f_back, level + 1
    return level
