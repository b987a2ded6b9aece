"""The features of a row as JSON, as a caller may correct them."""

from typing import Any

import orjson
import pyarrow as pa

from model.tables.columns import MISSING
from worker.tables.read import Rows


def input_of(rows: Rows, row: int) -> bytes:
    """A JSON object; fields of CSV are texts, and features without a value are left out."""
    values = {name: _value(column, row) for name, column in rows.features.items()}
    present = {name: value for name, value in values.items() if value is not MISSING}
    return orjson.dumps(present, default=_text)


def _value(column: Any, row: int) -> Any:
    value = column[row]
    if isinstance(value, pa.Scalar):
        value = value.as_py()
    return _text(value) if isinstance(value, bytes) else value


def _text(value: object) -> str:
    return value.decode(errors="replace") if isinstance(value, bytes) else str(value)
