"""Rows to scores: each row has its own, or the reasons why it has none."""

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
"""Raises ScoringStopped, or whatever the model does."""

NOT_SCORED = "the model could not score this row"
NOT_FINITE = "the score is not a finite number"


class RowFault(NamedTuple):
    """`feature` is empty for what concerns the whole row."""

    feature: str
    detail: str


Faults: TypeAlias = dict[int, list[RowFault]]


class Scores(NamedTuple):
    """The columns that the model gives, by name; rows with faults have anything in them.

    `warnings` has a text for each row or null; it is None where nobody asked for them.
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
    """`names` are those of the columns that the model gives; `slices` are of all rows, in order."""
    checked = check.read(rows.features, rows.number)
    faults: Faults = {row: [RowFault(*fault) for fault in found] for row, found in checked.faults.items()}
    faults |= {row: [RowFault("", detail)] for row, detail in rows.broken.items()}
    pieces: list[tuple[int, Columns | None]] = []
    for some, given_up in slices:
        if given_up:
            pieces.append((len(some), None))
            refused = list(some)
        else:
            refused = _predict(predict, checked.matrix[some.start : some.stop], pieces, some.start)
        for row in refused:
            faults.setdefault(row, [RowFault("", given_up or NOT_SCORED)])
    columns = joined(pieces, names)
    for row in np.flatnonzero(not_finite(columns, rows.number)).tolist():
        faults.setdefault(row, [RowFault("", NOT_FINITE)])
    checked.matrix[list(faults)] = np.nan  # a row that has failed is not warned of as well
    return Scores(columns, faults, warn(checked.matrix) if warn else None)


def _predict(
    predict: Predict, matrix: Matrix, pieces: list[tuple[int, Columns | None]], first: int
) -> list[int]:
    """Adds the columns of all rows; returns the rows that raise something, which are looked for."""
    if not len(matrix):
        return []
    try:
        pieces.append((len(matrix), predict(matrix)))
    except ScoringStopped:
        raise
    except Exception as error:
        if len(matrix) == 1:
            # And not what it says: that may hold values.
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
