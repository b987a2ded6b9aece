"""Reads the features of a table column by column, with the same results as `Schema.check_row`.

Plain values are read by pyarrow. All others go through the reader of their feature, one by one, so that value
and fault are those of a single row.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple, TypeAlias

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from model.description.dates import day_number, parse_date
from model.description.features import FLOAT32_LIMIT, Feature
from model.description.schema import Schema
from model.description.values import (
    BOOLEANS,
    EXACT_INTEGERS,
    UNKNOWN,
    InvalidValue,
    category_lookup,
    value_reader,
)
from model.tables.numbers import Mask, read_numbers

ColumnValues: TypeAlias = pa.Array | Sequence[object]
"""An array, or JSON values with MISSING for the rows that have none."""

MISSING = object()

Numbers: TypeAlias = NDArray[np.float64]

ONE_TYPE: tuple[set[type], ...] = ({bool}, {int}, {float}, {int, float}, {str})
UNKNOWN_CODE = -1.0
"""The code of a category that a bundle's steps may not know."""
_PLAIN_BOOLEANS = ("false", "true", "False", "True", "FALSE", "TRUE", "0", "1")


class FeatureFault(NamedTuple):
    """What is wrong with one value of a row."""

    feature: str
    detail: str


class CheckedRows(NamedTuple):
    """The matrix of a bundle, of shape (rows, features), and the faults by row.

    Invalid values are NaN; rows with faults must not be scored.
    """

    matrix: NDArray[Any]
    faults: dict[int, list[FeatureFault]]


class ColumnCheck:
    """Checks the columns of a table, and makes a matrix of them.

    `empty_is_null` is for CSV, where an empty field is a missing value.
    """

    def __init__(
        self, schema: Schema, empty_is_null: bool, matrix_type: type[np.floating[Any]] = np.float32
    ) -> None:
        self._type = matrix_type
        self._readers = [
            ColumnReader(feature, schema.missing_texts, empty_is_null) for feature in schema.features
        ]

    def read(self, columns: Mapping[str, ColumnValues], rows: int) -> CheckedRows:
        """Check `columns` of length `rows`; a nullable feature without a column is missing in every row."""
        matrix = np.empty((rows, len(self._readers)), dtype=self._type)
        faults: dict[int, list[FeatureFault]] = {}
        for position, reader in enumerate(self._readers):
            if reader.nullable and reader.name not in columns:
                matrix[:, position] = np.nan
                continue
            values, details = reader.read(columns[reader.name])
            with np.errstate(over="ignore"):  # only in invalid rows
                matrix[:, position] = values
            for row, detail in details.items():
                faults.setdefault(row, []).append(FeatureFault(reader.name, detail))
        return CheckedRows(matrix, faults)


class ColumnReader:
    """Reads one feature: pyarrow reads the plain values, and the feature's reader each of the others."""

    def __init__(self, feature: Feature, missing_texts: Sequence[str], empty_is_null: bool) -> None:
        self.name = feature.name
        self.nullable = feature.nullable
        self._feature = feature
        self._read_value = value_reader(feature, missing_texts)
        self._empty_is_null = empty_is_null
        positions = {category: float(code) for code, category in enumerate(feature.categories)}
        if feature.type == "boolean":
            self._codes = {text: float(BOOLEANS[text.lower()]) for text in _PLAIN_BOOLEANS}
        else:
            lookup = category_lookup(feature)
            self._codes = {text: positions[category] for text, category in lookup.items()}
        self._texts = [text.encode() for text in self._codes]
        self._numbers = np.array(list(self._codes.values()))
        self._plain = self._numbers.tolist() == list(range(len(self._numbers)))

    def read(self, column: ColumnValues) -> tuple[Numbers, dict[int, str]]:
        """Return the values, and what is wrong with each invalid one, by row."""
        found = column if isinstance(column, pa.Array) else _array_of(column)
        if found is None:
            values = np.full(len(column), np.nan)
            return values, self._read_singly(range(len(column)), column.__getitem__, values)
        array = _simplified(found)
        values, unsure = self._read_plain(array)
        if not unsure.any():
            return values, {}
        values = values.copy()  # the memory belongs to pyarrow, and is read-only
        rows: list[int] = np.flatnonzero(unsure).tolist()
        singles = array.take(pa.array(rows)).to_pylist()
        empty = None if self._empty_is_null else ""
        texts = [(_decoded(value) or empty) if isinstance(value, bytes) else value for value in singles]
        return values, self._read_singly(rows, dict(zip(rows, texts, strict=True)).__getitem__, values)

    def _read_plain(self, array: pa.Array) -> tuple[Numbers, Mask]:
        """Return the values, and which of them must be read one by one."""
        kind = self._feature.type
        if kind == "date":
            return self._read_dates(array)
        if kind in ("boolean", "category"):
            return self._read_codes(array, kind)
        if pa.types.is_large_binary(array.type) or pa.types.is_binary(array.type):
            values, unsure = read_numbers(array)
        elif pa.types.is_integer(array.type) or pa.types.is_floating(array.type):
            unsure = _nulls(array)
            values = array.fill_null(0).to_numpy(zero_copy_only=False).astype(np.float64)
        else:
            return _all_unsure(array)
        unsure |= ~(np.abs(values) < FLOAT32_LIMIT)
        if kind == "integer":
            with np.errstate(invalid="ignore"):
                unsure |= values != np.floor(values)
        for limit, is_beyond in ((self._feature.minimum, np.less), (self._feature.maximum, np.greater)):
            if limit is not None:
                unsure |= is_beyond(values, limit)
        return self._with_missing(array, values, unsure)

    def _with_missing(self, array: pa.Array, values: Numbers, unsure: Mask) -> tuple[Numbers, Mask]:
        """Read null and NaN at once, since a column may have many."""
        if not self.nullable or not unsure.any():
            return values, unsure
        missing: Mask = array.is_null(nan_is_null=True).to_numpy(zero_copy_only=False)
        if self._empty_is_null:
            missing = missing | pc.equal(array, b"").fill_null(True).to_numpy(zero_copy_only=False)
        return np.where(missing, np.nan, values), unsure & ~missing

    def _read_dates(self, array: pa.Array) -> tuple[Numbers, Mask]:
        """Read each different text once."""
        if not (pa.types.is_binary(array.type) or pa.types.is_large_binary(array.type)):
            return _all_unsure(array)
        encoded = array.dictionary_encode()
        days = np.array([_day(_decoded(text)) for text in encoded.dictionary.to_pylist()] or [np.nan])
        values = days[encoded.indices.fill_null(0).to_numpy(zero_copy_only=False)]
        return self._with_missing(array, values, np.isnan(values) | _nulls(array))

    def _read_codes(self, array: pa.Array, kind: str) -> tuple[Numbers, Mask]:
        if kind == "boolean" and pa.types.is_boolean(array.type):
            values = array.fill_null(False).to_numpy(zero_copy_only=False).astype(np.float64)
            return self._with_missing(array, values, _nulls(array))
        texts = _as_texts(array)
        if texts is None:
            return _all_unsure(array)
        codes = pc.index_in(texts, value_set=pa.array(self._texts, texts.type))
        unsure = _nulls(codes)
        if "" in self._codes and self._empty_is_null:
            unsure |= pc.equal(texts, b"").fill_null(False).to_numpy(zero_copy_only=False)
        positions = codes.fill_null(0).to_numpy()
        values = positions.astype(np.float64) if self._plain else self._numbers[positions]
        return self._with_missing(array, values, unsure)

    def _read_singly(
        self, rows: Sequence[int], value_of: Callable[[int], object], values: Numbers
    ) -> dict[int, str]:
        """Read the values of these rows into `values`; returns the faults by row."""
        faults = {}
        known: dict[str, tuple[float, str | None]] = {}  # a file repeats the same few invalid texts
        for row in rows:
            value = value_of(row)
            result = known.get(value) if isinstance(value, str) else None
            if result is None:
                result = self._read_one(value)
                if isinstance(value, str):
                    known[value] = result
            values[row], fault = result
            if fault:
                faults[row] = fault
        return faults

    def _read_one(self, value: object) -> tuple[float, str | None]:
        """Return the number for XGBoost, and what is wrong with the value."""
        if value is MISSING:
            return np.nan, None if self.nullable else "is missing"
        try:
            checked = self._read_value(value)
        except InvalidValue as error:
            return np.nan, "must not be null" if value is None else str(error)
        if checked is None:
            return np.nan, None
        if not isinstance(checked, str):
            return float(checked), None
        if self._feature.type == "date":
            return float(day_number(checked)), None
        if self._feature.unseen == UNKNOWN:
            return self._codes.get(checked, UNKNOWN_CODE), None
        return self._codes[checked], None


def _array_of(values: Sequence[object]) -> pa.Array | None:
    """Return JSON values that are all of one type, or null, as an array; None for other values."""
    if set(map(type, values)) - {type(None)} not in ONE_TYPE:
        return None
    try:
        return pa.array(values)
    except (pa.ArrowException, OverflowError, UnicodeError):  # such as an integer of 30 digits
        return None


def _as_texts(array: pa.Array) -> pa.Array | None:
    """Return texts as bytes; integers, booleans and floats without a fraction as text, null for other floats.

    None for any other type.
    """
    kind = array.type
    if pa.types.is_binary(kind) or pa.types.is_large_binary(kind):
        return array
    if pa.types.is_floating(kind):
        numbers = array.fill_null(np.nan).to_numpy(zero_copy_only=False).astype(np.float64)
        whole = (np.abs(numbers) < EXACT_INTEGERS) & (numbers == np.floor(numbers))
        array = pa.array(np.where(whole, numbers, 0).astype(np.int64), mask=~whole)
    elif not (pa.types.is_integer(kind) or pa.types.is_boolean(kind)):
        return None
    return array.cast(pa.string()).cast(pa.binary())


def values_as_sent(column: pa.ChunkedArray) -> list[Any]:
    """Return the values of a column as a caller would send them in JSON."""
    values = _simplified(column.combine_chunks()).to_pylist()
    return [_decoded(value) if isinstance(value, bytes) else value for value in values]


def _simplified(array: pa.Array) -> pa.Array:
    """Turn text into bytes, decimals and dates into text as bytes, and dictionaries into their values."""
    kind = array.type
    if pa.types.is_dictionary(kind):
        return _simplified(array.dictionary_decode())
    if (
        pa.types.is_decimal(kind)
        or pa.types.is_date(kind)
        or (pa.types.is_timestamp(kind) and kind.tz is None)
    ):
        return array.cast(pa.string()).cast(pa.binary())
    if pa.types.is_string(kind):
        return array.cast(pa.binary())
    if pa.types.is_large_string(kind) or pa.types.is_string_view(kind) or pa.types.is_binary_view(kind):
        return array.cast(pa.large_binary())
    if pa.types.is_float16(kind):
        return array.cast(pa.float32())
    return array


def _day(text: str) -> float:
    """Return the number of a day; NaN for what is no plain date."""
    date = parse_date(text)
    return np.nan if date is None else float(day_number(date))


def _nulls(array: pa.Array) -> Mask:
    if not array.null_count:
        return np.zeros(len(array), dtype=bool)
    nulls: Mask = array.is_null().to_numpy(zero_copy_only=False).copy()
    return nulls


def _all_unsure(array: Any) -> tuple[Numbers, Mask]:
    return np.full(len(array), np.nan), np.ones(len(array), dtype=bool)


def _decoded(value: bytes) -> str:
    """Decode UTF-8; invalid bytes become a character that no feature accepts."""
    return value.decode(errors="replace")
