"""Plans a batch: reads the layout of its file and decides where to cut it, before any row is scored."""

import codecs
from collections.abc import Sequence
from io import RawIOBase
from typing import NamedTuple

import pyarrow as pa
import pyarrow.parquet

from jobs.errors import InvalidTable
from jobs.files.store import FileStore, read_exactly
from jobs.files.tables import LONGEST_RECORD, Format, check_columns, read_header
from worker.tables.cut import CHUNK, EXPLAINED_CHUNK, cut_groups, cut_lines
from worker.tables.layout import Chunk, Layout, passthrough_names
from worker.tables.read import read_object

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
    features: Sequence[str]
    scored: tuple[str, ...]
    include_inputs: bool = False
    encoding: str = "utf-8"
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
    header = read_header(read_exactly(file, 0, min(size, LONGEST_RECORD)), request.encoding)
    check_columns(header.names, request.features, request.scored)
    chunks = list(cut_lines(file, header.end, size, quotes=True, chunk=chunk))
    return Plan(_layout(request, header.names), chunks)


def _plan_ndjson(file: RawIOBase, size: int, request: TableRequest, chunk: int) -> Plan:
    start = read_exactly(file, 0, min(size, LONGEST_RECORD))
    begin = len(codecs.BOM_UTF8) if start.startswith(codecs.BOM_UTF8) else 0
    lines = list(filter(bytes.strip, start[begin:].split(b"\n")))[:FIRST_ROWS]
    rows = [row for row in map(read_object, lines) if row is not None]
    if not rows:
        raise InvalidTable("line 1: none of the first lines is a JSON object; send one object on each line")
    names = tuple(dict.fromkeys(name for row in rows for name in row))
    check_columns(names, (), request.scored)
    chunks = list(cut_lines(file, begin, size, quotes=False, chunk=chunk))
    return Plan(_layout(request, names), chunks)


def _plan_parquet(file: RawIOBase, size: int, request: TableRequest, chunk: int) -> Plan:
    try:
        metadata = pyarrow.parquet.read_metadata(file)
        names = tuple(metadata.schema.to_arrow_schema().names)
    except (pa.ArrowException, OSError) as error:
        raise InvalidTable("the file is not Parquet, or its end is missing") from error
    check_columns(names, request.features, request.scored)
    groups = [metadata.row_group(number) for number in range(metadata.num_row_groups)]
    if request.explain:
        row_bytes = VALUE_BYTES * len(request.features)
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
    passthrough = passthrough_names(names, request.features, request.include_inputs)
    return Layout(
        request.input, request.results, names, passthrough, request.scored, request.encoding, request.warns
    )
