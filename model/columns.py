"""The check of rows by column: the same grammar as row by row, at the speed of arrays.

Values that look plain are read by pyarrow; every other value goes through the check of its feature, so that
value and reason are those that a single row gets.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple, TypeAlias

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from model.description.feature import Feature
from model.description.grammar import BEYOND_FLOAT32, Check, Refused, Value
from model.description.schema import Schema
from model.text_numbers import read_numbers

Column: TypeAlias = pa.Array | Sequence[object]
"""An array, or values as JSON gives them; MISSING where a row has none."""

MISSING = object()


class Fault(NamedTuple):
    feature: str
    detail: str


class Checked(NamedTuple):
    """The rows as XGBoost takes them; those with faults are NaN in places, and not to be scored."""

    matrix: NDArray[np.float32]
    faults: dict[int, list[Fault]]


class ColumnCheck:
    """Reads the columns of a table; `empty_is_null` is CSV's way to say that a value is missing."""

    def __init__(self, schema: Schema, empty_is_null: bool) -> None:
        self._readers = [_Reader(feature, empty_is_null) for feature in schema.features]

    def read(self, columns: Mapping[str, Column], rows: int) -> Checked:
        """`columns` has one of this many rows for each feature."""
        matrix = np.empty((rows, len(self._readers)), dtype=np.float32)
        faults: dict[int, list[Fault]] = {}
        for place, reader in enumerate(self._readers):
            values, refused = reader.read(columns[reader.name])
            with np.errstate(over="ignore"):  # of rows that are refused
                matrix[:, place] = values
            for row, detail in refused.items():
                faults.setdefault(row, []).append(Fault(reader.name, detail))
        return Checked(matrix, faults)


class _Reader:
    """One feature: doubtful values are found by array, and judged one by one."""

    def __init__(self, feature: Feature, empty_is_null: bool) -> None:
        self.name = feature.name
        self._feature = feature
        self._check: Check = feature.compile()
        self._empty_is_null = empty_is_null
        self._codes: dict[Value, float] = {True: 1.0, False: 0.0}
        self._codes |= {category: float(code) for code, category in enumerate(feature.categories)}

    def read(self, column: Column) -> tuple[NDArray[np.float64], dict[int, str]]:
        """The values, and the reason for each row that is refused."""
        if not isinstance(column, pa.Array):
            values = np.full(len(column), np.nan)
            return values, self._judge(range(len(column)), column.__getitem__, values)
        array = _plain(column)
        values, doubtful = self._read_plain(array)
        if not doubtful.any():
            return values, {}
        values = values.copy()  # pyarrow's own memory is not to be written to
        rows: list[int] = np.flatnonzero(doubtful).tolist()
        judged = array.take(pa.array(rows)).to_pylist()
        empty = None if self._empty_is_null else ""
        texts = [(_text(value) or empty) if isinstance(value, bytes) else value for value in judged]
        return values, self._judge(rows, dict(zip(rows, texts, strict=True)).__getitem__, values)

    def _read_plain(self, array: pa.Array) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
        """The values that are plain, and which are not."""
        kind = self._feature.type
        if kind in ("boolean", "category"):
            return self._read_codes(array, kind)
        if pa.types.is_large_binary(array.type) or pa.types.is_binary(array.type):
            values, doubtful = read_numbers(array)
        elif pa.types.is_integer(array.type) or pa.types.is_floating(array.type):
            doubtful = _nulls(array)
            values = array.fill_null(0).to_numpy(zero_copy_only=False).astype(np.float64)
        else:
            return _all_doubtful(array)
        doubtful |= ~(np.abs(values) < BEYOND_FLOAT32)
        if kind == "integer":
            with np.errstate(invalid="ignore"):
                doubtful |= values != np.floor(values)
        for limit, breaks in ((self._feature.minimum, np.less), (self._feature.maximum, np.greater)):
            if limit is not None:
                doubtful |= breaks(values, limit)
        return values, doubtful

    def _read_codes(self, array: pa.Array, kind: str) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
        if kind == "boolean" and pa.types.is_boolean(array.type):
            values = array.fill_null(False).to_numpy(zero_copy_only=False).astype(np.float64)
            return values, _nulls(array)
        if not (pa.types.is_binary(array.type) or pa.types.is_large_binary(array.type)):
            return _all_doubtful(array)
        known = ("false", "true") if kind == "boolean" else self._feature.categories
        found = pc.index_in(array, value_set=pa.array([one.encode() for one in known], array.type))
        doubtful = _nulls(found)
        if "" in known and self._empty_is_null:
            doubtful |= pc.equal(array, b"").fill_null(False).to_numpy(zero_copy_only=False)
        return found.fill_null(0).to_numpy().astype(np.float64), doubtful

    def _judge(
        self, rows: Sequence[int], value_of: Callable[[int], object], values: NDArray[np.float64]
    ) -> dict[int, str]:
        refused = {}
        known: dict[str, tuple[float, str | None]] = {}  # the same few texts are wrong all over a file
        for row in rows:
            value = value_of(row)
            judged = known.get(value) if isinstance(value, str) else None
            if judged is None:
                judged = self._judge_one(value)
                if isinstance(value, str):
                    known[value] = judged
            values[row], reason = judged
            if reason:
                refused[row] = reason
        return refused

    def _judge_one(self, value: object) -> tuple[float, str | None]:
        """The number for XGBoost, or the reason why there is none."""
        if value is MISSING:
            return np.nan, "is missing"
        try:
            read = self._check(value)
        except Refused as reason:
            return np.nan, "must not be null" if value is None else str(reason)
        if read is None:
            return np.nan, None
        return (self._codes[read] if isinstance(read, str | bool) else float(read)), None


def _plain(array: pa.Array) -> pa.Array:
    """Texts as their bytes, decimals as texts, and no dictionaries."""
    kind = array.type
    if pa.types.is_dictionary(kind):
        return _plain(array.dictionary_decode())
    if pa.types.is_decimal(kind):
        return array.cast(pa.string()).cast(pa.binary())
    if pa.types.is_string(kind):
        return array.cast(pa.binary())
    if pa.types.is_large_string(kind) or pa.types.is_string_view(kind) or pa.types.is_binary_view(kind):
        return array.cast(pa.large_binary())
    if pa.types.is_float16(kind):
        return array.cast(pa.float32())
    return array


def _nulls(array: pa.Array) -> NDArray[np.bool_]:
    if not array.null_count:
        return np.zeros(len(array), dtype=bool)
    nulls: NDArray[np.bool_] = array.is_null().to_numpy(zero_copy_only=False).copy()
    return nulls


def _all_doubtful(array: Any) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
    return np.full(len(array), np.nan), np.ones(len(array), dtype=bool)


def _text(value: bytes) -> str:
    """Bytes that are no UTF-8 become a mark that no grammar allows."""
    return value.decode(errors="replace")
