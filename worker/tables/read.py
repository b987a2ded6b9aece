"""Chunks as rows: the columns of features as arrays, and all other columns for the results."""

from collections.abc import Iterator, Mapping
from io import RawIOBase
from typing import Any, NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv

from jobs.errors import FilesUnavailable, InvalidTable
from jobs.files.json_lines import (
    DEEPEST,
    ExactNumber,
    is_too_deep,
    plain_number,
    read_object,
    with_exact_numbers,
)
from jobs.files.store import MIB, FileStore
from jobs.files.tables import NOT_UTF8, Format, read_exactly
from model.tables.columns import MISSING, ColumnValues
from model.tables.dialect import GROUPED
from worker.limits import (
    JSON_VALUES,
    check_room,
    is_out_of_memory,
    is_overfull,
    json_values,
    rows_at_once,
)
from worker.tables.cut import Chunk
from worker.tables.groups import PARQUET_ROWS, read_group, read_schema
from worker.tables.passthrough import ArrowColumns, CsvColumns, JsonMembers, Passthrough
from worker.tables.plan import ENCRYPTED, Layout, is_encrypted

_EXCHANGED = bytes.maketrans(b",.", b".,")
MAY_BE_THOUSANDS = "may have a fraction with three digits, or thousands; name the decimal of the file"
LOST_AROUND = "every worker that tried the rows around this one was lost"
TOO_MANY_VALUES = f"has more than {JSON_VALUES} values"
NAME_IN_USE = "has a member with the name of a column that results add; choose a prefix: ?prefix=scored_"


CSV_BYTES, CSV_BYTES_OF_COLUMN = 24 * MIB, 2 * 1024
"""What the reader of CSV takes for itself, and for a column."""


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
    """The rows of a chunk, in blocks. Raises InvalidTable if its row groups are damaged."""
    with files.open(name) as file:
        if layout.input is Format.PARQUET:
            yield from _intact(_read_group(file, layout, features, chunk), chunk)
            return
        block = read_exactly(file, chunk.start, chunk.end)
    if layout.input is Format.CSV:
        yield _read_csv(block, layout, features)
    else:
        for lines in _lines_that_fit(block):
            yield _read_ndjson(lines, layout, features)


def unread_rows(
    files: FileStore, name: str, layout: Layout, features: tuple[str, ...], chunk: Chunk
) -> Iterator[Rows]:
    """The rows of a chunk of Parquet that is given up, without any value, because reading it may be fatal.

    Raises what `read_rows` raises.
    """
    yield from _intact(_unread_rows(files, name, layout, features, chunk), chunk)


def _unread_rows(
    files: FileStore, name: str, layout: Layout, features: tuple[str, ...], chunk: Chunk
) -> Iterator[Rows]:
    with files.open(name) as file:
        schema = read_schema(file, layout.passthrough)
    for start in range(0, chunk.rows, PARQUET_ROWS):
        number = min(chunk.rows - start, PARQUET_ROWS)
        nothing = {field.name: pa.nulls(number, field.type) for field in schema}
        found = dict.fromkeys(features, pa.nulls(number))
        yield Rows(number, found, ArrowColumns(nothing), dict.fromkeys(range(number), LOST_AROUND))


def rows_of_objects(lines: list[bytes], features: tuple[str, ...]) -> Rows:
    """Rows of features alone, each a JSON object."""
    layout = Layout(Format.NDJSON, Format.NDJSON, features, passthrough=(), scored=())
    return _read_ndjson(b"\n".join(lines), layout, features)


def _read_csv(block: bytes, layout: Layout, features: tuple[str, ...]) -> Rows:
    if _is_utf8(block):
        columns, count, broken = _parse_csv(block, layout)
    else:  # pyarrow reads the rows that it cannot parse as text, and needs something that is
        columns, count, broken = _parse_csv(block.decode("latin-1").encode(), layout)
        columns, undecodable = _replace_invalid_utf8(columns)
        broken |= undecodable
    passthrough = CsvColumns({name: columns[name] for name in layout.passthrough})
    found = {name: columns[name] for name in features if name in columns}
    for name in found.keys() & set(layout.decimal_commas):
        found[name] = _with_decimal_points(found[name])
    for name in found.keys() & set(layout.unknown_decimals):
        broken |= dict.fromkeys(_grouped(found[name]), f"{name} {MAY_BE_THOUSANDS}")
    return Rows(count, found, passthrough, broken)


def _is_utf8(block: bytes) -> bool:
    try:
        return block.isascii() or bool(block.decode())
    except UnicodeDecodeError:
        return False


def _grouped(array: pa.Array) -> list[int]:
    """The rows whose number may have a fraction with three digits, or thousands."""
    matches = pc.match_substring_regex(array, rf"^\s*{GROUPED}\s*$").fill_null(False)
    rows: list[int] = np.flatnonzero(matches.to_numpy(zero_copy_only=False)).tolist()
    return rows


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
    check_room(_csv_bytes(block, layout))
    try:
        table = pyarrow.csv.read_csv(
            pa.py_buffer(block),
            pyarrow.csv.ReadOptions(use_threads=False, column_names=numbers, block_size=len(block) + 1),
            pyarrow.csv.ParseOptions(
                delimiter=layout.delimiter, newlines_in_values=b'"' in block, invalid_row_handler=note
            ),
            pyarrow.csv.ConvertOptions(
                column_types=dict.fromkeys(numbers, pa.binary()),
                null_values=[],
                true_values=[],
                false_values=[],
            ),
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


def _csv_bytes(block: bytes, layout: Layout) -> int:
    """How much memory the block takes while it is read, about; see check_room."""
    values = block.count(layout.delimiter.encode()) + block.count(b"\n")
    return CSV_BYTES + 3 * len(block) + 8 * values + CSV_BYTES_OF_COLUMN * len(layout.names)


def _positions(count: int, broken: Mapping[int, str]) -> pa.Array:
    """For each row its position among the rows that are not broken; null for a broken row."""
    positions, position = [], 0
    for row in range(count):
        positions.append(None if row in broken else position)
        position += row not in broken
    return pa.array(positions, pa.int64())


def _replace_invalid_utf8(columns: dict[str, pa.Array]) -> tuple[dict[str, pa.Array], dict[int, str]]:
    """The columns with replacement characters for bytes that are not UTF-8, and the rows with such bytes.

    The columns are of a text that was read as Latin-1, which has a character for each byte.
    """
    undecodable: dict[int, str] = {}
    decoded = {}
    for name, array in columns.items():
        values = [value and value.decode().encode("latin-1") for value in array.to_pylist()]
        replaced = [value and value.decode(errors="replace").encode() for value in values]
        undecodable |= {row: NOT_UTF8 for row, value in enumerate(values) if value != replaced[row]}
        decoded[name] = pa.array(replaced, pa.binary())
    return decoded, undecodable


def _lines_that_fit(block: bytes) -> Iterator[bytes]:
    """Cuts the block after lines, so that each part has about JSON_VALUES."""
    size, start = len(block) // (json_values(block) // JSON_VALUES + 1) + 1, 0
    while start < len(block):
        end = block.find(b"\n", start + size - 1) + 1 or len(block)
        yield block[start:end]
        start = end


def _read_ndjson(block: bytes, layout: Layout, features: tuple[str, ...]) -> Rows:
    broken: dict[int, str] = {}
    rows: list[dict[str, Any]] = []
    columns = None if layout.results is Format.NDJSON else {*layout.passthrough, *features}
    dropped = frozenset(features) - frozenset(layout.passthrough)
    for line in filter(bytes.strip, block.split(b"\n")):
        row = None if is_overfull(line) else read_object(line)
        if row is None:
            broken[len(rows)] = TOO_MANY_VALUES if is_overfull(line) else "is not a JSON object"
        elif is_too_deep(row, line):
            broken[len(rows)] = f"is nested more than {DEEPEST} levels deep"
            row = None
        elif not row.keys().isdisjoint(layout.scored):
            broken[len(rows)] = NAME_IN_USE
            row = None
        elif columns is not None and not row.keys() <= columns:
            late = next(name for name in row if name not in columns)
            broken[len(rows)] = (
                f"has the member {late!r}, for which the results have no column; send results=ndjson"
            )
        rows.append(with_exact_numbers(row, line, dropped) if row else {})
    values = {name: [row.get(name, MISSING) for row in rows] for name in features}
    for column in values.values():
        if ExactNumber in set(map(type, column)):
            column[:] = map(plain_number, column)
    return Rows(len(rows), values, JsonMembers(rows, layout.passthrough, features), broken)


def _read_group(file: RawIOBase, layout: Layout, features: tuple[str, ...], chunk: Chunk) -> Iterator[Rows]:
    wanted = {*features, *layout.passthrough}
    names = [name for name in layout.names if name in wanted]
    most = rows_at_once(len(features) + len(layout.scored), layout.repeated, PARQUET_ROWS)
    for block in read_group(file, chunk, names, most, layout.results is not Format.PARQUET):
        columns = dict(zip(block.schema.names, block.columns, strict=True))
        passthrough = ArrowColumns({name: columns[name] for name in layout.passthrough})
        found = {name: columns[name] for name in features if name in columns}
        yield Rows(block.num_rows, found, passthrough, {})


def _intact(blocks: Iterator[Rows], chunk: Chunk) -> Iterator[Rows]:
    """Raises InvalidTable for the many errors that pyarrow has for a damaged row group."""
    try:
        yield from blocks
    except FilesUnavailable:
        raise
    except (pa.ArrowException, OSError) as error:
        if is_out_of_memory(error):
            raise
        if is_encrypted(error):
            raise InvalidTable(ENCRYPTED) from error
        last = chunk.group + chunk.groups - 1
        which = f"row groups {chunk.group} to {last}" if chunk.groups > 1 else f"row group {last}"
        raise InvalidTable(f"{which} cannot be read; the file is damaged") from error


def _combined(column: pa.ChunkedArray) -> pa.Array:
    return column.chunk(0) if column.num_chunks == 1 else column.combine_chunks()
