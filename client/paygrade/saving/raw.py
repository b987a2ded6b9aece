"""The caller's own columns: what each one holds, and how a bundle describes it."""

import math
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from typing import Any, NoReturn

import numpy as np
from numpy.typing import NDArray

from paygrade.saving.errors import SaveRefused

FLOAT32_LIMIT = float(2**128 - 2**103)
"""The smallest double that rounds to infinity in float32."""
LARGEST_EXACT = 2**53
"""Whole numbers beyond it are not all numbers of float64."""
TEXT = "str"
FLOATS = ("float64", "float32")
WIDE_INTEGERS = ("int64", "int32", "uint64", "uint32")
NARROW_INTEGERS = ("int16", "int8", "uint16", "uint8")


@dataclass
class RawColumn:
    """A column of the sample.

    `type` is that of a feature. `texts` are the texts that any step knows. `unseen` tells whether a text
    may occur that no step knows, and `nullable` whether a value may be missing. `missing` is what the
    column holds where a value is missing: None, NaN or pandas' NA.
    """

    name: str
    type: str
    dtype: str
    values: NDArray[Any]
    missing: Any = math.nan
    nullable: bool = False
    unseen: bool = True
    texts: set[str] = field(default_factory=set)
    as_text: bool = False

    @property
    def categories(self) -> list[str]:
        return sorted(self.texts, key=_natural)

    def to_feature(self, has_steps: bool) -> dict[str, Any]:
        """Describe the column as a feature of `bundle.json`; steps need to know its type in pandas too."""
        feature: dict[str, Any] = {"name": self.name, "type": self.type}
        if self.nullable:
            feature["nullable"] = True
        if self.type == "category":
            feature["categories"] = self.categories
            if self.unseen:
                feature["unseen"] = "unknown"
        if self.dtype in NARROW_INTEGERS and self.type == "number":
            limits = np.iinfo(self.dtype)
            feature |= {"type": "integer", "minimum": int(limits.min), "maximum": int(limits.max)}
        if self.type == "number" and (observed := self._observed()):
            feature["observed"] = observed
        return {**feature, "dtype": TEXT if self.holds_text() else self.dtype} if has_steps else feature

    def holds_text(self) -> bool:
        """Return whether the steps compare texts: they tell `True` and `true` apart, and `1` and `1.0`."""
        return self.type == "category" and all(isinstance(value, str) for value in self.present())

    def present(self) -> list[Any]:
        """Return the values that are not missing."""
        return [value for value in self.values if not is_missing(value)]

    def to_numbers(self) -> NDArray[np.float64]:
        """Return the column as the steps read it: NaN if missing, -1 for a text that is not listed."""
        if self.values.dtype.kind in "fiub" and self.type != "category":
            return self.values.astype(np.float64)
        if self.type != "category":
            return np.array(
                [math.nan if is_missing(value) else value for value in self.values], dtype=np.float64
            )
        import pandas

        codes, values = pandas.factorize(self.values)
        positions = {text: position for position, text in enumerate(self.categories)}
        found = [float(positions.get(as_text(value), -1)) for value in values]
        found.append(math.nan)  # a missing value has the code -1
        numbers: NDArray[np.float64] = np.array(found, dtype=np.float64)[codes]
        return numbers

    def to_json(self, row: int) -> Any:
        """Return one value as callers would send it."""
        value = self.values[row]
        if is_missing(value):
            return None
        if self.type == "boolean":
            return bool(value)
        if self.type == "category":
            return as_text(value)
        return (
            float(str(value))
            if isinstance(value, np.floating)
            else value.item()
            if hasattr(value, "item")
            else value
        )

    def _observed(self) -> dict[str, float] | None:
        numbers = self.to_numbers()
        numbers = numbers[~np.isnan(numbers)]
        return {"minimum": float(numbers.min()), "maximum": float(numbers.max())} if numbers.size else None


def read_columns(sample: Any) -> dict[str, Callable[[], RawColumn]]:
    """Return what reads each column of a pandas frame: columns that no step uses may hold anything."""
    return {name: partial(read_column, name, sample[name]) for name in sample.columns}


def read_column(name: str, series: Any) -> RawColumn:
    """Tell what a pandas column holds; raises SaveRefused for what no feature can hold."""
    dtype = type_name(series.dtype)
    if dtype in ("bool", *FLOATS, *WIDE_INTEGERS, *NARROW_INTEGERS):
        return _read_numbers(name, dtype, series)
    if series.dtype.kind != "O":
        raise SaveRefused(
            f"column {name!r} is of type {dtype}, which no step can use; convert it to float64 or text"
        )
    return _read_objects(
        name, "category" if dtype == "category" else "object", np.asarray(series, dtype=object)
    )


def type_name(dtype: Any) -> str:
    """Return the type of a column in NumPy's words, also where pandas has one of its own: Int64 is int64."""
    return str(getattr(dtype, "numpy_dtype", dtype))


def _read_numbers(name: str, dtype: str, series: Any) -> RawColumn:
    own_type = not isinstance(series.dtype, np.dtype)
    present = series.dropna().to_numpy() if own_type else series.to_numpy()
    if not len(present):
        raise SaveRefused(f"column {name!r} has no value in the sample; add rows that have one")
    if dtype in FLOATS:
        _check_range(name, present)
    elif dtype != "bool":
        _check_exact(name, present)
    kind = "boolean" if dtype == "bool" else "number"
    return RawColumn(name, kind, dtype, series.to_numpy(), series.dtype.na_value if own_type else math.nan)


def _read_objects(name: str, dtype: str, values: NDArray[Any]) -> RawColumn:
    present = [value for value in values if not is_missing(value)]
    absent = [value for value in values if is_missing(value)]
    missing: Any = absent[0] if absent else math.nan
    if len(signs := {repr(value).replace("np.float64(nan)", "nan") for value in absent}) > 1:
        raise SaveRefused(
            f"column {name!r} marks missing values in two ways ({' and '.join(sorted(signs))}), which "
            "encoders tell apart; use one of them, in training and here"
        )
    if not present:
        raise SaveRefused(f"column {name!r} has no value in the sample; add rows that have one")
    for kind, types in (("category", str), ("boolean", bool | np.bool_), ("number", int | float | np.number)):
        if all(
            isinstance(value, types) and (kind == "boolean" or not isinstance(value, bool))
            for value in present
        ):
            if kind == "number":
                _check_objects(name, present)
            return RawColumn(name, kind, dtype, values, missing)
    kinds = sorted({type(value).__name__ for value in present})
    raise SaveRefused(
        f"column {name!r} holds values of the types {', '.join(kinds)}; convert it to text, or to float64"
    )


def is_missing(value: Any) -> bool:
    """Return whether this is None, NaN, or pandas' NA or NaT."""
    if value is None or type(value).__name__ in ("NAType", "NaTType"):
        return True
    return isinstance(value, float | np.floating) and math.isnan(value)


def as_text(value: Any) -> str:
    """Write a category as text: numbers without a fraction as whole numbers."""
    if isinstance(value, str):
        return str(value)
    if float(value).is_integer():
        return str(int(value))
    return repr(float(value))


def _natural(text: str) -> tuple[bool, float, str]:
    """Order texts as numbers if they are numbers."""
    try:
        return False, float(text), text
    except ValueError:
        return True, 0.0, text


def _check_range(name: str, values: NDArray[Any]) -> None:
    """Refuse a sample with numbers that no caller can send."""
    if (np.abs(values.astype(np.float64)) >= FLOAT32_LIMIT).any():
        raise SaveRefused(
            f"column {name!r} holds infinite numbers, or some beyond float32, which the service refuses; "
            "leave these rows out of the sample"
        )


def _check_objects(name: str, values: list[Any]) -> None:
    """Check numbers that pandas holds as objects of Python."""
    whole = [int(value) for value in values if isinstance(value, int | np.integer)]
    if any(abs(value) > LARGEST_EXACT for value in whole):
        _refuse_inexact(name)
    _check_range(name, np.array(values, dtype=np.float64))


def _check_exact(name: str, values: NDArray[Any]) -> None:
    if values.size and max(abs(int(values.min())), abs(int(values.max()))) > LARGEST_EXACT:
        _refuse_inexact(name)


def _refuse_inexact(name: str) -> NoReturn:
    raise SaveRefused(
        f"column {name!r} has whole numbers beyond 2^53, which float64 cannot hold exactly; convert it to "
        "text"
    )
