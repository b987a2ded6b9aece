"""How the text of a table is written: its encoding, what separates fields, and the decimal sign."""

import codecs
import csv
import re
from collections.abc import Iterable, Mapping, Sequence, Set
from io import StringIO
from typing import NamedTuple

from model.description.errors import ModelError
from model.description.schema import Schema

SAMPLE_BYTES = 64 * 1024
"""How many bytes at the start of a file are read."""
SAMPLE_RECORDS = 100

DELIMITERS = {",": "comma", ";": "semicolon", "\t": "tab", "|": "pipe"}
DECIMALS = {".": "point", ",": "comma"}
ENCODINGS = {
    **dict.fromkeys(("utf-8", "utf8", "utf-8-sig", "us-ascii", "ascii"), "utf-8"),
    **dict.fromkeys(("iso-8859-1", "iso8859-1", "latin-1", "latin1"), "latin-1"),
    **dict.fromkeys(("windows-1252", "cp1252"), "cp1252"),
    **dict.fromkeys(("utf-16", "utf16"), "utf-16"),
    "utf-16le": "utf-16-le",
    "utf-16-le": "utf-16-le",
    "utf-16be": "utf-16-be",
    "utf-16-be": "utf-16-be",
}
"""Python's name of each encoding that a caller may name."""

_MARKS = {codecs.BOM_UTF8: "utf-8", codecs.BOM_UTF16_LE: "utf-16", codecs.BOM_UTF16_BE: "utf-16"}
_SEPARATOR_LINE = re.compile(r"sep=([,;\t|])\r?\n", re.IGNORECASE)
_SIGN = r"[+-]?"
_WITH_COMMA = re.compile(_SIGN + r"(?:[0-9]*,[0-9]+|[0-9]+,)(?:[eE][+-]?[0-9]+)?")
_WITH_POINT = re.compile(_SIGN + r"(?:[0-9]*\.[0-9]+|[0-9]+\.)(?:[eE][+-]?[0-9]+)?")
GROUPED = _SIGN + r"[1-9][0-9]{0,2}[.,][0-9]{3}"
"""What may be a fraction with three digits, or a number of thousands."""
_GROUPED = re.compile(GROUPED)


class UnclearDialect(ModelError):
    """A table can be read in more than one way."""


class Dialect(NamedTuple):
    """An empty `delimiter` or `decimal` is to be found by looking, or could not be found."""

    delimiter: str = ""
    decimal: str = ""


FOUND = Dialect()


def sign_named(text: str, names: Mapping[str, str]) -> str | None:
    """Return a sign that was given as itself or by its name; None if it is none of these."""
    by_name = {name: sign for sign, name in names.items()} | {sign: sign for sign in names} | {r"\t": "\t"}
    sign = by_name.get(text.lower())
    return sign if sign in names else None


def find_encoding(start: bytes, named: str = "") -> str:
    """Return the encoding that a byte order mark at the start tells, else the named one, else utf-8."""
    if start.startswith((codecs.BOM_UTF32_LE, codecs.BOM_UTF32_BE)):
        raise UnclearDialect("this is UTF-32; send the file as UTF-8")
    found = (encoding for mark, encoding in _MARKS.items() if start.startswith(mark))
    return next(found, named or "utf-8")


def separator_line(text: str) -> tuple[str, int]:
    """Return the delimiter that Excel names in a first line such as `sep=;`, and the length of that line."""
    match = _SEPARATOR_LINE.match(text)
    return (match[1], match.end()) if match else ("", 0)


def find_dialect(start: bytes, named: Dialect, schema: Schema | None = None) -> Dialect:
    """Look at the first bytes of CSV in UTF-8; raises UnclearDialect.

    The delimiter is the one that splits the header into the columns that the schema requires, else the only
    one with which all of the first records have the same number of fields. The decimal sign stays empty if
    no number of the first records has a fraction.
    """
    sample = start.removeprefix(codecs.BOM_UTF8)[:SAMPLE_BYTES].decode(errors="replace")
    separator, end = separator_line(sample)
    sample = sample[end:]
    delimiter = named.delimiter or separator or _find_delimiter(sample, schema.required if schema else ())
    if named.decimal or delimiter == ",":  # with which a decimal comma would have to be quoted
        return Dialect(delimiter, named.decimal or ".")
    numeric = None if schema is None else decimal_features(schema)
    return Dialect(delimiter, _find_decimal(_records(sample, delimiter), numeric))


def decimal_features(schema: Schema) -> tuple[str, ...]:
    """Return the features whose values are numbers, also those whose categories are."""
    return tuple(
        feature.name
        for feature in schema.features
        if feature.type != "category" or all(map(_is_decimal, feature.categories))
    )


def _is_decimal(text: str) -> bool:
    return text.lstrip("-").replace(".", "", 1).isdecimal()


def _find_delimiter(sample: str, required: Sequence[str]) -> str:
    records = {delimiter: _records(sample, delimiter) for delimiter in DELIMITERS}
    several = [one for one, found in records.items() if found and len(found[0]) > 1]
    if len(several) < 2:
        return several[0] if several else ","
    fitting = [one for one in several if required and set(required) <= set(records[one][0])]
    if len(fitting) == 1:
        return fitting[0]
    regular = [one for one in fitting or several if len({*map(len, records[one])}) == 1]
    if len(regular) == 1:
        return regular[0]
    names = " or ".join(DELIMITERS[one] for one in regular or several)
    raise UnclearDialect(f"line 1: the columns may be separated by {names}; name the delimiter")


def _find_decimal(records: Sequence[Sequence[str]], numeric: Iterable[str] | None) -> str:
    """`numeric` are the columns that have numbers; all columns may have some if it is None."""
    header, *rows = records or [[]]
    columns = [number for number, name in enumerate(header) if numeric is None or name in set(numeric)]
    return decimal_of({row[column].strip() for row in rows for column in columns if column < len(row)})


def decimal_of(values: Set[str]) -> str:
    """Return the decimal sign of these texts, empty if none has a fraction; raises UnclearDialect."""
    commas = {value for value in values if _WITH_COMMA.fullmatch(value)}
    points = {value for value in values if _WITH_POINT.fullmatch(value)}
    sure = {sign for sign, found in ((",", commas), (".", points)) if not all(map(_GROUPED.fullmatch, found))}
    if len(sure) == 1:
        return sure.pop()
    if not commas and not points:
        return ""
    if sure:
        raise UnclearDialect("some numbers have a decimal comma, and some a decimal point; name the decimal")
    raise UnclearDialect(
        "numbers with three digits after a comma or a point may be fractions, or thousands; name the decimal"
    )


def _records(sample: str, delimiter: str) -> list[list[str]]:
    """Return the first records, without the last one, which may be cut off, if there are several."""
    reader = csv.reader(StringIO(sample, newline=""), delimiter=delimiter)
    records: list[list[str]] = []
    try:
        for record in reader:
            if record:
                records.append(record)
            if len(records) > SAMPLE_RECORDS:
                break
    except csv.Error:
        pass  # what was read before it is enough
    cut_off = len(records) > 1 and len(sample.encode()) >= SAMPLE_BYTES and len(records) <= SAMPLE_RECORDS
    return records[: -1 if cut_off else None]
