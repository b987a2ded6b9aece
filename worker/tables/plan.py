"""Looks at a file once before it is scored: how its table is laid out, and how it is cut into chunks."""

import codecs
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, replace
from io import RawIOBase
from itertools import chain, filterfalse
from typing import NamedTuple

import orjson
import pyarrow as pa
import pyarrow.parquet

from jobs.errors import InvalidTable
from jobs.files.json_lines import read_object
from jobs.files.tables import (
    LONGEST_RECORD,
    PARQUET,
    Format,
    check_columns,
    check_number,
    check_text,
    read_exactly,
    read_header,
)
from model.description.schema import Schema
from model.description.similar import similar_name
from model.tables.dialect import FOUND, Dialect, UnclearDialect, decimal_features, find_dialect
from worker.limits import is_out_of_memory, is_overfull, rows_at_once
from worker.tables.cut import (
    CHUNK,
    EXPLAINED_CHUNK,
    EXPLAINED_COSTS,
    MANY_COLUMNS,
    MOST_ROWS,
    WIDE_GROUP_CHUNKS,
    CutText,
    Text,
    cut_groups,
    cut_lines,
)


@dataclass(frozen=True)
class Layout:
    """The columns of a table.

    `names` are those of the input (of NDJSON, those of its first rows), `passthrough` those of them that the
    results have too, and `scored` those that results add: the outputs of the model, the warnings if it
    `warns`, and the error. `delimiter` separates the fields of CSV, and the columns in `decimal_commas` have
    numbers with a decimal comma. Those in `unknown_decimals` may have either sign. CSV results that it
    `escapes` have no formulas.
    """

    input: Format
    results: Format
    names: tuple[str, ...]
    passthrough: tuple[str, ...]
    scored: tuple[str, ...]
    warns: bool = False
    delimiter: str = ","
    decimal_commas: tuple[str, ...] = ()
    unknown_decimals: tuple[str, ...] = ()
    escapes: bool = False

    @property
    def width(self) -> int:
        """How many values a row of the results has at least; NDJSON has no value where the input has none."""
        return len(self.scored) + (0 if self.results is Format.NDJSON else len(self.passthrough))

    @property
    def repeated(self) -> tuple[str, ...]:
        """The names that the results repeat in each row."""
        return self.names if self.results is Format.NDJSON else ()

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
            unknown_decimals=tuple(fields["unknown_decimals"]),
            escapes=fields.get("escapes", False),
        )


def passthrough_names(request: "TableRequest", names: Sequence[str]) -> tuple[str, ...]:
    """`include_inputs` adds the features, also those that the first rows of NDJSON do not have."""
    features = request.schema.names
    if not request.include_inputs:
        return tuple(name for name in names if name not in set(features))
    late = features if request.input is Format.NDJSON else ()
    return tuple(dict.fromkeys((*names, *late)))


FIRST_ROWS = 1_000
"""The first rows of NDJSON, whose members become the columns of CSV and Parquet results."""
VALUE_BYTES = 8
"""About how many bytes a number takes in CSV. The size of a Parquet row group does not predict how long it
takes to explain, because a million equal rows are packed into almost no bytes.
"""


FOOTER_END = 8
"""The last bytes of a Parquet file: the length of its footer, and PAR1."""
LARGEST_FOOTER = 32 * 1024 * 1024

ENCRYPTED = "this Parquet file is encrypted, or some of its columns are; send it without encryption"


def is_encrypted(error: Exception) -> bool:
    """Whether pyarrow says so; it has no error of its own for that."""
    return "decrypt" in str(error).lower()


class TableRequest(NamedTuple):
    """What the caller requests; `scored` are the columns that results add (see Layout), with their prefix."""

    input: Format
    results: Format
    schema: Schema
    scored: tuple[str, ...]
    include_inputs: bool = False
    dialect: Dialect = FOUND
    warns: bool = False
    explain: bool = False
    escapes: bool = False


class Plan(NamedTuple):
    """The chunks, of which one list comes after the other, are cut while they are taken."""

    layout: Layout
    cuts: Iterator[list[CutText]]


def plan_text(text: Text, request: TableRequest, chunk: int | None = None) -> Plan:
    """Raises InvalidTable if the text is not such a table."""
    start = text.block(0, LONGEST_RECORD)
    if not start:
        raise InvalidTable("the file is empty")
    layout, first = (
        _lay_out_csv(start, request) if request.input is Format.CSV else _lay_out_ndjson(start, request)
    )
    return Plan(layout, _some(go_on_with_text(text, request, layout, first, chunk).cuts))


def go_on_with_text(
    text: Text, request: TableRequest, layout: Layout, start: int, chunk: int | None = None
) -> Plan:
    """The rest of a plan whose layout is known, from the first byte of a record on."""
    delimiter = layout.delimiter if layout.input is Format.CSV else ""
    most = _most_rows(request, layout)
    return Plan(layout, cut_lines(text, start, delimiter, chunk or chunk_size(request), most))


def chunk_size(request: TableRequest) -> int:
    """About how many bytes a chunk has."""
    return EXPLAINED_CHUNK if request.explain else CHUNK


def _lay_out_csv(start: bytes, request: TableRequest) -> tuple[Layout, int]:
    check_text(start)
    try:
        delimiter, decimal = find_dialect(start, request.dialect, request.schema)
    except UnclearDialect as error:
        raise InvalidTable(str(error)) from None
    header = read_header(start, delimiter)
    numeric = decimal_features(request.schema)
    layout = replace(
        lay_out(request, header.names),
        delimiter=delimiter,
        decimal_commas=numeric if decimal == "," else (),
        unknown_decimals=() if decimal else numeric,
    )
    return layout, header.end


def _lay_out_ndjson(start: bytes, request: TableRequest) -> tuple[Layout, int]:
    begin = len(codecs.BOM_UTF8) if start.startswith(codecs.BOM_UTF8) else 0
    lines = list(filter(bytes.strip, start[begin:].split(b"\n")))[:FIRST_ROWS]
    rows = (row for row in map(read_object, filterfalse(is_overfull, lines)) if row is not None)
    # One at a time, because a row may take much more memory than its line.
    members = [tuple(row) for row in rows]
    if not members:
        raise InvalidTable("line 1: none of the first lines is a JSON object; send one object on each line")
    names = tuple(dict.fromkeys(chain.from_iterable(members)))
    check_columns(names, (), request.scored, similar_name)
    return _layout(request, names), begin


def plan_parquet(file: RawIOBase, size: int, request: TableRequest, chunk: int | None = None) -> Plan:
    """Raises InvalidTable if the file is not such a table."""
    if not size:
        raise InvalidTable("the file is empty")
    metadata, names = _read_footer(file, size)
    layout = lay_out(request, names)
    check_number([metadata.schema.column(leaf).path for leaf in range(metadata.num_columns)])
    sizes, most = _group_sizes(metadata, request)
    # Progress counts bytes of the file, of which each chunk has its share.
    unpacked = max(sum(its_size for _, its_size in sizes), 1)
    cuts = [
        CutText(cut._replace(size=size * cut.size // unpacked), memoryview(b""))
        for cut in cut_groups(sizes, chunk or chunk_size(request), most)
    ]
    return Plan(layout, _some(iter([cuts])))


def lay_out(request: TableRequest, names: tuple[str, ...]) -> Layout:
    """The layout of a table whose columns have these names; raises InvalidTable if one is missing."""
    check_columns(names, request.schema.required, request.scored, similar_name)
    return _layout(request, names)


def _group_sizes(
    metadata: pyarrow.parquet.FileMetaData, request: TableRequest
) -> tuple[list[tuple[int, int]], int]:
    """The rows and bytes of each row group, and how many chunks it may become at most.

    Where values take longer than bytes tell, since they are explained or in many columns, they are counted.
    """
    groups = [metadata.row_group(number) for number in range(metadata.num_row_groups)]
    if request.explain:
        values, most = len(request.schema.names), EXPLAINED_COSTS
    elif metadata.num_columns >= MANY_COLUMNS:
        values, most = metadata.num_columns, WIDE_GROUP_CHUNKS
    else:
        return [(group.num_rows, group.total_byte_size) for group in groups], 1
    return [(group.num_rows, group.num_rows * values * VALUE_BYTES) for group in groups], most


def _some(cuts: Iterator[list[CutText]]) -> Iterator[list[CutText]]:
    found = False
    for found_now in cuts:
        found = found or bool(found_now)
        yield found_now
    if not found:
        raise InvalidTable("the file has no rows")


def _read_footer(file: RawIOBase, size: int) -> tuple[pyarrow.parquet.FileMetaData, tuple[str, ...]]:
    """What the file says of its row groups, and the names of its columns."""
    end = read_exactly(file, max(size - FOOTER_END, 0), size)
    length = int.from_bytes(end[:4], "little")
    if end.endswith(PARQUET) and LARGEST_FOOTER < length < size:
        raise InvalidTable(
            f"the footer of the file has {length} bytes; at most {LARGEST_FOOTER} are allowed; "
            "write fewer columns or larger row groups"
        )
    try:
        metadata = pyarrow.parquet.read_metadata(file)
        return metadata, tuple(metadata.schema.to_arrow_schema().names)
    except UnicodeDecodeError:
        raise InvalidTable("the name of a column is not UTF-8") from None
    except (pa.ArrowException, OSError) as error:
        if is_out_of_memory(error):
            raise
        if is_encrypted(error):
            raise InvalidTable(ENCRYPTED) from error
        raise InvalidTable("the file is not Parquet, or its end is missing") from error


def _layout(request: TableRequest, names: tuple[str, ...]) -> Layout:
    passthrough = passthrough_names(request, names)
    return Layout(
        request.input,
        request.results,
        names,
        passthrough,
        request.scored,
        request.warns,
        escapes=request.escapes,
    )


def _most_rows(request: TableRequest, layout: Layout) -> int:
    """Rows of a chunk of lines at most: what is computed for a row takes more memory than a short line."""
    return rows_at_once(len(request.schema.names) + len(layout.scored), layout.repeated, MOST_ROWS)
