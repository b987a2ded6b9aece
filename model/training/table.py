"""A table to learn from: a CSV or Parquet file, read without interpreting its values."""

import csv
import hashlib
import io
import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import takewhile
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv
import pyarrow.parquet

from model.description.errors import ModelError
from model.description.values import WHITESPACE

PARQUET = b"PAR1"
_PARQUET_INDEX = re.compile(r"__index_level_[0-9]+__")
_CSV_INDEX = re.compile(r"(?:Unnamed: 0(?:\.[0-9]+)?)?")
SEPARATORS = {";": "semicolons", "\t": "tabs", "|": "vertical bars"}


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


def read_table(path: Path, missing: Sequence[str] = ()) -> Table:
    """Read a file; raises TableError.

    Empty fields of CSV and the texts of `missing`, also with spaces around them, are missing values. The
    index that pandas writes as a column without a name is left out.
    """
    try:
        content = path.read_bytes()
    except OSError as error:
        raise TableError(f"{path}: cannot be read: {error.strerror}") from None
    try:
        columns = _read_parquet(content) if content.startswith(PARQUET) else _read_csv(content)
        index = unnamed_index(columns)
        columns = _without_missing_texts(columns.drop_columns(index), missing)
        _check_columns(columns.column_names)
        _check_rows(columns)
    except (pa.ArrowException, UnicodeDecodeError, csv.Error) as error:
        reason = str(error).partition("\n")[0]
        raise TableError(f"{path.name}: is not a complete CSV or Parquet table: {reason}") from None
    except TableError as error:
        raise TableError(f"{path.name}: {error}") from None
    notes = [f"column {name!r} is the index of a data frame and is left out" for name in index]
    return Table(path.name, hashlib.sha256(content).hexdigest(), columns, tuple(missing), notes)


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


def _read_csv(content: bytes) -> pa.Table:
    names = _read_header(content)
    if not names:
        raise TableError("has no columns")
    return pa.csv.read_csv(
        pa.BufferReader(content),
        read_options=pa.csv.ReadOptions(use_threads=False),
        parse_options=pa.csv.ParseOptions(newlines_in_values=True),
        convert_options=pa.csv.ConvertOptions(
            column_types=dict.fromkeys(names, pa.string()), null_values=[""], strings_can_be_null=True
        ),
    )


def _read_header(content: bytes) -> list[str]:
    text = content.decode("utf-8-sig")
    names = next(csv.reader(io.StringIO(text, newline="")), [])
    if len(names) == 1:
        for separator, separators in SEPARATORS.items():
            if separator in names[0]:
                raise TableError(f"fields are separated by {separators}; save the file with commas")
    return names


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
