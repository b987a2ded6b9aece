"""One column of a table: its type by its values, and the values as the model sees them."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from model.description.grammar import BEYOND_FLOAT32, NUMBER, SPACES
from model.training.table import TableError

INTEGER = r"^-?(?:0|[1-9][0-9]*)$"
BOOLEAN = r"^(?:true|false)$"
FEW_ODD_TEXTS = 3
MOST_TEXTS, FEW_ROWS = 1_000, 40


@dataclass(frozen=True)
class Column:
    """`values` are float64; NaN is missing, and a category or class is its place in `texts`."""

    name: str
    type: str
    values: NDArray[np.float64]
    texts: tuple[str, ...] = ()

    @property
    def missing(self) -> NDArray[np.bool_]:
        return np.isnan(self.values)

    def distinct(self) -> int:
        """How many different values there are, the missing ones aside."""
        return len(np.unique(self.values[~self.missing]))

    @property
    def names_rows(self) -> bool:
        """Whether a text differs in so many rows that it is the name of each, or prose."""
        rows, texts = len(self.values), len(self.texts)
        return self.type == "category" and (texts > MOST_TEXTS or (rows > FEW_ROWS and 2 * texts > rows))

    def python(self, row: int) -> Any:
        """The value as a caller would send it."""
        value = float(self.values[row])
        if np.isnan(value):
            return None
        if self.type == "category":
            return self.texts[int(value)]
        if self.type == "boolean":
            return bool(value)
        return int(value) if self.type == "integer" else value


def read_column(name: str, values: pa.ChunkedArray) -> Column:
    """Raises TableError for values that are none of number, integer, boolean and category."""
    if pa.types.is_dictionary(values.type):
        values = values.cast(values.type.value_type)
    kind = values.type
    if values.null_count == len(values):
        raise TableError(f"column {name!r} has no value in any row; leave it out: --drop {name!r}")
    if pa.types.is_string(kind) or pa.types.is_large_string(kind):
        return _read_text(name, values)
    if pa.types.is_boolean(kind):
        return Column(name, "boolean", _floats(values.cast(pa.uint8())))
    if pa.types.is_integer(kind):
        return _numeric(name, "integer", values)
    if pa.types.is_floating(kind) or pa.types.is_decimal(kind):
        return _numeric(name, "number", values)
    raise TableError(
        f"column {name!r} is of type {kind}; make a number of it, or leave it out: --drop {name!r}"
    )


def _read_text(name: str, values: pa.ChunkedArray) -> Column:
    trimmed = pc.utf8_trim(values, characters=SPACES)
    if _all(trimmed, BOOLEAN):
        return Column(name, "boolean", _floats(pc.equal(trimmed, "true").cast(pa.uint8())))
    if _all(trimmed, INTEGER):
        return _numeric(name, "integer", trimmed)
    numbers = pc.match_substring_regex(trimmed, f"^(?:{NUMBER.pattern})$")
    if pc.all(numbers).as_py():
        return _numeric(name, "number", trimmed)
    _refuse_odd_texts(name, trimmed, numbers)
    texts = pc.unique(values.drop_null()).to_pylist()
    order = sorted(texts)
    codes = pc.index_in(values, value_set=pa.array(order, type=values.type))
    return Column(name, "category", _floats(codes), tuple(order))


def _refuse_odd_texts(name: str, values: pa.ChunkedArray, numbers: pa.ChunkedArray) -> None:
    """A column of numbers in which something else, such as NA, stands for what is missing."""
    odd = pc.unique(values.filter(pc.invert(numbers)).drop_null()).to_pylist()
    if len(odd) <= FEW_ODD_TEXTS and pc.mean(numbers.cast(pa.uint8())).as_py() > 0.5:
        listed = ",".join(odd)
        raise TableError(
            f"column {name!r} has numbers but for {listed!r}; if that means missing, say --missing {listed!r}"
        )


def _all(values: pa.ChunkedArray, pattern: str) -> bool:
    return bool(pc.all(pc.match_substring_regex(values, pattern)).as_py())


def _numeric(name: str, kind: str, values: pa.ChunkedArray) -> Column:
    read = _floats(values.cast(pa.float64(), safe=False))
    if np.any(np.abs(read) >= BEYOND_FLOAT32):
        raise TableError(f"column {name!r} has a value beyond a 32-bit float")
    if np.isnan(read).all():
        raise TableError(f"column {name!r} has no value in any row; leave it out: --drop {name!r}")
    return Column(name, kind, read)


def _floats(values: pa.ChunkedArray) -> NDArray[np.float64]:
    floats: NDArray[np.float64] = values.cast(pa.float64()).to_numpy()
    return floats
