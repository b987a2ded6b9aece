"""Rows to scores: each row has its own, or the reasons why it has none."""

import logging
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple, TypeAlias

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from model.bundle import Bundle, ObservedRanges
from model.description.schema import Schema
from model.outputs import Outputs
from model.tables.columns import ColumnCheck
from worker.limits import is_out_of_memory
from worker.stopping import ScoringStopped
from worker.tables.read import LOST_AROUND, Rows

Columns: TypeAlias = dict[str, NDArray[Any]]
"""By name. A column holds numbers, or texts as objects."""
Types: TypeAlias = Mapping[str, np.dtype[Any]]
"""The type of each column, by name."""
Matrix: TypeAlias = NDArray[Any]
"""Rows as the bundle takes them."""


def columns_of(outputs: Outputs) -> Columns:
    """One column for each output; each target, class and end of an interval has a column of its own."""
    columns: Columns = _per_target("prediction", outputs.prediction, outputs.targets)
    if outputs.labels is not None:
        columns["label"] = np.array(outputs.labels, dtype=object)
    if outputs.probability is not None:
        columns |= _per_target("probability", outputs.probability, outputs.targets)
    if outputs.probabilities is not None:
        for number, name in enumerate(outputs.classes):
            columns[f"probability_{name}"] = outputs.probabilities[:, number]
    if outputs.interval is not None:
        columns["interval_low"], columns["interval_high"] = outputs.interval.T
    return columns


def _per_target(member: str, values: NDArray[Any], targets: Sequence[str]) -> Columns:
    if not targets:
        return {member: values}
    return {f"{member}_{name}": values[:, number] for number, name in enumerate(targets)}


def predict_with(bundle: Bundle, explain: bool = False) -> Callable[[Matrix], Columns]:
    """A function that returns the columns that `bundle.manifest.columns[explain]` names."""
    return lambda matrix: (
        columns_of(bundle.outputs(matrix)) | (_contributions(bundle, matrix) if explain else {})
    )


def types_of(bundle: Bundle, explain: bool = False) -> Types:
    """The types of these columns, of which rows that cannot be scored have none."""
    row = bundle.encode(bundle.manifest.golden.rows[:1])
    types = {name: column.dtype for name, column in predict_with(bundle)(row).items()}
    for name in bundle.manifest.columns[explain]:
        types.setdefault(name, np.dtype(np.float64 if name == "base" else np.float32))
    return types


def _contributions(bundle: Bundle, matrix: Matrix) -> Columns:
    explanation = bundle.explain(matrix)
    names = (f"contribution_{name}" for name in bundle.manifest.schema.names)
    return {**dict(zip(names, explanation.contributions.T, strict=True)), "base": explanation.base}


def joined(pieces: Sequence[tuple[int, Columns | None]], types: Types) -> Columns:
    """Joins pieces, which have a number of rows and columns. Rows without columns get NaN or empty texts."""
    result: Columns = {}
    for name, dtype in types.items():
        parts = [_empty(rows, dtype) if columns is None else columns[name] for rows, columns in pieces]
        result[name] = np.concatenate(parts) if parts else np.zeros(0, dtype)
    return result


def not_finite(columns: Columns, rows: int) -> NDArray[np.bool_]:
    """Which rows have a number that is not finite in any column."""
    found = np.zeros(rows, dtype=bool)
    for column in columns.values():
        if column.dtype.kind == "f":
            found |= ~np.isfinite(column)
    return found


def _empty(rows: int, dtype: np.dtype[Any]) -> NDArray[Any]:
    return np.full(rows, {"f": np.nan, "O": ""}.get(dtype.kind, 0), dtype)


Warn: TypeAlias = Callable[[Matrix], pa.Array]
"""Returns a text for each row, null for a row without warnings."""


def warn_by(observed: ObservedRanges) -> Warn:
    return lambda matrix: _texts(observed, matrix)


def _texts(observed: ObservedRanges, matrix: Matrix) -> pa.Array:
    outside = observed.outside(matrix)
    if outside is None:
        return pa.nulls(len(matrix), pa.string())
    # Most rows are outside in the same few ways, so each way is worded once.
    packed = np.packbits(outside, axis=1)
    bits, buffers = pa.binary(packed.shape[1]), [None, pa.py_buffer(packed)]
    ways = pa.Array.from_buffers(bits, len(packed), buffers).dictionary_encode()
    texts = [_text(observed, way, outside.shape[1]) for way in ways.dictionary.to_pylist()]
    return pa.array(texts, pa.string()).take(ways.indices)


def _text(observed: ObservedRanges, packed: bytes, checks: int) -> str | None:
    bits = np.unpackbits(np.frombuffer(packed, np.uint8), count=checks)
    return "; ".join(observed.sentences(np.flatnonzero(bits))) or None


log = logging.getLogger(__name__)

Predict = Callable[[Matrix], Columns]
"""Raises ScoringStopped, or any error of the model."""

NOT_SCORED = "the model could not score this row"
NOT_FINITE = "the score is not a finite number"


class Slice(NamedTuple):
    """Rows that are scored together or, with a reason, given up without being scored."""

    rows: range
    given_up: str = ""


Slices = Callable[[int, int], Iterator[Slice]]
"""Cuts rows into slices. Takes the number of the first row in its chunk, from which the slices count, and the
number of rows.
"""


def all_at_once(_: int, number: int) -> Iterator[Slice]:
    yield Slice(range(number))


def give_up_all(_: int, number: int) -> Iterator[Slice]:
    yield Slice(range(number), LOST_AROUND)


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


class RowScorer:
    """Scores rows of tables with one model; `types` are those of the columns that `predict` returns."""

    def __init__(
        self,
        schema: Schema,
        predict: Predict,
        types: Types,
        warn: Warn | None = None,
        matrix_type: type[np.floating[Any]] = np.float32,
    ) -> None:
        self.features = schema.names
        self.predict = predict
        self._types = types
        self._warn = warn
        self._check = ColumnCheck(schema, empty_is_null=False, matrix_type=matrix_type)
        self._check_csv = ColumnCheck(schema, empty_is_null=True, matrix_type=matrix_type)

    @classmethod
    def of(cls, bundle: Bundle, explain: bool = False, missing: Sequence[str] = ()) -> "RowScorer":
        """`missing` are texts that stand for no value, besides those of the bundle."""
        return cls(
            bundle.manifest.schema.with_missing(missing),
            predict_with(bundle, explain),
            types_of(bundle, explain),
            warn_by(bundle.observed) if bundle.manifest.warns else None,
            bundle.matrix_type,
        )

    def score(
        self, rows: Rows, slices: Iterable[Slice], of_csv: bool, predict: Predict | None = None
    ) -> Scores:
        """`slices` cover all rows, in order. `predict` may be another way to call the model."""
        check = self._check_csv if of_csv else self._check
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
                unscored = _predict(predict or self.predict, part, pieces, its_rows.start)
            for row in unscored:
                faults.setdefault(row, [RowFault("", given_up or NOT_SCORED)])
        columns = joined(pieces, self._types)
        for row in np.flatnonzero(not_finite(columns, rows.number)).tolist():
            faults.setdefault(row, [RowFault("", NOT_FINITE)])
        checked.matrix[list(faults)] = np.nan  # a failed row has no warnings
        return Scores(columns, faults, self._warn(checked.matrix) if self._warn else None)


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
        if is_out_of_memory(error):
            raise
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
