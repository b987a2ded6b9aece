"""Rows to scores: each row has its own, or the reasons why it has none."""

import logging
from collections.abc import Callable
from typing import NamedTuple, TypeAlias

import numpy as np
from numpy.typing import NDArray

from model.columns import ColumnCheck
from worker.tables.read import Rows

log = logging.getLogger(__name__)

Matrix: TypeAlias = NDArray[np.float32]
Predict = Callable[[Matrix], NDArray[np.float32]]

NOT_SCORED = "the model could not score this row"
NOT_FINITE = "the score is not a finite number"


LOST = "every worker that tried the rows around this one was lost"


class Stopped(Exception):
    """The rows are not wanted any more."""


class RowFault(NamedTuple):
    """`feature` is empty for what concerns the whole row."""

    feature: str
    detail: str


Faults: TypeAlias = dict[int, list[RowFault]]


class Scores(NamedTuple):
    """The columns that the model gives, by name; rows with faults have anything in them."""

    columns: dict[str, NDArray[np.float32]]
    faults: Faults


def score_rows(check: ColumnCheck, predict: Predict, rows: Rows) -> Scores:
    checked = check.read(rows.features, rows.number)
    faults: Faults = {row: [RowFault(*fault) for fault in found] for row, found in checked.faults.items()}
    faults |= {row: [RowFault("", detail)] for row, detail in rows.broken.items()}
    scores = np.full(rows.number, np.nan, dtype=np.float32)
    for row in _predict(predict, checked.matrix, scores):
        faults.setdefault(row, [RowFault("", NOT_SCORED)])
    for row in np.flatnonzero(~np.isfinite(scores)).tolist():
        faults.setdefault(row, [RowFault("", NOT_FINITE)])
    return Scores({"prediction": scores}, faults)


def given_up(rows: Rows) -> Scores:
    """No row has a score: workers were lost with them."""
    scores = np.full(rows.number, np.nan, dtype=np.float32)
    return Scores({"prediction": scores}, {row: [RowFault("", LOST)] for row in range(rows.number)})


def _predict(predict: Predict, matrix: Matrix, scores: NDArray[np.float32], first: int = 0) -> list[int]:
    """Fills in the scores in one call; whatever is raised, the rows are looked for that raise it."""
    if not len(matrix):
        return []
    try:
        scores[:] = predict(matrix)
    except Stopped:
        raise
    except Exception as error:
        if len(matrix) == 1:
            # And not what it says: that may hold values.
            log.warning("not_scored", extra={"error": type(error).__name__})
            return [first]
    else:
        return []
    middle = len(matrix) // 2
    return [
        *_predict(predict, matrix[:middle], scores[:middle], first),
        *_predict(predict, matrix[middle:], scores[middle:], first + middle),
    ]
