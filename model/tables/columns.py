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

from model.description.features import FLOAT32_LIMIT, UNKNOWN_CODE, Feature
from model.description.schema import InvalidValue, Schema, Value, value_reader

Bytes: TypeAlias = NDArray[np.uint8]
Mask: TypeAlias = NDArray[np.bool_]
Positions: TypeAlias = NDArray[Any]

MINUS, ZERO, E = (ord(character) for character in "-0e")
LOWER_CASE = 0x20

# Where each byte may occur.
INVALID, PLAIN, EXPONENT = 0, 1, 2  # nowhere, anywhere in a number, only around an exponent
_KINDS = np.zeros(256, dtype=np.uint8)
_KINDS[list(b"0123456789.")] = PLAIN
_KINDS[list(b"eE+-")] = EXPONENT


def read_numbers(array: pa.Array) -> tuple[NDArray[np.float64], Mask]:
    """Return the nearest doubles, and which of them must be read one by one.

    The array is of type binary or large_binary.
    """
    starts, data = _offsets_and_bytes(array)
    unsure = _unusual_ends(starts, data)
    if array.null_count:
        unsure |= array.is_null().to_numpy(zero_copy_only=False)
    if not (data == E).any() and not (data == ord("E")).any():
        try:
            return _cast(array, unsure), unsure
        except pa.ArrowInvalid:
            pass
    unsure[_unusual_rows(starts, data)] = True
    try:
        return _cast(array, unsure), unsure
    except pa.ArrowInvalid:  # such as 1.2.3, which has two points
        return np.full(len(array), np.nan), np.ones(len(array), dtype=bool)


def _offsets_and_bytes(array: pa.Array) -> tuple[Positions, Bytes]:
    """Return where each text starts and the last one ends, and the bytes of all texts."""
    if not len(array):
        return np.zeros(1, np.int64), np.zeros(0, np.uint8)
    width = np.int64 if pa.types.is_large_binary(array.type) else np.int32
    _, offsets, values = array.buffers()
    starts: Positions = np.frombuffer(offsets, width)[array.offset : array.offset + len(array) + 1]
    data = np.frombuffer(values or b"", np.uint8)[starts[0] : starts[-1]]
    return (starts - starts[0] if starts[0] else starts), data


def _unusual_ends(starts: Positions, data: Bytes) -> Mask:
    """Find texts that do not start (after a sign) and end with a digit, or have a leading zero."""
    begins, ends = starts[:-1], starts[1:]
    if not data.size:
        return np.ones(begins.size, dtype=bool)
    first = data.take(begins, mode="clip")
    signed = first == MINUS
    if signed.any():
        begins = begins + signed
        first = data.take(begins, mode="clip")
    unusual: Mask = (begins >= ends) | ~_is_digit(first) | ~_is_digit(data.take(ends - 1, mode="clip"))
    zero = first == ZERO
    if zero.any():
        unusual |= zero & _is_digit(data.take(begins + 1, mode="clip")) & (begins + 1 < ends)
    return unusual


def _unusual_rows(starts: Positions, data: Bytes) -> Positions:
    """Find rows with an invalid byte, a point before the exponent, or a sign in the wrong position."""
    kinds = _KINDS[data]
    begins = starts[:-1][starts[:-1] < starts[1:]]
    kinds[begins[data[begins] == MINUS]] = PLAIN
    special = np.flatnonzero(kinds != PLAIN)
    byte, before = data[special], data[special - (special > 0)]
    exponent = byte | LOWER_CASE == E
    wrong = kinds[special] == INVALID
    wrong |= exponent & ~_is_digit(before)
    wrong |= ~exponent & (before | LOWER_CASE != E)
    rows: Positions = np.searchsorted(starts, special[wrong], side="right") - 1
    return rows


def _is_digit(byte: Bytes) -> Mask:
    digit: Mask = np.less(byte - np.uint8(ZERO), 10)
    return digit


def _cast(array: pa.Array, unsure: Mask) -> NDArray[np.float64]:
    """Convert with pyarrow, which rounds correctly; texts that are not plain become 0."""
    kind = pa.large_string() if pa.types.is_large_binary(array.type) else pa.string()
    buffers = [None, *array.buffers()[1:]]
    if unsure.any():
        hidden = np.concatenate([np.ones(array.offset, dtype=bool), unsure])
        buffers[0] = pa.array(~hidden).buffers()[1]
    texts = pa.Array.from_buffers(kind, len(array), buffers, offset=array.offset)
    numbers: NDArray[np.float64] = texts.cast(pa.float64()).fill_null(0).to_numpy()
    return numbers


ColumnValues: TypeAlias = pa.Array | Sequence[object]
"""An array, or JSON values with MISSING for the rows that have none."""

MISSING = object()

Numbers: TypeAlias = NDArray[np.float64]


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
        self._readers = [_ColumnReader(feature, empty_is_null) for feature in schema.features]

    def read(self, columns: Mapping[str, ColumnValues], rows: int) -> CheckedRows:
        """Check `columns`, which must hold one column of length `rows` for each feature."""
        matrix = np.empty((rows, len(self._readers)), dtype=self._type)
        faults: dict[int, list[FeatureFault]] = {}
        for position, reader in enumerate(self._readers):
            values, details = reader.read(columns[reader.name])
            with np.errstate(over="ignore"):  # only in invalid rows
                matrix[:, position] = values
            for row, detail in details.items():
                faults.setdefault(row, []).append(FeatureFault(reader.name, detail))
        return CheckedRows(matrix, faults)


class _ColumnReader:
    """Reads one feature: pyarrow reads the plain values, and the feature's reader each of the others."""

    def __init__(self, feature: Feature, empty_is_null: bool) -> None:
        self.name = feature.name
        self._feature = feature
        self._read_value = value_reader(feature)
        self._empty_is_null = empty_is_null
        self._codes: dict[Value, float] = {True: 1.0, False: 0.0}
        self._codes |= {category: float(code) for code, category in enumerate(feature.categories)}

    def read(self, column: ColumnValues) -> tuple[Numbers, dict[int, str]]:
        """Return the values, and what is wrong with each invalid one, by row."""
        if not isinstance(column, pa.Array):
            values = np.full(len(column), np.nan)
            return values, self._read_singly(range(len(column)), column.__getitem__, values)
        array = _simplified(column)
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
        return values, unsure

    def _read_codes(self, array: pa.Array, kind: str) -> tuple[Numbers, Mask]:
        if kind == "boolean" and pa.types.is_boolean(array.type):
            values = array.fill_null(False).to_numpy(zero_copy_only=False).astype(np.float64)
            return values, _nulls(array)
        if not (pa.types.is_binary(array.type) or pa.types.is_large_binary(array.type)):
            return _all_unsure(array)
        texts = ("false", "true") if kind == "boolean" else self._feature.categories
        codes = pc.index_in(array, value_set=pa.array([text.encode() for text in texts], array.type))
        unsure = _nulls(codes)
        if "" in texts and self._empty_is_null:
            unsure |= pc.equal(array, b"").fill_null(False).to_numpy(zero_copy_only=False)
        return codes.fill_null(0).to_numpy().astype(np.float64), unsure

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
            return np.nan, "is missing"
        try:
            checked = self._read_value(value)
        except InvalidValue as error:
            return np.nan, "must not be null" if value is None else str(error)
        if checked is None:
            return np.nan, None
        if isinstance(checked, str | bool):
            return self._codes.get(checked, UNKNOWN_CODE), None
        return float(checked), None


def _simplified(array: pa.Array) -> pa.Array:
    """Turn text into bytes, decimals into text as bytes, and dictionaries into their values."""
    kind = array.type
    if pa.types.is_dictionary(kind):
        return _simplified(array.dictionary_decode())
    if pa.types.is_decimal(kind):
        return array.cast(pa.string()).cast(pa.binary())
    if pa.types.is_string(kind):
        return array.cast(pa.binary())
    if pa.types.is_large_string(kind) or pa.types.is_string_view(kind) or pa.types.is_binary_view(kind):
        return array.cast(pa.large_binary())
    if pa.types.is_float16(kind):
        return array.cast(pa.float32())
    return array


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
