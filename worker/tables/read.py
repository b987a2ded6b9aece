"""Chunks as rows: the columns of features by array, and all else kept for the results."""

import json
from collections.abc import Iterator, Mapping
from io import RawIOBase
from typing import Any, NamedTuple, NoReturn

import orjson
import pyarrow as pa
import pyarrow.csv
import pyarrow.parquet

from jobs.files.store import FileStore, read_exactly
from jobs.files.tables import Format
from model.tables.columns import MISSING, ColumnValues
from worker.tables.layout import Chunk, Layout
from worker.tables.passthrough import Arrays, Fields, Members, Passthrough

AT_ONCE = 65_536
"""Rows of a Parquet file that are read together."""

NO_UTF8 = "is no UTF-8; name the file's encoding, as in text/csv; charset=iso-8859-1"


class Rows(NamedTuple):
    """Those that are `broken` have no values; it says why."""

    number: int
    features: Mapping[str, ColumnValues]
    kept: Passthrough
    broken: Mapping[int, str]

    def first(self, most: int) -> "Rows":
        """Not more than so many of them, to look at: `kept` stays as it is."""
        features = {name: column[:most] for name, column in self.features.items()}
        broken = {row: why for row, why in self.broken.items() if row < most}
        return Rows(min(self.number, most), features, self.kept, broken)


def read_rows(
    files: FileStore, name: str, layout: Layout, features: tuple[str, ...], chunk: Chunk
) -> Iterator[Rows]:
    """The rows of a chunk, some at a time."""
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
    if layout.encoding != "utf-8":
        block = block.decode(layout.encoding).encode()
    columns, count, broken = _parse_csv(block, layout)
    if not block.isascii():
        columns, strange = _require_utf8(columns)
        broken |= strange
    kept = Fields({name: columns[name] for name in layout.kept})
    return Rows(count, {name: columns[name] for name in features}, kept, broken)


def _parse_csv(block: bytes, layout: Layout) -> tuple[dict[str, pa.Array], int, dict[int, str]]:
    """The fields of each column as they are written, without quotes; lines of another length are broken."""
    broken: dict[int, str] = {}

    def note(row: pyarrow.csv.InvalidRow) -> str:
        # Without threads its number is known; it counts from 1, without empty lines.
        broken[row.number - 1] = f"has {row.actual_columns} fields, the header has {row.expected_columns}"
        return "skip"

    width = [str(place) for place in range(len(layout.names))]
    try:
        table = pyarrow.csv.read_csv(
            pa.py_buffer(block),
            pyarrow.csv.ReadOptions(use_threads=False, column_names=width, block_size=len(block) + 1),
            pyarrow.csv.ParseOptions(newlines_in_values=b'"' in block, invalid_row_handler=note),
            pyarrow.csv.ConvertOptions(column_types=dict.fromkeys(width, pa.binary())),
        )
    except pa.ArrowInvalid as error:
        if not block.strip(b"\r\n"):
            return {name: pa.array([], pa.binary()) for name in layout.names}, 0, {}
        raise ValueError("a chunk of CSV could not be parsed") from error
    count = table.num_rows + len(broken)
    arrays = [_one(column) for column in table.columns]
    if broken:
        places = _places(count, broken)
        arrays = [array.take(places) for array in arrays]
    return dict(zip(layout.names, arrays, strict=True)), count, broken


def _places(count: int, broken: Mapping[int, str]) -> pa.Array:
    """For each row its place among those that are not broken; none for those that are."""
    places, place = [], 0
    for row in range(count):
        places.append(None if row in broken else place)
        place += row not in broken
    return pa.array(places, pa.int64())


def _require_utf8(columns: dict[str, pa.Array]) -> tuple[dict[str, pa.Array], dict[int, str]]:
    """The columns with marks for bytes that are no UTF-8, and the rows that have such."""
    strange: dict[int, str] = {}
    mended = dict(columns)
    for name, array in columns.items():
        try:
            array.cast(pa.string())
        except pa.ArrowInvalid:
            values = array.to_pylist()
            marked = [value and value.decode(errors="replace").encode() for value in values]
            strange |= {row: NO_UTF8 for row, value in enumerate(values) if value != marked[row]}
            mended[name] = pa.array(marked, pa.binary())
    return mended, strange


def _read_ndjson(block: bytes, layout: Layout, features: tuple[str, ...]) -> Rows:
    broken: dict[int, str] = {}
    rows: list[dict[str, Any]] = []
    columns = None if layout.results is Format.NDJSON else {*layout.kept, *features}
    for line in filter(bytes.strip, block.split(b"\n")):
        row = read_object(line)
        if row is None:
            broken[len(rows)] = "is no JSON object"
        elif not row.keys().isdisjoint(layout.scored):
            broken[len(rows)] = "has a member with a name that results use; give a prefix for theirs"
            row = None
        elif columns is not None and not row.keys() <= columns:
            late = next(name for name in row if name not in columns)
            broken[len(rows)] = f"has {late!r}, for which the results have no column; ask for results=ndjson"
        rows.append(row or {})
    values = {name: [row.get(name, MISSING) for row in rows] for name in features}
    return Rows(len(rows), values, Members(rows, layout.kept, features), broken)


def read_object(line: bytes) -> dict[str, Any] | None:
    """None if it is no object. A number beyond any float is JSON all the same; it is refused in its place."""
    try:
        row = orjson.loads(line)
    except orjson.JSONDecodeError:
        try:
            row = json.loads(line, parse_constant=_refuse, parse_int=_read_integer)
            orjson.dumps(row)
        except (ValueError, TypeError, RecursionError):
            return None
    return row if isinstance(row, dict) else None


def _refuse(constant: str) -> NoReturn:
    raise ValueError(constant)


def _read_integer(digits: str) -> float:
    return float(digits)  # those that orjson cannot read are beyond 64 bits


def _read_group(file: RawIOBase, layout: Layout, features: tuple[str, ...], chunk: Chunk) -> Iterator[Rows]:
    # Neither read ahead nor buffered whole: a row group may be larger than memory.
    source = pyarrow.parquet.ParquetFile(file, pre_buffer=False, buffer_size=1024 * 1024)
    wanted = [name for name in layout.names if name in features or name in layout.kept]
    at = 0
    for batch in source.iter_batches(AT_ONCE, [chunk.group], wanted, use_threads=False):
        first, last = max(chunk.start - at, 0), min(chunk.end - at, batch.num_rows)
        at += batch.num_rows
        if first < last:
            some = batch.slice(first, last - first)
            columns = dict(zip(some.schema.names, some.columns, strict=True))
            kept = Arrays({name: columns[name] for name in layout.kept})
            yield Rows(some.num_rows, {name: columns[name] for name in features}, kept, {})
        if at >= chunk.end:
            break


def _one(column: pa.ChunkedArray) -> pa.Array:
    return column.chunk(0) if column.num_chunks == 1 else column.combine_chunks()
