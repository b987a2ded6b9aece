"""One column of a table: its type, found from its values, and the values as the model sees them."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from model.description.features import Feature
from model.description.values import NOT_A_NUMBER, NUMBER, WHITESPACE, category_key
from model.tables.columns import ColumnReader
from model.tables.table import TableError

BOOLEAN = r"^(?i:true|false)$"
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
    def whole(self) -> bool:
        """Whether the column has numbers without a fraction only."""
        present = self.values[~self.missing]
        return self.type == "number" and bool((present == np.floor(present)).all())

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
        return int(value) if self.whole else value


def read_column(name: str, values: pa.ChunkedArray) -> TableColumn:
    """Find the type of a column and convert its values, as they are read when rows are scored.

    Raises TableError.
    """
    kind = values.type
    if values.null_count == len(values):
        raise _empty(name)
    if pa.types.is_dictionary(kind):
        return _read_dictionary(name, values)
    if pa.types.is_string(kind) or pa.types.is_large_string(kind):
        return _read_text(name, values)
    if pa.types.is_boolean(kind):
        return _read_as("boolean", name, values)
    if pa.types.is_integer(kind) or pa.types.is_floating(kind) or pa.types.is_decimal(kind):
        return _read_as("number", name, values)
    raise TableError(
        f"column {name!r} has the type {kind}, which is not supported; "
        f"convert it to a number, or leave it out: --drop {name!r}"
    )


def _empty(name: str) -> TableError:
    return TableError(f"column {name!r} has no value in any row; leave it out: --drop {name!r}")


def _read_dictionary(name: str, values: pa.ChunkedArray) -> TableColumn:
    """Read what its writer has marked as a category; such numbers are categories too, in their own order."""
    values = values.cast(values.type.value_type)
    kind = values.type
    if not (pa.types.is_integer(kind) or pa.types.is_floating(kind)):
        return read_column(name, values)
    distinct = sorted(number for number in pc.unique(values).to_pylist() if number is not None)
    texts = tuple(str(category_key(number)) for number in distinct)
    codes = pc.index_in(values, value_set=pa.array(distinct, kind), skip_nulls=True)
    return TableColumn(name, "category", _floats(codes), texts)


def _read_text(name: str, values: pa.ChunkedArray) -> TableColumn:
    trimmed = pc.utf8_trim(values, characters=WHITESPACE)
    nan = pc.is_in(trimmed, value_set=pa.array(sorted(NOT_A_NUMBER), trimmed.type))
    present = trimmed.filter(pc.invert(nan)).drop_null()
    if len(present) and _all_match(present, BOOLEAN):
        return _read_as("boolean", name, trimmed)
    are_numbers = pc.match_substring_regex(trimmed, f"^(?:{NUMBER.pattern})$")
    if pc.all(pc.or_(are_numbers, nan)).as_py():
        return _read_as("number", name, trimmed)
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


def _read_as(kind: str, name: str, values: pa.ChunkedArray) -> TableColumn:
    reader = ColumnReader(Feature(name, kind, nullable=True), (), empty_is_null=False)
    numbers, faults = reader.read(values.combine_chunks())
    if faults:
        row, fault = min(faults.items())
        raise TableError(f"column {name!r}, row {row + 1}: {fault}")
    if np.isnan(numbers).all():
        raise _empty(name)
    return TableColumn(name, kind, numbers)


def _floats(values: pa.ChunkedArray) -> NDArray[np.float64]:
    floats: NDArray[np.float64] = values.cast(pa.float64()).to_numpy()
    return floats
