"""The formats of tables, the header of a CSV file, and the names of columns."""

import codecs
import csv
import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from enum import StrEnum
from functools import lru_cache
from io import RawIOBase
from itertools import islice
from typing import NamedTuple

from jobs.errors import FilesUnavailable, InvalidTable, OverLimit


class Format(StrEnum):
    CSV = "csv"
    NDJSON = "ndjson"
    PARQUET = "parquet"


MEDIA_TYPES = {
    Format.CSV: "text/csv",
    Format.NDJSON: "application/x-ndjson",
    Format.PARQUET: "application/vnd.apache.parquet",
}

ENDINGS = {
    "csv": Format.CSV,
    "tsv": Format.CSV,
    "ndjson": Format.NDJSON,
    "jsonl": Format.NDJSON,
    "parquet": Format.PARQUET,
}

PARQUET = b"PAR1"
"""The first bytes of a Parquet file."""

GZIP, ZIP = b"\x1f\x8b", b"PK\x03\x04"
"""The first bytes of what is packed. No table begins with them."""

MARK_BYTES = 4
"""So many first bytes tell that a file is packed, or in UTF-16."""

NOT_UTF8 = "is not UTF-8; name the encoding of the file, as in encoding=windows-1252"

ERROR = "error"
"""The column of results with the reason why a row has no score."""

WARNINGS = "warnings"
"""The column of results with the values of a row that are outside what training saw, where that is known."""

LONGEST_RECORD = 8 * 1024 * 1024
"""Bytes of a line, or of a CSV record that spans several lines, at most."""

MOST_COLUMNS = 10_000
LONGEST_NAME = 1024
LONGEST_NAMES = 256 * 1024
"""Characters that the names of all columns have at most."""

MOST_FIRST_BYTES = 256 * 1024
"""So much of the results is shown before somebody downloads them."""

TEXT_CHECK_BYTES = 8192
"""A file with a zero byte among so many first bytes is not text."""

_MOST_COLUMN_FAULTS = 20
_OLD_WORKBOOK = b"\xd0\xcf\x11\xe0"
_SEPARATOR_LINE = re.compile(rb"sep=[,;\t|]\r?\n", re.IGNORECASE)
"""What Excel reads, and writes, before the header."""


FindSimilar = Callable[[str, Iterable[str]], str | None]
"""Returns the one of the names that a caller probably meant by the first."""


class CsvHeader(NamedTuple):
    names: tuple[str, ...]
    end: int
    """The offset of the first record, in bytes."""


def format_of(name: str) -> Format | None:
    """The format that the ending of a file's name stands for, without .gz or .zip; None for any other."""
    return ENDINGS.get(name.lower().removesuffix(".gz").removesuffix(".zip").rpartition(".")[2])


def is_packed(start: bytes) -> bool:
    return start.startswith((GZIP, ZIP))


def needs_decoding(start: bytes, encoding: str) -> bool:
    """Whether a file with these first bytes must be unpacked, or recoded from this encoding."""
    return is_packed(start) or (not start.startswith(PARQUET) and encoding != "utf-8")


def added_names(columns: Iterable[str], warns: bool, prefix: str) -> tuple[str, ...]:
    """The columns that results add: the outputs of the model, the warnings (if any) and the error."""
    return tuple(f"{prefix}{name}" for name in (*columns, *([WARNINGS] if warns else []), ERROR))


@lru_cache
def field_pattern(delimiter: str) -> re.Pattern[bytes]:
    """One field of CSV and what ends it. A quote has a meaning only at the start of a field."""
    one = re.escape(delimiter.encode())
    return re.compile(
        rb'(?:"[^"]*(?:""[^"]*)*"(?!")[^%b\r\n]*|[^"%b\r\n][^%b\r\n]*)?(%b|\r\n|\n|\r|\Z)'
        % (one, one, one, one)
    )


def read_header(start: bytes, delimiter: str = ",") -> CsvHeader:
    """Reads the header from the first bytes of a CSV file in UTF-8, of which LONGEST_RECORD are enough.

    Raises InvalidTable if these are not the first bytes of a CSV file with a header.
    """
    check_text(start)
    begin, end = header_span(start, delimiter)
    if end is None:
        raise InvalidTable("line 1: a quote in the header is never closed")
    try:
        text = start[begin:end].decode()
    except UnicodeDecodeError:
        raise InvalidTable(f"line 1: this {NOT_UTF8}") from None
    try:
        rows = list(csv.reader([text], delimiter=delimiter)) if text.strip("\r\n") else []
    except csv.Error:
        raise InvalidTable(f"line 1: a name has more than {csv.field_size_limit()} characters") from None
    if not rows:
        raise InvalidTable("line 1: the header is empty; name the columns in the first line")
    return CsvHeader(tuple(rows[0]), end)


def header_span(start: bytes, delimiter: str) -> tuple[int, int | None]:
    """The offsets of the header and of its end; None for the end if a quote in it is never closed."""
    at = len(codecs.BOM_UTF8) if start.startswith(codecs.BOM_UTF8) else 0
    if match := _SEPARATOR_LINE.match(start, at):
        at = match.end()
    begin, field, end = at, field_pattern(delimiter), delimiter.encode()
    while match := field.match(start, at):
        at = match.end()
        if match[1] != end:
            return begin, at
    return begin, None


def check_text(start: bytes) -> None:
    """Raises InvalidTable if a file with these first bytes is empty, or no text."""
    if not start.strip():
        raise InvalidTable("the file is empty")
    if (at := start[:TEXT_CHECK_BYTES].find(b"\0")) < 0:
        return
    if start.startswith(PARQUET):
        raise InvalidTable(f"this is Parquet; send it as {MEDIA_TYPES[Format.PARQUET]}")
    if start.startswith(_OLD_WORKBOOK):
        raise InvalidTable("this is a workbook of Excel; save the sheet as CSV")
    line = start.count(b"\n", 0, at) + 1
    raise InvalidTable(
        f"line {line}: this is not text, it has a zero byte; if it is UTF-16, name the encoding"
    )


def check_columns(
    names: Sequence[str], required: Iterable[str], added: Iterable[str], find_similar: FindSimilar
) -> None:
    """`required` are the features that a table must have, `added` the columns that results add.

    Raises InvalidTable with the first faults: there are too many columns, a feature is missing, a name occurs
    twice, or a column has the name of an added one.
    """
    check_number(names)
    faults = list(islice(_column_faults(names, required, added, find_similar), _MOST_COLUMN_FAULTS + 1))
    if faults[_MOST_COLUMN_FAULTS:]:
        faults[_MOST_COLUMN_FAULTS] = "and there are more faults"
    if faults:
        raise InvalidTable("; ".join(faults))


def _column_faults(
    names: Sequence[str], required: Iterable[str], added: Iterable[str], find_similar: FindSimilar
) -> Iterator[str]:
    known = set(names)
    for name in required:
        if name not in known:
            near = find_similar(name, names)
            yield f"there is no column {name}" + (f"; there is {near}" if near else "")
    seen: set[str] = set()
    for name in names:
        if name in seen:
            yield f"column {name!r} occurs twice"
        seen.add(name)
    for name in added:
        if name in seen:
            yield (
                f"column {name!r} has the name of a column that results add; "
                "choose a prefix for those, as in ?prefix=scored_"
            )


def check_number(names: Sequence[str]) -> None:
    """Raises OverLimit if there are too many columns, or if their names are too long."""
    if len(names) > MOST_COLUMNS:
        raise OverLimit(f"the table has {len(names)} columns; at most {MOST_COLUMNS} are allowed")
    if (longest := max(map(len, names), default=0)) > LONGEST_NAME:
        raise OverLimit(f"the name of a column has {longest} characters; it may have {LONGEST_NAME}")
    if (size := sum(map(len, names))) > LONGEST_NAMES:
        raise OverLimit(f"the names of the columns have {size} characters; they may have {LONGEST_NAMES}")


def read_exactly(file: RawIOBase, start: int, end: int) -> bytes:
    """The bytes from start to end. Raises FilesUnavailable if the file has become shorter."""
    file.seek(start)
    pieces = []
    while start < end:
        piece = file.read(end - start)
        if not piece:
            raise FilesUnavailable("a file became shorter while it was read")
        start += len(piece)
        pieces.append(piece)
    return pieces[0] if len(pieces) == 1 else b"".join(pieces)
