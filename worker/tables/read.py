"""Chunks as rows: the columns of features as arrays, and all other columns kept for the results."""

from abc import ABC, abstractmethod
from base64 import b64encode
from collections.abc import Iterator, Mapping, Sequence
from decimal import Decimal
from io import RawIOBase
from typing import Any, NamedTuple

import orjson
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv
import pyarrow.parquet

from jobs.files.json_lines import ExactNumber, plain_number, read_object, write_exactly
from jobs.files.store import FileStore
from jobs.files.tables import NOT_UTF8, Format, read_exactly
from model.tables.columns import MISSING, ColumnValues
from worker.tables.plan import Chunk, Layout

_EXCHANGED = bytes.maketrans(b",.", b".,")
_TO_BE_QUOTED = b'",\r\n'


class Passthrough(ABC):
    """The passthrough columns of some rows."""

    @abstractmethod
    def fields(self) -> list[pa.Array]:
        """For CSV: the texts of each column, quoted where necessary."""

    @abstractmethod
    def objects(self) -> list[bytes]:
        """For NDJSON: the object of each row, without its closing brace."""

    @abstractmethod
    def arrays(self) -> dict[str, pa.Array]:
        """For Parquet: the columns by name."""


class ArrowColumns(Passthrough):
    """Columns of a Parquet file."""

    def __init__(self, columns: Mapping[str, pa.Array]) -> None:
        self._columns = columns

    def fields(self) -> list[pa.Array]:
        return [quoted(_as_texts(array)) for array in self._columns.values()]

    def objects(self) -> list[bytes]:
        values = [_readable(array).to_pylist() for array in self._columns.values()]
        return [
            orjson.dumps(dict(zip(self._columns, row, strict=True)), default=_json_text)[:-1]
            for row in zip(*values, strict=True)
        ]

    def arrays(self) -> dict[str, pa.Array]:
        return dict(self._columns)


class CsvColumns(ArrowColumns):
    """Columns of a CSV file, as UTF-8 bytes."""

    def fields(self) -> list[pa.Array]:
        return [quoted(array) for array in self._columns.values()]

    def arrays(self) -> dict[str, pa.Array]:
        return {name: array.cast(pa.string()) for name, array in self._columns.items()}


class JsonMembers(Passthrough):
    """Members of JSON objects. As columns they are texts, and only the members in `names`."""

    def __init__(self, rows: Sequence[dict[str, Any]], names: Sequence[str], features: Sequence[str]) -> None:
        self._rows = rows
        self._names = names
        self._dropped = frozenset(features) - frozenset(names)

    def fields(self) -> list[pa.Array]:
        return [quoted(array.cast(pa.binary())) for array in self.arrays().values()]

    def objects(self) -> list[bytes]:
        dropped = self._dropped
        return [
            orjson.dumps(
                {name: value for name, value in row.items() if name not in dropped}, default=write_exactly
            )[:-1]
            for row in self._rows
        ]

    def arrays(self) -> dict[str, pa.Array]:
        return {
            name: pa.array([_as_text(row.get(name)) for row in self._rows], pa.string())
            for name in self._names
        }


def quoted(array: pa.Array) -> pa.Array:
    """Binary texts as CSV fields; null becomes an empty field."""
    array = array.fill_null(b"")
    data = array.buffers()[2]
    if data is None or not any(byte in data.to_pybytes() for byte in _TO_BE_QUOTED):
        return array
    return pa.array([quote(text) for text in array.to_pylist()], pa.binary())


def quote(text: bytes) -> bytes:
    if any(byte in text for byte in _TO_BE_QUOTED):
        return b'"' + text.replace(b'"', b'""') + b'"'
    return text


def _as_texts(array: pa.Array) -> pa.Array:
    array = _readable(array)
    if pa.types.is_nested(array.type):
        return pa.array([_as_text(value) for value in array.to_pylist()], pa.string()).cast(pa.binary())
    return array.cast(pa.string()).cast(pa.binary())


def _readable(array: pa.Array) -> pa.Array:
    """Without dictionaries; times as texts, and bytes as texts, or as base64 where they are not UTF-8."""
    if pa.types.is_dictionary(array.type):
        array = array.dictionary_decode()
    if pa.types.is_binary(array.type) or pa.types.is_large_binary(array.type):
        try:
            return array.cast(pa.string())
        except pa.ArrowInvalid:
            return pa.array([value and _bytes_as_text(value) for value in array.to_pylist()], pa.string())
    if pa.types.is_timestamp(array.type) or pa.types.is_date(array.type) or pa.types.is_time(array.type):
        return array.cast(pa.string())
    return array


def _bytes_as_text(value: bytes) -> str:
    try:
        return value.decode()
    except UnicodeDecodeError:
        return f"base64:{b64encode(value).decode()}"


def _json_text(value: object) -> object:
    """What orjson writes for a value that it does not know."""
    if isinstance(value, ExactNumber):
        return write_exactly(value)
    if isinstance(value, Decimal):
        return orjson.Fragment(str(value))
    return _bytes_as_text(value) if isinstance(value, bytes) else str(value)


def _as_text(value: object) -> str | None:
    if value is None or isinstance(value, str):
        return value
    return orjson.dumps(value, default=_json_text).decode()


def join(columns: Sequence[pa.Array | pa.Scalar], separator: bytes) -> pa.Array:
    """The texts of each row, joined."""
    return pc.binary_join_element_wise(*columns, pa.scalar(separator, pa.binary()))


PARQUET_ROWS = 65_536
"""Rows of a Parquet file that are read at a time."""

NAME_IN_USE = "has a member with the name of a column that results add; choose a prefix: ?prefix=scored_"


ENCRYPTED = "this Parquet file is encrypted, or some of its columns are; send it without encryption"


def is_encrypted(error: Exception) -> bool:
    """Whether pyarrow says so; it has no error of its own for that."""
    return "decrypt" in str(error).lower()


class Rows(NamedTuple):
    """`number` rows. Rows that could not be parsed are `broken`: they have a reason and no values."""

    number: int
    features: Mapping[str, ColumnValues]
    passthrough: Passthrough
    broken: Mapping[int, str]

    def first(self, most: int) -> "Rows":
        """At most so many rows, for scoring only: `passthrough` is not cut."""
        features = {name: column[:most] for name, column in self.features.items()}
        broken = {row: reason for row, reason in self.broken.items() if row < most}
        return Rows(min(self.number, most), features, self.passthrough, broken)


def read_rows(
    files: FileStore, name: str, layout: Layout, features: tuple[str, ...], chunk: Chunk
) -> Iterator[Rows]:
    """The rows of a chunk, in blocks."""
    with files.open(name) as file:
        if layout.input is Format.PARQUET:
            yield from _read_group(file, layout, features, chunk)
            return
        block = read_exactly(file, chunk.start, chunk.end)
    if layout.input is Format.CSV:
        yield _read_csv(block, layout, features)
    else:
        yield _read_ndjson(block, layout, features)


def _read_csv(block: bytes, layout: Layout, features: tuple[str, ...]) -> Rows:
    columns, count, broken = _parse_csv(block, layout)
    if not block.isascii():
        columns, undecodable = _replace_invalid_utf8(columns)
        broken |= undecodable
    passthrough = CsvColumns({name: columns[name] for name in layout.passthrough})
    found = {name: columns[name] for name in features if name in columns}
    for name in found.keys() & set(layout.decimal_commas):
        found[name] = _with_decimal_points(found[name])
    return Rows(count, found, passthrough, broken)


def _with_decimal_points(array: pa.Array) -> pa.Array:
    """Texts with comma and point exchanged, so that a point for thousands is not taken for a decimal one."""
    validity, offsets, data = array.buffers()
    exchanged = pa.py_buffer(data.to_pybytes().translate(_EXCHANGED)) if data else None
    buffers = [validity, offsets, exchanged]
    return pa.Array.from_buffers(array.type, len(array), buffers, offset=array.offset)


def _parse_csv(block: bytes, layout: Layout) -> tuple[dict[str, pa.Array], int, dict[int, str]]:
    """The columns as bytes without quotes, the number of rows, and the rows with a wrong number of fields."""
    broken: dict[int, str] = {}

    def note(row: pyarrow.csv.InvalidRow) -> str:
        # `number` is known only without threads. It counts from 1 and skips empty lines.
        broken[row.number - 1] = f"has {row.actual_columns} fields, the header has {row.expected_columns}"
        return "skip"

    numbers = [str(number) for number in range(len(layout.names))]
    try:
        table = pyarrow.csv.read_csv(
            pa.py_buffer(block),
            pyarrow.csv.ReadOptions(use_threads=False, column_names=numbers, block_size=len(block) + 1),
            pyarrow.csv.ParseOptions(
                delimiter=layout.delimiter, newlines_in_values=b'"' in block, invalid_row_handler=note
            ),
            pyarrow.csv.ConvertOptions(column_types=dict.fromkeys(numbers, pa.binary())),
        )
    except pa.ArrowInvalid as error:
        if not block.strip(b"\r\n"):
            return {name: pa.array([], pa.binary()) for name in layout.names}, 0, {}
        raise ValueError("a chunk of CSV could not be parsed") from error
    count = table.num_rows + len(broken)
    arrays = [_combined(column) for column in table.columns]
    if broken:
        positions = _positions(count, broken)
        arrays = [array.take(positions) for array in arrays]
    return dict(zip(layout.names, arrays, strict=True)), count, broken


def _positions(count: int, broken: Mapping[int, str]) -> pa.Array:
    """For each row its position among the rows that are not broken; null for a broken row."""
    positions, position = [], 0
    for row in range(count):
        positions.append(None if row in broken else position)
        position += row not in broken
    return pa.array(positions, pa.int64())


def _replace_invalid_utf8(columns: dict[str, pa.Array]) -> tuple[dict[str, pa.Array], dict[int, str]]:
    """The columns with replacement characters for bytes that are not UTF-8, and the rows with such bytes."""
    undecodable: dict[int, str] = {}
    decodable = dict(columns)
    for name, array in columns.items():
        try:
            array.cast(pa.string())
        except pa.ArrowInvalid:
            values = array.to_pylist()
            replaced = [value and value.decode(errors="replace").encode() for value in values]
            undecodable |= {row: NOT_UTF8 for row, value in enumerate(values) if value != replaced[row]}
            decodable[name] = pa.array(replaced, pa.binary())
    return decodable, undecodable


def _read_ndjson(block: bytes, layout: Layout, features: tuple[str, ...]) -> Rows:
    broken: dict[int, str] = {}
    rows: list[dict[str, Any]] = []
    columns = None if layout.results is Format.NDJSON else {*layout.passthrough, *features}
    for line in filter(bytes.strip, block.split(b"\n")):
        row = read_object(line)
        if row is None:
            broken[len(rows)] = "is not a JSON object"
        elif not row.keys().isdisjoint(layout.scored):
            broken[len(rows)] = NAME_IN_USE
            row = None
        elif columns is not None and not row.keys() <= columns:
            late = next(name for name in row if name not in columns)
            broken[len(rows)] = (
                f"has the member {late!r}, for which the results have no column; send results=ndjson"
            )
        rows.append(row or {})
    values = {name: [plain_number(row.get(name, MISSING)) for row in rows] for name in features}
    return Rows(len(rows), values, JsonMembers(rows, layout.passthrough, features), broken)


def _read_group(file: RawIOBase, layout: Layout, features: tuple[str, ...], chunk: Chunk) -> Iterator[Rows]:
    # No read-ahead and a small buffer, because a row group may be larger than memory.
    source = pyarrow.parquet.ParquetFile(file, pre_buffer=False, buffer_size=1024 * 1024)
    names = [name for name in layout.names if name in features or name in layout.passthrough]
    at = 0
    for batch in source.iter_batches(PARQUET_ROWS, [chunk.group], names, use_threads=False):
        first, last = max(chunk.start - at, 0), min(chunk.end - at, batch.num_rows)
        at += batch.num_rows
        if first < last:
            block = batch.slice(first, last - first)
            columns = dict(zip(block.schema.names, block.columns, strict=True))
            passthrough = ArrowColumns({name: columns[name] for name in layout.passthrough})
            found = {name: columns[name] for name in features if name in columns}
            yield Rows(block.num_rows, found, passthrough, {})
        if at >= chunk.end:
            break


def _combined(column: pa.ChunkedArray) -> pa.Array:
    return column.chunk(0) if column.num_chunks == 1 else column.combine_chunks()
