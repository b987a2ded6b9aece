"""A table to learn from: a CSV or Parquet file, read without interpreting its values."""

import csv
import hashlib
import io
import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.csv
import pyarrow.parquet

from model.description.errors import ModelError

PARQUET = b"PAR1"
SEPARATORS = {";": "semicolons", "\t": "tabs", "|": "vertical bars"}


class TableError(ModelError):
    """A table, or a file that goes with it, cannot be used."""


@dataclass(frozen=True)
class Table:
    """`file` is the name without folders. All columns of a CSV file are text."""

    file: str
    sha256: str
    columns: pa.Table


def read_table(path: Path, missing: Sequence[str] = ()) -> Table:
    """Read a file; raises TableError.

    In CSV, empty fields and the texts of `missing` are missing values.
    """
    try:
        content = path.read_bytes()
    except OSError as error:
        raise TableError(f"{path}: cannot be read: {error.strerror}") from None
    try:
        columns = _read_parquet(content) if content.startswith(PARQUET) else _read_csv(content, missing)
    except (pa.ArrowException, UnicodeDecodeError, csv.Error) as error:
        reason = str(error).partition("\n")[0]
        raise TableError(f"{path.name}: is not a complete CSV or Parquet table: {reason}") from None
    except TableError as error:
        raise TableError(f"{path.name}: {error}") from None
    return Table(path.name, hashlib.sha256(content).hexdigest(), columns)


def read_json(file: Path) -> Any:
    """Read a JSON file that goes with a table; raises TableError."""
    try:
        return json.loads(file.read_text(encoding="utf-8"))
    except OSError as error:
        raise TableError(f"{file}: cannot be read: {error.strerror}") from None
    except (ValueError, RecursionError) as error:
        raise TableError(f"{file}: is not JSON: {error}") from None


def _read_parquet(content: bytes) -> pa.Table:
    table = pa.parquet.read_table(pa.BufferReader(content), use_threads=False)
    _check_columns(table.column_names)
    _check_rows(table)
    return table


def _read_csv(content: bytes, missing: Sequence[str]) -> pa.Table:
    names = _read_header(content)
    _check_columns(names)
    table = pa.csv.read_csv(
        pa.BufferReader(content),
        read_options=pa.csv.ReadOptions(use_threads=False),
        parse_options=pa.csv.ParseOptions(newlines_in_values=True),
        convert_options=pa.csv.ConvertOptions(
            column_types=dict.fromkeys(names, pa.string()),
            null_values=["", *missing],
            strings_can_be_null=True,
        ),
    )
    _check_rows(table)
    return table


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
