"""Scored rows as bytes: the parts of results and errors."""

from collections.abc import Callable, Sequence
from io import RawIOBase
from typing import Any

import numpy as np
import orjson
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet
from numpy.typing import NDArray

from jobs.files.store import Writable
from jobs.files.tables import Format
from model.description.schema import member_of
from model.tables.columns import MISSING
from worker.tables.passthrough import escaped, join, quote, quoted
from worker.tables.plan import Layout
from worker.tables.read import Rows
from worker.tables.score import Faults, RowFault, Scores

COMMA, LINE_END = ord(","), b"\n"


class PartWriter:
    """Writes scored rows in the format of the results. Use it in a `with` block."""

    def __init__(self, layout: Layout, part: Writable) -> None:
        self._layout = layout
        self._part = part
        self._parquet: pyarrow.parquet.ParquetWriter | None = None

    def __enter__(self) -> "PartWriter":
        return self

    def __exit__(self, *_: object) -> None:
        if self._parquet:
            self._parquet.close()

    def write(self, rows: Rows, scores: Scores) -> None:
        match self._layout.results:
            case Format.CSV:
                self._part.write(csv_lines(self._layout, rows, scores))
            case Format.NDJSON:
                self._part.write(ndjson_lines(self._layout, rows, scores))
            case Format.PARQUET:
                self.write_table(parquet_table(self._layout, rows, scores))

    def write_text(self, lines: bytes) -> None:
        self._part.write(lines)

    def write_table(self, table: pa.Table) -> None:
        self._parquet = self._parquet or _parquet_writer(self._layout, self._part, table.schema)
        self._parquet.write_table(table)


class _Sink(RawIOBase):
    """The file object that pyarrow needs to write to."""

    def __init__(self, part: Writable) -> None:
        self._part = part

    def writable(self) -> bool:
        return True

    def write(self, data: Any) -> int:
        self._part.write(data)
        return len(data)


def _parquet_writer(layout: Layout, part: Writable, schema: pa.Schema) -> pyarrow.parquet.ParquetWriter:
    """Scores hardly repeat, so that a dictionary of them costs time and room."""
    scores = {name for name in layout.scored if pa.types.is_floating(schema.field(name).type)}
    others: list[str] = [name for name in schema.names if name not in scores]
    # A column within a column is named by its whole path, which the schema does not know.
    nested = any(pa.types.is_nested(field.type) for field in schema)
    return pyarrow.parquet.ParquetWriter(
        pa.PythonFile(_Sink(part), mode="w"), schema, use_dictionary=True if nested else others
    )


def write_errors(scores: Scores, first: int, input_of: Callable[[int], bytes] | None = None) -> bytes:
    """An NDJSON line for each row with faults, in order. `first` is the number of the first row.

    `input_of` gives the features of a row, as JSON; without it the lines have none.
    """
    lines = []
    for row in sorted(scores.faults):
        errors = [
            {"pointer": member_of("", fault.feature) if fault.feature else "", "detail": fault.detail}
            for fault in scores.faults[row]
        ]
        given = b"" if input_of is None else b',"input":' + input_of(row)
        lines.append(b'{"row":%d,"errors":%b%b}\n' % (first + row, orjson.dumps(errors), given))
    return b"".join(lines)


def features_of(rows: Rows, row: int) -> bytes:
    """The features of a row as JSON, as a caller may correct them.

    Fields of CSV are texts, and features without a value are left out.
    """
    values = {name: _value_of(column, row) for name, column in rows.features.items()}
    present = {name: value for name, value in values.items() if value is not MISSING}
    return orjson.dumps(present, default=_text_of)


def _value_of(column: Any, row: int) -> Any:
    value = column[row]
    if isinstance(value, pa.Scalar):
        value = value.as_py()
    return _text_of(value) if isinstance(value, bytes) else value


def _text_of(value: object) -> str:
    return value.decode(errors="replace") if isinstance(value, bytes) else str(value)


def row_starts(layout: Layout, rows: Rows) -> list[bytes]:
    """The columns of each row that are passed through, as its line begins with them."""
    if layout.results is Format.CSV:
        before = _csv_starts(layout, rows)
        return before[0].to_pylist() if before else [b""] * rows.number
    return rows.passthrough.objects() or [b"{"] * rows.number


def text_rows(layout: Layout, rows: Rows, scores: Scores) -> list[bytes]:
    """The line of each row."""
    if layout.results is Format.CSV:
        lines: list[bytes] = _csv_array(layout, rows, scores).to_pylist()
        return lines
    return ndjson_rows(layout, rows, scores)


def csv_lines(layout: Layout, rows: Rows, scores: Scores) -> bytes:
    return _bytes_of(_csv_array(layout, rows, scores))


def _csv_starts(layout: Layout, rows: Rows) -> list[pa.Array]:
    passthrough = rows.passthrough.texts()
    if layout.escapes:
        passthrough = list(map(escaped, passthrough))
    return [join([*map(quoted, passthrough), _scalar(b"")], b",")] if layout.passthrough else []


def _csv_array(layout: Layout, rows: Rows, scores: Scores) -> pa.Array:
    before = _csv_starts(layout, rows)
    texts = [_texts(column, scores.faults, b",", _field) for column in scores.columns.values()]
    warnings = _warning_fields(rows, scores) if layout.warns else []
    return join([*before, *texts, *warnings, _line_ends(rows.number, scores.faults)], b"")


def _texts(column: NDArray[Any], faults: Faults, missing: bytes, encode: Callable[[Any], bytes]) -> pa.Array:
    """Each value with a comma: numbers in the shortest form that reads back the same, texts as `encode` gives
    them, and `missing` in rows with faults.
    """
    if column.dtype == object:
        return pa.array(
            [missing if row in faults else encode(text) + b"," for row, text in enumerate(column)]
        )
    text = orjson.dumps(np.ascontiguousarray(column), option=orjson.OPT_SERIALIZE_NUMPY)[1:-1] + b","
    ends = np.flatnonzero(np.frombuffer(text, np.uint8) == COMMA) + 1
    offsets = pa.py_buffer(np.concatenate([[0], ends]).astype(np.int32))
    texts = pa.Array.from_buffers(pa.binary(), len(column), [None, offsets, pa.py_buffer(text)])
    return pc.if_else(pa.array(_mask(len(column), faults)), _scalar(missing), texts) if faults else texts


def _field(text: str) -> bytes:
    return quote(text.encode())


def _warning_fields(rows: Rows, scores: Scores) -> list[pa.Array | pa.Scalar]:
    """The warnings of each row, unless no row has any, and a comma."""
    warnings = _warnings(rows, scores)
    any_given = warnings.null_count < len(warnings)
    return [*([quoted(warnings.cast(pa.binary()))] if any_given else []), _scalar(b",")]


def _line_ends(number: int, faults: Faults) -> pa.Array | pa.Scalar:
    """The error of each row and its line end."""
    if not faults:
        return _scalar(LINE_END)
    errors = [LINE_END] * number
    for row, found in faults.items():
        errors[row] = quote(sentence_of(found).encode()) + LINE_END
    return pa.array(errors, pa.binary())


def ndjson_lines(layout: Layout, rows: Rows, scores: Scores) -> bytes:
    return b"".join(ndjson_rows(layout, rows, scores))


def ndjson_rows(layout: Layout, rows: Rows, scores: Scores) -> list[bytes]:
    *names, error = [orjson.dumps(name) + b":" for name in layout.scored]
    warnings = [names.pop()] if layout.warns else []
    columns = [
        [name + text for text in _texts(column, scores.faults, b"null,", orjson.dumps).to_pylist()]
        for name, column in zip(names, scores.columns.values(), strict=True)
    ]
    columns += [
        [name + orjson.dumps(text) + b"," for text in _warnings(rows, scores).to_pylist()]
        for name in warnings
    ]
    starts = rows.passthrough.objects() or [b"{"] * rows.number  # no column is passed through
    lines = []
    for row, (start, *texts) in enumerate(zip(starts, *columns, strict=True)):
        comma = b"" if start == b"{" else b","
        found = scores.faults.get(row)
        sentence = orjson.dumps(sentence_of(found)) if found else b"null"
        lines.append(b"%b%b%b%b%b}\n" % (start, comma, b"".join(texts), error, sentence))
    return lines


def parquet_table(layout: Layout, rows: Rows, scores: Scores) -> pa.Table:
    *names, error = layout.scored
    warnings = [names.pop()] if layout.warns else []
    columns: dict[str, Any] = rows.passthrough.arrays()
    mask = _mask(rows.number, scores.faults)
    for name, column in zip(names, scores.columns.values(), strict=True):
        # Without its type, a column of texts that all failed would have another one than in other parts.
        kind = pa.string() if column.dtype == object else None
        columns[name] = pa.array(column, kind, mask=mask)
    columns |= {name: _warnings(rows, scores) for name in warnings}
    errors: list[str | None] = [None] * rows.number
    for row, found in scores.faults.items():
        errors[row] = sentence_of(found)
    return pa.table({**columns, error: pa.array(errors, pa.string())})


def _warnings(rows: Rows, scores: Scores) -> pa.Array:
    return pa.nulls(rows.number, pa.string()) if scores.warnings is None else scores.warnings


def sentence_of(faults: Sequence[RowFault]) -> str:
    return "; ".join(f"{fault.feature} {fault.detail}".lstrip() for fault in faults)


def _mask(number: int, faults: Faults) -> NDArray[np.bool_]:
    mask = np.zeros(number, dtype=bool)
    mask[list(faults)] = True
    return mask


def _scalar(value: bytes) -> pa.Scalar:
    return pa.scalar(value, pa.binary())


def _bytes_of(lines: pa.Array) -> bytes:
    """All lines joined: in the memory of the array they are adjacent already."""
    _, offsets, data = lines.buffers()
    ends = np.frombuffer(offsets, np.int32)
    return bytes(data[int(ends[lines.offset]) : int(ends[lines.offset + len(lines)])]) if data else b""
