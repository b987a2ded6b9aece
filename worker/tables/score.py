"""Scores rows: each row gets its outputs, or the reasons why it has none."""

import logging
from collections.abc import Callable, Iterable, Sequence
from typing import NamedTuple, TypeAlias

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from model.tables.columns import ColumnCheck
from worker.stopping import ScoringStopped
from worker.tables.bisect import Slice
from worker.tables.columns import Columns, joined, not_finite
from worker.tables.read import Rows
from worker.tables.warnings import Warn

log = logging.getLogger(__name__)

Matrix: TypeAlias = NDArray[np.float32]
Predict = Callable[[Matrix], Columns]
"""Raises ScoringStopped, or any error of the model."""

NOT_SCORED = "the model could not score this row"
NOT_FINITE = "the score is not a finite number"


class RowFault(NamedTuple):
    """`feature` is empty if the fault concerns the whole row."""

    feature: str
    detail: str


Faults: TypeAlias = dict[int, list[RowFault]]


class Scores(NamedTuple):
    """The columns of outputs, by name; their values in rows with faults have no meaning.

    `warnings` has a text or null for each row; it is None if the table has no warnings.
    """

    columns: Columns
    faults: Faults
    warnings: pa.Array | None = None


def score_rows(
    check: ColumnCheck,
    predict: Predict,
    names: Sequence[str],
    rows: Rows,
    slices: Iterable[Slice],
    warn: Warn | None = None,
) -> Scores:
    """`names` are the names of the columns of outputs; `slices` cover all rows, in order."""
    checked = check.read(rows.features, rows.number)
    faults: Faults = {row: [RowFault(*fault) for fault in found] for row, found in checked.faults.items()}
    faults |= {row: [RowFault("", detail)] for row, detail in rows.broken.items()}
    pieces: list[tuple[int, Columns | None]] = []
    for its_rows, given_up in slices:
        if given_up:
            pieces.append((len(its_rows), None))
            unscored = list(its_rows)
        else:
            part = checked.matrix[its_rows.start : its_rows.stop]
            unscored = _predict(predict, part, pieces, its_rows.start)
        for row in unscored:
            faults.setdefault(row, [RowFault("", given_up or NOT_SCORED)])
    columns = joined(pieces, names)
    for row in np.flatnonzero(not_finite(columns, rows.number)).tolist():
        faults.setdefault(row, [RowFault("", NOT_FINITE)])
    checked.matrix[list(faults)] = np.nan  # a failed row has no warnings
    return Scores(columns, faults, warn(checked.matrix) if warn else None)


def _predict(
    predict: Predict, matrix: Matrix, pieces: list[tuple[int, Columns | None]], first: int
) -> list[int]:
    """Adds the columns of all rows to `pieces`; bisects on an error, and returns the rows that raise one."""
    if not len(matrix):
        return []
    try:
        pieces.append((len(matrix), predict(matrix)))
    except ScoringStopped:
        raise
    except Exception as error:
        if len(matrix) == 1:
            # The message of the error may hold values of the row.
            log.warning("not_scored", extra={"error": type(error).__name__})
            pieces.append((1, None))
            return [first]
    else:
        return []
    middle = len(matrix) // 2
    return [
        *_predict(predict, matrix[:middle], pieces, first),
        *_predict(predict, matrix[middle:], pieces, first + middle),
    ]
