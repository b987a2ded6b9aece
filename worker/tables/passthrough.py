"""The columns that are not features, kept for the results as they came."""

from abc import ABC, abstractmethod
from base64 import b64encode
from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any

import orjson
import pyarrow as pa
import pyarrow.compute as pc

from jobs.errors import InvalidTable
from jobs.files.json_lines import ExactNumber, write_exactly

_TO_BE_QUOTED = b'",\r\n'
_FORMULA = r"^[=+\-@\t\r\n]"
_SIGNED_NUMBER = r"^[+-]([0-9]+([.,][0-9]*)?|[.,][0-9]+)([eE][+-]?[0-9]+)?$"
"""No formula, though it begins like one."""


class Passthrough(ABC):
    """The passthrough columns of some rows."""

    @abstractmethod
    def texts(self) -> list[pa.Array]:
        """For CSV: the texts of each column, as bytes, which are not quoted yet."""

    @abstractmethod
    def objects(self) -> list[bytes]:
        """For NDJSON: the object of each row, without its closing brace."""

    @abstractmethod
    def arrays(self) -> dict[str, pa.Array]:
        """For Parquet: the columns by name."""


class ArrowColumns(Passthrough):
    """Columns of a Parquet file."""

    def __init__(self, columns: Mapping[str, pa.Array]) -> None:
        self._columns = columns

    def texts(self) -> list[pa.Array]:
        return [_as_texts(array) for array in self._columns.values()]

    def objects(self) -> list[bytes]:
        values = [_values(_readable(array)) for array in self._columns.values()]
        return [
            orjson.dumps(dict(zip(self._columns, row, strict=True)), default=_json_text)[:-1]
            for row in zip(*values, strict=True)
        ]

    def arrays(self) -> dict[str, pa.Array]:
        return dict(self._columns)


class CsvColumns(ArrowColumns):
    """Columns of a CSV file, as UTF-8 bytes."""

    def texts(self) -> list[pa.Array]:
        return list(self._columns.values())

    def arrays(self) -> dict[str, pa.Array]:
        return {name: array.cast(pa.string()) for name, array in self._columns.items()}


class JsonMembers(Passthrough):
    """Members of JSON objects. As columns they are texts, and only the members in `names`."""

    def __init__(self, rows: Sequence[dict[str, Any]], names: Sequence[str], features: Sequence[str]) -> None:
        self._rows = rows
        self._names = names
        self._dropped = frozenset(features) - frozenset(names)

    def texts(self) -> list[pa.Array]:
        return [array.cast(pa.binary()) for array in self.arrays().values()]

    def objects(self) -> list[bytes]:
        dropped = self._dropped
        return [
            orjson.dumps(
                {name: value for name, value in row.items() if name not in dropped}, default=write_exactly
            )[:-1]
            for row in self._rows
        ]

    def arrays(self) -> dict[str, pa.Array]:
        return {
            name: pa.array([_as_text(row.get(name)) for row in self._rows], pa.string())
            for name in self._names
        }


def escaped(array: pa.Array) -> pa.Array:
    """Binary texts, with an apostrophe before each that a spreadsheet would run as a formula."""
    formulas = pc.match_substring_regex(array, _FORMULA)
    numbers = pc.match_substring_regex(array, _SIGNED_NUMBER)
    return pc.if_else(
        pc.fill_null(pc.and_not(formulas, numbers), False),
        join([pa.scalar(b"'", pa.binary()), array], b""),
        array,
    )


def quoted(array: pa.Array) -> pa.Array:
    """Binary texts as CSV fields; null becomes an empty field."""
    array = array.fill_null(b"")
    data = array.buffers()[2]
    if data is None or not any(byte in data.to_pybytes() for byte in _TO_BE_QUOTED):
        return array
    return pa.array([quote(text) for text in array.to_pylist()], pa.binary())


def quote(text: bytes) -> bytes:
    if any(byte in text for byte in _TO_BE_QUOTED):
        return b'"' + text.replace(b'"', b'""') + b'"'
    return text


def _as_texts(array: pa.Array) -> pa.Array:
    array = _readable(array)
    if pa.types.is_nested(array.type):
        return pa.array([_as_text(value) for value in _values(array)], pa.string()).cast(pa.binary())
    return array.cast(pa.string()).cast(pa.binary())


def _readable(array: pa.Array) -> pa.Array:
    """Without dictionaries; times as texts, and bytes as texts, or as base64 where they are not UTF-8.

    A file may call bytes a text that are none.
    """
    if pa.types.is_dictionary(array.type):
        array = array.dictionary_decode()
    if pa.types.is_string(array.type) or pa.types.is_large_string(array.type):
        array = array.cast(pa.large_binary() if pa.types.is_large_string(array.type) else pa.binary())
    if pa.types.is_binary(array.type) or pa.types.is_large_binary(array.type):
        try:
            return array.cast(pa.string())
        except pa.ArrowInvalid:
            return pa.array([value and _bytes_as_text(value) for value in array.to_pylist()], pa.string())
    if pa.types.is_timestamp(array.type) or pa.types.is_date(array.type) or pa.types.is_time(array.type):
        return array.cast(pa.string())
    return array


def _values(array: pa.Array) -> list[Any]:
    """Raises InvalidTable for a text within a list or struct that is not UTF-8."""
    try:
        values: list[Any] = array.to_pylist()
    except UnicodeDecodeError:
        raise InvalidTable("a text in a list or struct is not UTF-8; write the file again") from None
    return values


def _bytes_as_text(value: bytes) -> str:
    try:
        return value.decode()
    except UnicodeDecodeError:
        return f"base64:{b64encode(value).decode()}"


def _json_text(value: object) -> object:
    """What orjson writes for a value that it does not know."""
    if isinstance(value, ExactNumber):
        return write_exactly(value)
    if isinstance(value, Decimal):
        return orjson.Fragment(str(value))
    return _bytes_as_text(value) if isinstance(value, bytes) else str(value)


def _as_text(value: object) -> str | None:
    if value is None or isinstance(value, str):
        return value
    return orjson.dumps(value, default=_json_text).decode()


def join(columns: Sequence[pa.Array | pa.Scalar], separator: bytes) -> pa.Array:
    """The texts of each row, joined."""
    return pc.binary_join_element_wise(*columns, pa.scalar(separator, pa.binary()))
