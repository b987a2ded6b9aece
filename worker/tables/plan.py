"""Looks at a file once before it is scored: how its table is laid out, and where it is cut into chunks."""

import codecs
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, replace
from io import RawIOBase
from typing import NamedTuple

import numpy as np
import orjson
import pyarrow as pa
import pyarrow.parquet
from numpy.typing import NDArray

from jobs.errors import InvalidTable
from jobs.files.json_lines import read_object
from jobs.files.store import FileStore
from jobs.files.tables import (
    LONGEST_RECORD,
    Format,
    check_columns,
    check_text,
    field_pattern,
    read_exactly,
    read_header,
)
from model.description.schema import Schema
from model.description.similar import similar_name
from model.tables.dialect import Dialect, UnclearDialect, decimal_features, find_dialect


@dataclass(frozen=True)
class Layout:
    """The columns of a table.

    `names` are those of the input (of NDJSON, those of its first rows), `passthrough` those of them that the
    results have too, and `scored` those that results add: the outputs of the model, the warnings if it
    `warns`, and the error. `delimiter` separates the fields of CSV, and the columns in `decimal_commas` have
    numbers with a decimal comma.
    """

    input: Format
    results: Format
    names: tuple[str, ...]
    passthrough: tuple[str, ...]
    scored: tuple[str, ...]
    warns: bool = False
    delimiter: str = ","
    decimal_commas: tuple[str, ...] = ()

    def to_json(self) -> bytes:
        """The passthrough columns are called `kept` here, because workers of the previous release read it."""
        fields = asdict(self)
        fields["kept"] = fields.pop("passthrough")
        return orjson.dumps(fields)

    @classmethod
    def from_json(cls, text: bytes) -> "Layout":
        fields = orjson.loads(text)
        return cls(
            input=Format(fields["input"]),
            results=Format(fields["results"]),
            names=tuple(fields["names"]),
            passthrough=tuple(fields["kept"]),
            scored=tuple(fields["scored"]),
            warns=fields["warns"],
            delimiter=fields["delimiter"],
            decimal_commas=tuple(fields["decimal_commas"]),
        )


class Chunk(NamedTuple):
    """The bytes from start to end of a file; of Parquet, the rows from start to end of a row group."""

    start: int
    end: int
    group: int = 0
    rows: int = 0
    """As counted before the chunk is parsed; blank lines and quoted line ends count too."""
    size: int = 0
    """In bytes."""

    def to_text(self) -> str:
        return ":".join(map(str, self))

    @classmethod
    def from_text(cls, text: str) -> "Chunk":
        return cls(*map(int, text.split(":")))


def passthrough_names(request: "TableRequest", names: Sequence[str]) -> tuple[str, ...]:
    """`include_inputs` adds the features, also those that the first rows of NDJSON do not have."""
    features = request.schema.names
    if not request.include_inputs:
        return tuple(name for name in names if name not in set(features))
    late = features if request.input is Format.NDJSON else ()
    return tuple(dict.fromkeys((*names, *late)))


CHUNK = 8 * 1024 * 1024
"""About how many bytes a chunk has."""
MOST_ROWS = 131_072
"""Rows of a chunk of lines at most: what is computed for a row takes more memory than a short line."""
EXPLAINED_COSTS = 64
"""Explaining a row takes about so many times as long as scoring it."""
EXPLAINED_CHUNK = CHUNK // EXPLAINED_COSTS
LAST_GROUP_CHUNKS = 4
"""The last row group is cut into so many chunks, so that the consumers of a file finish together."""

QUOTE = b'"'
LINE_END = ord("\n")


def cut_lines(
    file: RawIOBase, start: int, size: int, delimiter: str = "", chunk: int = CHUNK, most: int = MOST_ROWS
) -> Iterator[Chunk]:
    """Cuts after line ends; with the `delimiter` of CSV, never within a quoted field.

    A chunk has about `chunk` bytes, and at most `most` rows.
    Raises InvalidTable with the line of a record that is too long, or whose quote is never closed.
    """
    while start < size:
        reach, length = chunk, 0
        while not length:
            block = read_exactly(file, start, min(start + reach, size))
            length = _last_record_end(block, delimiter)
            if start + len(block) == size:
                if delimiter and not _ends_outside_quotes(block, length, delimiter):
                    raise _endless_record(file, start + length)
                length = len(block)
            elif not length and reach > LONGEST_RECORD:
                raise _endless_record(file, start)
            reach += chunk
        lines = int(np.count_nonzero(np.frombuffer(block, np.uint8, length) == LINE_END))
        rows = lines + (block[length - 1] != LINE_END)
        if rows > most and length * most // rows < chunk:
            chunk = length * most // rows
            continue
        yield Chunk(start, start + length, rows=rows, size=length)
        start += length


def cut_groups(groups: list[tuple[int, int]], chunk: int = CHUNK, explain: bool = False) -> Iterator[Chunk]:
    """Chunks for row groups, which are given by rows and bytes: one for each, and several for the last.

    To be explained, each group is cut into many chunks; EXPLAINED_COSTS at most, because reading a chunk also
    reads everything before it in its group.
    """
    for number, (rows, size) in enumerate(groups):
        most = EXPLAINED_COSTS if explain else LAST_GROUP_CHUNKS if number == len(groups) - 1 else 1
        pieces = min(most, max(size // chunk, 1), max(rows, 1))
        for piece in range(pieces):
            start, end = rows * piece // pieces, rows * (piece + 1) // pieces
            if rows:
                yield Chunk(start, end, number, end - start, size // pieces)


def _last_record_end(block: bytes, delimiter: str) -> int:
    """The offset after the last complete record; 0 if there is none. The block starts with a record."""
    if not delimiter or QUOTE not in block:
        return block.rfind(b"\n") + 1
    data = np.frombuffer(block, np.uint8)
    quote_offsets = np.flatnonzero(data == QUOTE[0])
    if not _well_quoted(data, quote_offsets, delimiter):
        return _last_record_end_by_fields(block, delimiter)
    lines = np.flatnonzero(data == LINE_END)
    outside = lines[np.searchsorted(quote_offsets, lines) % 2 == 0]
    return int(outside[-1]) + 1 if outside.size else 0


def _well_quoted(data: NDArray[np.uint8], quote_offsets: NDArray[np.intp], delimiter: str) -> bool:
    """Whether quotes alternate: one opens a field or is doubled, the next closes it or is doubled."""
    beside = np.zeros(256, dtype=bool)
    beside[list(f'{delimiter}\r\n"'.encode())] = True
    opening, closing = quote_offsets[::2], quote_offsets[1::2]
    opens = beside[data[opening[opening > 0] - 1]]
    closes = beside[data[closing[closing < data.size - 1] + 1]]
    return bool(opens.all() and closes.all())


def _last_record_end_by_fields(block: bytes, delimiter: str) -> int:
    """The same, field by field: right for quotes anywhere, but slow."""
    at, end, field = 0, 0, field_pattern(delimiter)
    while at < len(block) and (match := field.match(block, at)):
        at = match.end()
        if match[1].endswith(b"\n"):
            end = at
    return end


def _ends_outside_quotes(block: bytes, at: int, delimiter: str) -> bool:
    """Whether the bytes from `at` to the end of the file, which needs no line end, are complete fields."""
    if QUOTE not in block[at:]:
        return True
    field = field_pattern(delimiter)
    while at < len(block) and (match := field.match(block, at)):
        at = match.end()
    return at == len(block)


def _endless_record(file: RawIOBase, offset: int) -> InvalidTable:
    """The error names the line that starts at the offset, counted from 1."""
    line = 1
    for at in range(0, offset, CHUNK):
        line += read_exactly(file, at, min(at + CHUNK, offset)).count(b"\n")
    limit = LONGEST_RECORD // (1024 * 1024)
    return InvalidTable(
        f"line {line}: this record does not end; close its quote, or keep it under {limit} MiB"
    )


FIRST_ROWS = 1_000
"""The first rows of NDJSON, whose members become the columns of CSV and Parquet results."""
VALUE_BYTES = 8
"""About how many bytes a number takes in CSV. The size of a Parquet row group does not predict how long it
takes to explain, because a million equal rows are packed into almost no bytes.
"""


class TableRequest(NamedTuple):
    """What the caller requests; `scored` are the columns that results add (see Layout), with their prefix."""

    input: Format
    results: Format
    schema: Schema
    scored: tuple[str, ...]
    include_inputs: bool = False
    dialect: Dialect = Dialect()
    warns: bool = False
    explain: bool = False


class Plan(NamedTuple):
    layout: Layout
    chunks: list[Chunk]


def plan(files: FileStore, name: str, request: TableRequest, chunk: int | None = None) -> Plan:
    """Cuts the file into chunks of about `chunk` bytes.

    Raises InvalidTable if the file is not such a table, or has no rows.
    """
    chunk = chunk or (EXPLAINED_CHUNK if request.explain else CHUNK)
    size = files.size(name)
    if not size:
        raise InvalidTable("the file is empty")
    with files.open(name) as file:
        match request.input:
            case Format.CSV:
                planned = _plan_csv(file, size, request, chunk)
            case Format.NDJSON:
                planned = _plan_ndjson(file, size, request, chunk)
            case Format.PARQUET:
                planned = _plan_parquet(file, size, request, chunk)
    if not planned.chunks:
        raise InvalidTable("the file has no rows")
    return planned


def _plan_csv(file: RawIOBase, size: int, request: TableRequest, chunk: int) -> Plan:
    start = read_exactly(file, 0, min(size, LONGEST_RECORD))
    check_text(start)
    try:
        delimiter, decimal = find_dialect(start, request.dialect, request.schema)
    except UnclearDialect as error:
        raise InvalidTable(str(error)) from None
    header = read_header(start, delimiter)
    check_columns(header.names, request.schema.required, request.scored, similar_name)
    chunks = list(cut_lines(file, header.end, size, delimiter, chunk=chunk))
    commas = decimal_features(request.schema) if decimal == "," else ()
    layout = replace(_layout(request, header.names), delimiter=delimiter, decimal_commas=commas)
    return Plan(layout, chunks)


def _plan_ndjson(file: RawIOBase, size: int, request: TableRequest, chunk: int) -> Plan:
    start = read_exactly(file, 0, min(size, LONGEST_RECORD))
    begin = len(codecs.BOM_UTF8) if start.startswith(codecs.BOM_UTF8) else 0
    lines = list(filter(bytes.strip, start[begin:].split(b"\n")))[:FIRST_ROWS]
    rows = [row for row in map(read_object, lines) if row is not None]
    if not rows:
        raise InvalidTable("line 1: none of the first lines is a JSON object; send one object on each line")
    names = tuple(dict.fromkeys(name for row in rows for name in row))
    check_columns(names, (), request.scored, similar_name)
    chunks = list(cut_lines(file, begin, size, chunk=chunk))
    return Plan(_layout(request, names), chunks)


def _plan_parquet(file: RawIOBase, size: int, request: TableRequest, chunk: int) -> Plan:
    try:
        metadata = pyarrow.parquet.read_metadata(file)
        names = tuple(metadata.schema.to_arrow_schema().names)
    except (pa.ArrowException, OSError) as error:
        if "decrypt" in str(error).lower() or "encrypt" in str(error).lower():
            raise InvalidTable("this Parquet file is encrypted; send it without encryption") from error
        raise InvalidTable("the file is not Parquet, or its end is missing") from error
    check_columns(names, request.schema.required, request.scored, similar_name)
    groups = [metadata.row_group(number) for number in range(metadata.num_row_groups)]
    if request.explain:
        row_bytes = VALUE_BYTES * len(request.schema.names)
        sizes = [(group.num_rows, group.num_rows * row_bytes) for group in groups]
    else:
        sizes = [(group.num_rows, group.total_byte_size) for group in groups]
    # Progress counts bytes of the file, and the unpacked size of a row group says little about those.
    chunks = [
        cut._replace(size=size * cut.rows // metadata.num_rows)
        for cut in cut_groups(sizes, chunk, request.explain)
    ]
    return Plan(_layout(request, names), chunks)


def _layout(request: TableRequest, names: tuple[str, ...]) -> Layout:
    passthrough = passthrough_names(request, names)
    return Layout(request.input, request.results, names, passthrough, request.scored, request.warns)
