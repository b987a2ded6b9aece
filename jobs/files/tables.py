"""What a table looks like from outside: its format, and the header of a CSV file."""

import codecs
import csv
import re
from collections.abc import Iterable, Sequence
from enum import StrEnum
from typing import NamedTuple

from jobs.errors import InvalidTable


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
"""The column of results that says why a row has no score."""

WARNINGS = "warnings"
"""The column before it, where it is known what training saw: which values of the row are outside."""

LONGEST_RECORD = 8 * 1024 * 1024
"""Bytes of a line, or of a CSV record that spans several."""

LOOKED_AT = 8192
"""Bytes by which it is told that a file is no text."""

# One field and what ends it. Only a quote at the start of a field has a meaning.
FIELD = re.compile(rb'(?:"[^"]*(?:""[^"]*)*"(?!")[^,\r\n]*|[^",\r\n][^,\r\n]*)?(,|\r\n|\n|\r|\Z)')

ENCODINGS = {"utf-8": "utf-8", "utf8": "utf-8", "us-ascii": "utf-8"} | dict.fromkeys(
    ("iso-8859-1", "latin-1", "latin1"), "latin-1"
)
"""By the charset of a media type."""

_FOREIGN_MARKS = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)


class Header(NamedTuple):
    names: tuple[str, ...]
    end: int
    """Where the first record of the table starts, in bytes."""


def format_of(name: str) -> Format | None:
    """By the ending of a file's name, behind which may be .gz; None if that does not tell it."""
    return ENDINGS.get(name.lower().removesuffix(".gz").rpartition(".")[2])


def added_names(columns: Iterable[str], warns: bool, prefix: str) -> tuple[str, ...]:
    """What results add to a table: the columns that the model gives, and what is said of each row."""
    return tuple(f"{prefix}{name}" for name in (*columns, *([WARNINGS] if warns else []), ERROR))


def read_header(start: bytes, encoding: str) -> Header:
    """Reads the header from the first bytes of a CSV file; LONGEST_RECORD of them are enough.

    Raises InvalidTable if these are not the first bytes of a CSV file with a header.
    """
    if not start.strip():
        raise InvalidTable("the file is empty")
    if start.startswith(_FOREIGN_MARKS):
        raise InvalidTable("line 1: this is UTF-16; send UTF-8")
    if b"\0" in start[:LOOKED_AT]:
        raise InvalidTable("line 1: this is no text; send CSV with a header, separated by commas")
    at = len(codecs.BOM_UTF8) if start.startswith(codecs.BOM_UTF8) else 0
    begin = at
    while match := FIELD.match(start, at):
        at = match.end()
        if match[1] != b",":
            break
    else:
        raise InvalidTable("line 1: a quote is never closed")
    record = start[begin:at]
    try:
        text = record.decode(encoding)
    except UnicodeDecodeError:
        raise InvalidTable(
            "line 1: this is no UTF-8; name its encoding, as in text/csv; charset=iso-8859-1"
        ) from None
    rows = list(csv.reader([text], strict=False)) if text.strip("\r\n") else []
    if not rows:
        raise InvalidTable("line 1: the header is empty")
    return Header(tuple(rows[0]), at)


def check_columns(names: Sequence[str], features: Iterable[str], ours: Iterable[str]) -> None:
    """Raises InvalidTable with every fault: a feature is missing, a name is repeated or reserved."""
    wrong = [f"there is no column {name}" for name in features if name not in names]
    if wrong and len(names) == 1 and re.search(r"[;\t|]", names[0]):
        raise InvalidTable("line 1: the columns must be separated by commas")
    seen: set[str] = set()
    for name in names:
        if name in seen:
            wrong.append(f"column {name!r} is there twice")
        seen.add(name)
    wrong += [
        f"column {name!r} has a name that results use; give a prefix for theirs, as in ?prefix=scored_"
        for name in ours
        if name in seen
    ]
    if wrong:
        raise InvalidTable("; ".join(wrong))
