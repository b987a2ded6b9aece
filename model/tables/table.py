"""A table to learn from: a CSV or Parquet file, read without interpreting its values."""

import csv
import gzip
import hashlib
import json
import re
import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from io import BytesIO, StringIO
from itertools import takewhile
from pathlib import Path
from typing import Any
from zipfile import BadZipFile, ZipFile

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv
import pyarrow.parquet

from model.description.errors import ModelError
from model.description.values import NOT_A_NUMBER, NUMBER, WHITESPACE
from model.tables.dialect import FOUND, Dialect, decimal_of, find_dialect, find_encoding, separator_line

PARQUET = b"PAR1"
_PARQUET_INDEX = re.compile(r"__index_level_[0-9]+__")
_CSV_INDEX = re.compile(r"(?:Unnamed: 0(?:\.[0-9]+)?)?")
GZIP, ZIP = b"\x1f\x8b", b"PK\x03\x04"
_WITH_COMMA = f"^(?:{NUMBER.pattern})$".replace(r"\.", ",")


class TableError(ModelError):
    """A table, or a file that goes with it, cannot be used."""


@dataclass(frozen=True)
class Table:
    """`file` is the name without folders. All columns of a CSV file are text.

    `missing_texts` are the texts that were read as missing values. `notes` tell what was left out.
    """

    file: str
    sha256: str
    columns: pa.Table
    missing_texts: Sequence[str] = ()
    notes: Sequence[str] = ()


@dataclass(frozen=True)
class TableOptions:
    """How a table is written: `missing` are texts for missing values; the rest is found by looking."""

    missing: Sequence[str] = ()
    dialect: Dialect = FOUND
    encoding: str = ""


def read_table(path: Path, options: TableOptions = TableOptions()) -> Table:  # it is frozen
    """Read a file, also one packed with gzip or zip; raises TableError.

    Empty fields of CSV and the missing texts, also with spaces around them, are missing values. The index
    that pandas writes as a column without a name is left out.
    """
    try:
        content = path.read_bytes()
    except OSError as error:
        raise TableError(f"{path}: cannot be read: {error.strerror}") from None
    try:
        plain = _unpacked(content)
        columns = _read_parquet(plain) if plain.startswith(PARQUET) else _read_csv(plain, options)
        index = unnamed_index(columns)
        columns = _without_missing_texts(columns.drop_columns(index), options.missing)
        _check_columns(columns.column_names)
        _check_rows(columns)
    except (pa.ArrowException, UnicodeDecodeError, csv.Error, BadZipFile, zlib.error, EOFError) as error:
        reason = str(error).partition("\n")[0]
        raise TableError(f"{path.name}: is not a complete CSV or Parquet table: {reason}") from None
    except ModelError as error:
        raise TableError(f"{path.name}: {error}") from None
    notes = [f"column {name!r} is the index of a data frame and is left out" for name in index]
    sha256 = hashlib.sha256(content).hexdigest()
    return Table(path.name, sha256, columns, tuple(options.missing), notes)


def read_json(file: Path) -> Any:
    """Read a JSON file that goes with a table; raises TableError."""
    try:
        return json.loads(file.read_text(encoding="utf-8"))
    except OSError as error:
        raise TableError(f"{file}: cannot be read: {error.strerror}") from None
    except (ValueError, RecursionError) as error:
        raise TableError(f"{file}: is not JSON: {error}") from None


def unnamed_index(columns: pa.Table) -> list[str]:
    """Return the columns that hold an index without a name: pandas marks them in Parquet, not in CSV."""
    indices = _said_by_pandas(columns, "index_columns")
    marked = [name for name in indices if isinstance(name, str) and _PARQUET_INDEX.fullmatch(name)]
    unnamed = takewhile(_CSV_INDEX.fullmatch, columns.column_names)
    return list(dict.fromkeys([*unnamed, *(name for name in columns.column_names if name in marked)]))


def _with_categories(columns: pa.Table) -> pa.Table:
    """Encode what was a category in pandas: Parquet keeps that of texts only, not of numbers."""
    for said in _said_by_pandas(columns, "columns"):
        if isinstance(said, dict) and said.get("pandas_type") == "categorical":
            name = said.get("field_name")
            if name in columns.column_names and not pa.types.is_dictionary(columns[name].type):
                position = columns.column_names.index(name)
                columns = columns.set_column(position, name, columns[name].dictionary_encode())
    return columns


def _said_by_pandas(columns: pa.Table, member: str) -> list[Any]:
    try:
        said = json.loads((columns.schema.metadata or {})[b"pandas"])[member]
    except (KeyError, TypeError, ValueError):
        return []
    return said if isinstance(said, list) else []


def _without_missing_texts(columns: pa.Table, missing: Sequence[str]) -> pa.Table:
    for position, field in enumerate(columns.schema):
        if missing and (pa.types.is_string(field.type) or pa.types.is_large_string(field.type)):
            column = columns.column(position)
            trimmed = pc.utf8_trim(column, characters=WHITESPACE)
            stands_for_none = pc.is_in(trimmed, value_set=pa.array(missing, field.type))
            column = pc.if_else(stands_for_none, pa.scalar(None, field.type), column)
            columns = columns.set_column(position, field.name, column)
    return columns


def _read_parquet(content: bytes) -> pa.Table:
    return _with_categories(pa.parquet.read_table(pa.BufferReader(content), use_threads=False))


def _unpacked(content: bytes) -> bytes:
    if content.startswith(GZIP):
        return gzip.decompress(content)
    if not content.startswith(ZIP):
        return content
    with ZipFile(BytesIO(content)) as packed:
        members = [one for one in packed.infolist() if not one.is_dir()]
        if len(members) != 1:
            raise TableError(f"the zip file has {len(members)} files; pack a single file")
        return packed.read(members[0])


def _read_csv(content: bytes, options: TableOptions) -> pa.Table:
    text = content.decode(find_encoding(content, options.encoding)).removeprefix("\ufeff")
    delimiter, decimal = find_dialect(text.encode(), options.dialect)
    text = text[separator_line(text)[1] :]
    names = next(csv.reader(StringIO(text, newline=""), delimiter=delimiter), [])
    if not names:
        raise TableError("has no columns")
    table = pa.csv.read_csv(
        pa.BufferReader(text.encode()),
        read_options=pa.csv.ReadOptions(use_threads=False),
        parse_options=pa.csv.ParseOptions(delimiter=delimiter, newlines_in_values=True),
        convert_options=pa.csv.ConvertOptions(
            column_types=dict.fromkeys(names, pa.string()), null_values=[""], strings_can_be_null=True
        ),
    )
    decimal = decimal or decimal_of({value for column in table.columns for value in _texts_of(column)})
    return _with_decimal_points(table, options.missing) if decimal == "," else table


def _texts_of(column: pa.ChunkedArray) -> list[str]:
    """Return the different texts of a column, without spaces around them."""
    texts: list[str] = pc.utf8_trim(column.unique().drop_null(), characters=WHITESPACE).to_pylist()
    return texts


def _with_decimal_points(table: pa.Table, missing: Sequence[str]) -> pa.Table:
    """Replace the commas in columns of numbers; a point is no decimal point there."""
    for position, name in enumerate(table.column_names):
        column = table.column(position)
        trimmed = pc.utf8_trim(column, characters=WHITESPACE)
        present = trimmed.filter(
            pc.invert(pc.is_in(trimmed, value_set=pa.array([*missing, *NOT_A_NUMBER], pa.string())))
        )
        exchanged = pc.replace_substring(trimmed, ",", ".")
        if pc.all(pc.match_substring_regex(present, _WITH_COMMA)).as_py():
            table = table.set_column(position, name, exchanged)
    return table


def _check_columns(names: Sequence[str]) -> None:
    if not names:
        raise TableError("has no columns")
    for name in names:
        if not name:
            raise TableError("has a column without a name")
        if list(names).count(name) > 1:
            raise TableError(f"has two columns with the name {name!r}")


def _check_rows(table: pa.Table) -> None:
    if not table.num_rows:
        raise TableError("has no rows")
