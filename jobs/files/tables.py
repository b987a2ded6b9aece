"""The formats of tables, the header of a CSV file, and the names of columns."""

import codecs
import csv
import json
import re
from collections.abc import Iterable, Sequence
from enum import StrEnum
from io import RawIOBase
from typing import Any, NamedTuple, NoReturn

import orjson

from jobs.errors import FilesUnavailable, InvalidTable


class Format(StrEnum):
    CSV = "csv"
    NDJSON = "ndjson"
    PARQUET = "parquet"


MEDIA_TYPES = {
    Format.CSV: "text/csv",
    Format.NDJSON: "application/x-ndjson",
    Format.PARQUET: "application/vnd.apache.parquet",
}

ENDINGS = {"csv": Format.CSV, "ndjson": Format.NDJSON, "jsonl": Format.NDJSON, "parquet": Format.PARQUET}

ERROR = "error"
"""The column of results with the reason why a row has no score."""

WARNINGS = "warnings"
"""The column of results with the values of a row that are outside what training saw, where that is known."""

LONGEST_RECORD = 8 * 1024 * 1024
"""Bytes of a line, or of a CSV record that spans several lines, at most."""

TEXT_CHECK_BYTES = 8192
"""A file with a zero byte among so many first bytes is not text."""

# One field and what ends it. A quote has a meaning only at the start of a field.
FIELD = re.compile(rb'(?:"[^"]*(?:""[^"]*)*"(?!")[^,\r\n]*|[^",\r\n][^,\r\n]*)?(,|\r\n|\n|\r|\Z)')

ENCODINGS = {"utf-8": "utf-8", "utf8": "utf-8", "us-ascii": "utf-8"} | dict.fromkeys(
    ("iso-8859-1", "latin-1", "latin1"), "latin-1"
)
"""By the charset of a media type."""

_FOREIGN_MARKS = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)


class CsvHeader(NamedTuple):
    names: tuple[str, ...]
    end: int
    """The offset of the first record, in bytes."""


def format_of(name: str) -> Format | None:
    """The format that the ending of a file's name stands for, without .gz; None for any other ending."""
    return ENDINGS.get(name.lower().removesuffix(".gz").rpartition(".")[2])


def added_names(columns: Iterable[str], warns: bool, prefix: str) -> tuple[str, ...]:
    """The columns that results add: the outputs of the model, the warnings (if any) and the error."""
    return tuple(f"{prefix}{name}" for name in (*columns, *([WARNINGS] if warns else []), ERROR))


def read_header(start: bytes, encoding: str) -> CsvHeader:
    """Reads the header from the first bytes of a CSV file, of which LONGEST_RECORD are enough.

    Raises InvalidTable if these are not the first bytes of a CSV file with a header.
    """
    if not start.strip():
        raise InvalidTable("the file is empty")
    if start.startswith(_FOREIGN_MARKS):
        raise InvalidTable("line 1: this is UTF-16; send the file as UTF-8")
    if b"\0" in start[:TEXT_CHECK_BYTES]:
        raise InvalidTable("line 1: this is not text; send CSV with a header, separated by commas")
    at = len(codecs.BOM_UTF8) if start.startswith(codecs.BOM_UTF8) else 0
    begin = at
    while match := FIELD.match(start, at):
        at = match.end()
        if match[1] != b",":
            break
    else:
        raise InvalidTable("line 1: a quote in the header is never closed")
    record = start[begin:at]
    try:
        text = record.decode(encoding)
    except UnicodeDecodeError:
        raise InvalidTable(
            "line 1: this is not UTF-8; name the encoding of the file, as in text/csv; charset=iso-8859-1"
        ) from None
    rows = list(csv.reader([text], strict=False)) if text.strip("\r\n") else []
    if not rows:
        raise InvalidTable("line 1: the header is empty; name the columns in the first line")
    return CsvHeader(tuple(rows[0]), at)


def check_columns(names: Sequence[str], features: Iterable[str], added: Iterable[str]) -> None:
    """`added` are the columns that results add.

    Raises InvalidTable with every fault: a feature is missing, a name occurs twice, or a column has the name
    of an added one.
    """
    faults = [f"there is no column {name}" for name in features if name not in names]
    if faults and len(names) == 1 and (separator := re.search(r"[;\t|]", names[0])):
        raise InvalidTable(f"line 1: the columns must be separated by commas, not by {separator[0]!r}")
    seen: set[str] = set()
    for name in names:
        if name in seen:
            faults.append(f"column {name!r} occurs twice")
        seen.add(name)
    faults += [
        f"column {name!r} has the name of a column that results add; "
        "choose a prefix for those, as in ?prefix=scored_"
        for name in added
        if name in seen
    ]
    if faults:
        raise InvalidTable("; ".join(faults))


def read_object(line: bytes) -> dict[str, Any] | None:
    """None if the line is not a JSON object.

    A number that no float can hold is JSON too; the check of its feature refuses it.
    """
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
    return float(digits)  # orjson reads all that fit 64 bits


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
