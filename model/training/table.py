"""A table to learn from: a CSV or Parquet file, read as it is."""

import csv
import hashlib
import io
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa
import pyarrow.csv
import pyarrow.parquet

from model.description.errors import ModelError

PARQUET = b"PAR1"
SEPARATORS = {";": "semicolons", "\t": "tabs", "|": "bars"}


class TableError(ModelError):
    """A file is no table to learn from."""


@dataclass(frozen=True)
class Table:
    """`file` is its name without the folders; of a CSV file every column is text."""

    file: str
    sha256: str
    columns: pa.Table

    @property
    def rows(self) -> int:
        return int(self.columns.num_rows)


def read_table(path: Path, missing: Sequence[str] = ()) -> Table:
    """Read a file; in CSV the empty field is a missing value, and so are the texts of `missing`."""
    try:
        content = path.read_bytes()
    except OSError as error:
        raise TableError(f"{path}: cannot be read: {error.strerror}") from None
    try:
        columns = _parquet(content) if content.startswith(PARQUET) else _csv(content, missing)
    except (pa.ArrowException, UnicodeDecodeError, csv.Error) as error:
        reason = str(error).partition("\n")[0]
        raise TableError(f"{path.name}: is no whole CSV or Parquet table: {reason}") from None
    except TableError as error:
        raise TableError(f"{path.name}: {error}") from None
    return Table(path.name, hashlib.sha256(content).hexdigest(), columns)


def _parquet(content: bytes) -> pa.Table:
    read = pa.parquet.read_table(pa.BufferReader(content), use_threads=False)
    _check(read.column_names, read.num_rows)
    return read


def _csv(content: bytes, missing: Sequence[str]) -> pa.Table:
    names = _header(content)
    _check(names, rows=1)
    read = pa.csv.read_csv(
        pa.BufferReader(content),
        read_options=pa.csv.ReadOptions(use_threads=False),
        parse_options=pa.csv.ParseOptions(newlines_in_values=True),
        convert_options=pa.csv.ConvertOptions(
            column_types=dict.fromkeys(names, pa.string()),
            null_values=["", *missing],
            strings_can_be_null=True,
        ),
    )
    _check(names, read.num_rows)
    return read


def _header(content: bytes) -> list[str]:
    text = content.decode("utf-8-sig")
    names = next(csv.reader(io.StringIO(text, newline="")), [])
    if len(names) == 1:
        for separator, called in SEPARATORS.items():
            if separator in names[0]:
                raise TableError(f"its fields are separated by {called}; save it with commas")
    return names


def _check(names: Sequence[str], rows: int) -> None:
    if not names:
        raise TableError("has no columns")
    for name in names:
        if not name:
            raise TableError("has a column without a name")
        if list(names).count(name) > 1:
            raise TableError(f"has two columns of the name {name!r}")
    if not rows:
        raise TableError("has no rows")
