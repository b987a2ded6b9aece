"""Looks at the first bytes of a file: what it is, and whether it can be a table of a model."""

import codecs

from jobs.batches.record import BatchOptions
from jobs.errors import InvalidTable
from jobs.files.tables import (
    PARQUET,
    Format,
    added_names,
    check_columns,
    check_text,
    header_span,
    read_header,
)
from jobs.files.unpacking import is_packed, unpacked_start
from model.description.manifest import Manifest
from model.description.similar import similar_name
from model.tables.dialect import Dialect, UnclearDialect, find_dialect, find_encoding

NO_MARK = "this is not UTF-16: it has no byte order mark; name utf-16-le or utf-16-be as its encoding"
_LIST = (
    "line 1: this is a JSON list; send one object on each line, or the list as the member rows of an object, "
    "as application/json"
)


def is_raw(start: bytes, encoding: str) -> bool:
    """Whether a file must be unpacked or recoded before it is planned; raises InvalidTable."""
    return is_packed(start) or (not start.startswith(PARQUET) and _found_encoding(start, encoding) != "utf-8")


def plain_start(start: bytes, encoding: str) -> bytes:
    """The first bytes, unpacked and in UTF-8; empty if they cannot be told. Raises InvalidTable."""
    plain = unpacked_start(start)
    if plain.startswith(PARQUET):
        return plain
    found = _found_encoding(plain, encoding)
    if found == "utf-8":
        return plain
    try:
        return codecs.getincrementaldecoder(found)().decode(plain).encode()
    except UnicodeError as error:
        # Python 3.13 says it with the more special error, too.
        if not isinstance(error, UnicodeDecodeError) or "BOM" in error.reason:
            raise InvalidTable(NO_MARK) from None
        line = plain.count(b"\n", 0, error.start) + 1
        raise InvalidTable(f"line {line}: this is not {found}; name the encoding of the file") from None


def _found_encoding(start: bytes, named: str) -> str:
    try:
        return find_encoding(start, named)
    except UnclearDialect as error:
        raise InvalidTable(str(error)) from None


def recognized(plain: bytes) -> Format:
    """The format of a file with these first bytes. CSV may begin with anything."""
    if plain.startswith(PARQUET):
        return Format.PARQUET
    text = plain.removeprefix(codecs.BOM_UTF8).lstrip()
    return Format.NDJSON if text.startswith((b"{", b"[")) else Format.CSV


def check_table(plain: bytes, cut: bool, manifest: Manifest, options: BatchOptions) -> None:
    """Raises InvalidTable if a file with these first bytes cannot be a table of this model.

    If they are `cut`, the file has more than these, and nothing is said of a header that goes on behind them.
    """
    match options.input:
        case Format.CSV:
            _check_csv(plain, cut, manifest, options)
        case Format.NDJSON:
            check_ndjson(plain)
        case Format.PARQUET:
            if plain.startswith(b"PARE"):
                raise InvalidTable("this Parquet file is encrypted; send it without encryption")
            if not plain.startswith(PARQUET):
                raise InvalidTable("this is not a Parquet file: it does not begin with PAR1")


def check_ndjson(plain: bytes) -> None:
    """Raises InvalidTable if a file with these first bytes has no JSON object on its first line."""
    check_text(plain)
    text = plain.removeprefix(codecs.BOM_UTF8).lstrip()
    if text.startswith(b"["):
        raise InvalidTable(_LIST)
    if not text.startswith(b"{"):
        raise InvalidTable("line 1: this is not a JSON object; send one object on each line")


def _check_csv(plain: bytes, cut: bool, manifest: Manifest, options: BatchOptions) -> None:
    check_text(plain)
    try:
        delimiter, _ = find_dialect(plain, Dialect(options.delimiter, options.decimal), manifest.schema)
    except UnclearDialect as error:
        raise InvalidTable(str(error)) from None
    if cut and header_span(plain, delimiter)[1] in (None, len(plain)):
        return
    header = read_header(plain, delimiter)
    added = added_names(manifest.columns[options.explain], manifest.warns, options.prefix)
    check_columns(header.names, manifest.schema.required, added, similar_name)
    if header.end == len(plain):
        raise InvalidTable("the file has a header and no rows")
