"""Looks at a file once, before any of it is scored: how it is laid out, and where it is cut."""

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
from worker.tables.layout import Chunk, Layout, kept_names
from worker.tables.read import read_object

FIRST_ROWS = 1_000
"""Rows of NDJSON that tell which columns CSV and Parquet results have."""
VALUE = 8
"""Bytes of a number in a CSV file, about: Parquet may pack a million rows into next to none."""


class TableRequest(NamedTuple):
    """What a caller asks for; `scored` are the columns that results add, with the prefix; see Layout."""

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


def plan(files: FileStore, name: str, wanted: TableRequest, chunk: int | None = None) -> Plan:
    """Raises InvalidTable if the file is none, or lacks a column."""
    chunk = chunk or (EXPLAINED_CHUNK if wanted.explain else CHUNK)
    size = files.size(name)
    if not size:
        raise InvalidTable("the file is empty")
    with files.open(name) as file:
        match wanted.input:
            case Format.CSV:
                found = _plan_csv(file, size, wanted, chunk)
            case Format.NDJSON:
                found = _plan_ndjson(file, size, wanted, chunk)
            case Format.PARQUET:
                found = _plan_parquet(file, size, wanted, chunk)
    if not found.chunks:
        raise InvalidTable("the file has no rows")
    return found


def _plan_csv(file: RawIOBase, size: int, wanted: TableRequest, chunk: int) -> Plan:
    header = read_header(read_exactly(file, 0, min(size, LONGEST_RECORD)), wanted.encoding)
    check_columns(header.names, wanted.features, wanted.scored)
    chunks = list(cut_lines(file, header.end, size, quotes=True, chunk=chunk))
    return Plan(_layout(wanted, header.names), chunks)


def _plan_ndjson(file: RawIOBase, size: int, wanted: TableRequest, chunk: int) -> Plan:
    start = read_exactly(file, 0, min(size, LONGEST_RECORD))
    begin = len(codecs.BOM_UTF8) if start.startswith(codecs.BOM_UTF8) else 0
    lines = list(filter(bytes.strip, start[begin:].split(b"\n")))[:FIRST_ROWS]
    rows = [row for row in map(read_object, lines) if row is not None]
    if not rows:
        raise InvalidTable("line 1: none of the first lines is a JSON object")
    names = tuple(dict.fromkeys(name for row in rows for name in row))
    check_columns(names, (), wanted.scored)
    chunks = list(cut_lines(file, begin, size, quotes=False, chunk=chunk))
    return Plan(_layout(wanted, names), chunks)


def _plan_parquet(file: RawIOBase, size: int, wanted: TableRequest, chunk: int) -> Plan:
    try:
        about = pyarrow.parquet.read_metadata(file)
        names = tuple(about.schema.to_arrow_schema().names)
    except (pa.ArrowException, OSError) as error:
        raise InvalidTable("this is no Parquet file, or not all of it") from error
    check_columns(names, wanted.features, wanted.scored)
    groups = [about.row_group(number) for number in range(about.num_row_groups)]
    if wanted.explain:
        row = VALUE * len(wanted.features)
        sizes = [(group.num_rows, group.num_rows * row) for group in groups]
    else:
        sizes = [(group.num_rows, group.total_byte_size) for group in groups]
    # Progress is told by bytes of the file, of which a row group's unpacked size says little.
    chunks = [
        one._replace(size=size * one.rows // about.num_rows)
        for one in cut_groups(sizes, chunk, wanted.explain)
    ]
    return Plan(_layout(wanted, names), chunks)


def _layout(wanted: TableRequest, names: tuple[str, ...]) -> Layout:
    kept = kept_names(names, wanted.features, wanted.include_inputs)
    return Layout(wanted.input, wanted.results, names, kept, wanted.scored, wanted.encoding, wanted.warns)
