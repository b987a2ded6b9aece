"""One column of a table: its type, found from its values, and the values as the model sees them."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from model.description.features import FLOAT32_LIMIT
from model.description.schema import NUMBER, WHITESPACE
from model.training.table import TableError

INTEGER = r"^-?(?:0|[1-9][0-9]*)$"
BOOLEAN = r"^(?:true|false)$"
MAX_MISSING_TEXTS = 3
"""A column of numbers with at most this many other texts probably uses them for missing values."""
MAX_TEXTS, MIN_ROWS = 1_000, 40
"""A column with more than MAX_TEXTS different texts is an identifier. So is a column with more than MIN_ROWS
rows in which over half of the rows have a text of their own."""


@dataclass(frozen=True)
class TableColumn:
    """`values` are float64; NaN is a missing value, and a category is its position in `texts`."""

    name: str
    type: str
    values: NDArray[np.float64]
    texts: tuple[str, ...] = ()

    @property
    def missing(self) -> NDArray[np.bool_]:
        return np.isnan(self.values)

    @property
    def is_identifier(self) -> bool:
        """Whether the texts name the rows, or are prose: nearly every row has its own."""
        rows, texts = len(self.values), len(self.texts)
        return self.type == "category" and (texts > MAX_TEXTS or (rows > MIN_ROWS and 2 * texts > rows))

    def count_distinct(self) -> int:
        """Count the different values, without missing ones."""
        return len(np.unique(self.values[~self.missing]))

    def select(self, rows: NDArray[np.bool_]) -> "TableColumn":
        """Return the column with only these rows."""
        return TableColumn(self.name, self.type, self.values[rows], self.texts)

    def value(self, row: int) -> Any:
        """Return the value of a row as a caller would send it."""
        value = float(self.values[row])
        if np.isnan(value):
            return None
        if self.type == "category":
            return self.texts[int(value)]
        if self.type == "boolean":
            return bool(value)
        return int(value) if self.type == "integer" else value


def read_column(name: str, values: pa.ChunkedArray) -> TableColumn:
    """Find the type of a column and convert its values; raises TableError."""
    if pa.types.is_dictionary(values.type):
        values = values.cast(values.type.value_type)
    kind = values.type
    if values.null_count == len(values):
        raise _empty(name)
    if pa.types.is_string(kind) or pa.types.is_large_string(kind):
        return _read_text(name, values)
    if pa.types.is_boolean(kind):
        return TableColumn(name, "boolean", _floats(values.cast(pa.uint8())))
    if pa.types.is_integer(kind):
        return _read_numbers(name, "integer", values)
    if pa.types.is_floating(kind) or pa.types.is_decimal(kind):
        return _read_numbers(name, "number", values)
    raise TableError(
        f"column {name!r} has the type {kind}, which is not supported; "
        f"convert it to a number, or leave it out: --drop {name!r}"
    )


def _empty(name: str) -> TableError:
    return TableError(f"column {name!r} has no value in any row; leave it out: --drop {name!r}")


def _read_text(name: str, values: pa.ChunkedArray) -> TableColumn:
    trimmed = pc.utf8_trim(values, characters=WHITESPACE)
    if _all_match(trimmed, BOOLEAN):
        return TableColumn(name, "boolean", _floats(pc.equal(trimmed, "true").cast(pa.uint8())))
    if _all_match(trimmed, INTEGER):
        return _read_numbers(name, "integer", trimmed)
    are_numbers = pc.match_substring_regex(trimmed, f"^(?:{NUMBER.pattern})$")
    if pc.all(are_numbers).as_py():
        return _read_numbers(name, "number", trimmed)
    _refuse_missing_texts(name, trimmed, are_numbers)
    texts = sorted(pc.unique(values.drop_null()).to_pylist())
    codes = pc.index_in(values, value_set=pa.array(texts, type=values.type))
    return TableColumn(name, "category", _floats(codes), tuple(texts))


def _refuse_missing_texts(name: str, values: pa.ChunkedArray, are_numbers: pa.ChunkedArray) -> None:
    """Refuse a column of numbers that contains a few other texts, such as NA."""
    others = pc.unique(values.filter(pc.invert(are_numbers)).drop_null()).to_pylist()
    if len(others) <= MAX_MISSING_TEXTS and pc.mean(are_numbers.cast(pa.uint8())).as_py() > 0.5:
        listed = ",".join(others)
        raise TableError(
            f"column {name!r} has numbers except for {listed!r}; "
            f"if these are missing values, add --missing {listed!r}"
        )


def _all_match(values: pa.ChunkedArray, pattern: str) -> bool:
    return bool(pc.all(pc.match_substring_regex(values, pattern)).as_py())


def _read_numbers(name: str, kind: str, values: pa.ChunkedArray) -> TableColumn:
    numbers = _floats(values.cast(pa.float64(), safe=False))
    if np.any(np.abs(numbers) >= FLOAT32_LIMIT):
        raise TableError(f"column {name!r} has a value that does not fit a 32-bit float")
    if np.isnan(numbers).all():
        raise _empty(name)
    return TableColumn(name, kind, numbers)


def _floats(values: pa.ChunkedArray) -> NDArray[np.float64]:
    floats: NDArray[np.float64] = values.cast(pa.float64()).to_numpy()
    return floats
