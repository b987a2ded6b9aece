"""Reads the members of one step, and trusts none of them."""

import math
from collections.abc import Mapping
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from paygrade.steps.errors import StepsError

Chosen = TypeVar("Chosen")
Floats = NDArray[np.floating[Any]]
FloatType = type[np.floating[Any]]

DTYPES: Mapping[str, FloatType] = {"float32": np.float32, "float64": np.float64}
MOST_VALUES = 1_000_000


class Fields:
    """The members of a step; each is read once, and `end` refuses those that nobody has read."""

    def __init__(self, definition: object, location: str) -> None:
        self.location = location
        if not isinstance(definition, Mapping):
            raise StepsError(f"{location} must be an object")
        self._unread = dict(definition)

    def __contains__(self, name: str) -> bool:
        return name in self._unread

    def choice(self, name: str, choices: Mapping[str, Chosen]) -> Chosen:
        """Read one of these texts, and return what it stands for."""
        value = self._take(name)
        if not isinstance(value, str) or value not in choices:
            raise self.fault(name, f"must be one of {', '.join(choices)}")
        return choices[value]

    def dtype(self) -> FloatType:
        """Read the type that the step computes in."""
        return self.choice("dtype", DTYPES)

    def flag(self, name: str) -> bool:
        """Read true or false; an absent one is false."""
        value = self._unread.pop(name, False)
        if not isinstance(value, bool):
            raise self.fault(name, "must be true or false")
        return value

    def number(self, name: str, nan: bool = False) -> float:
        """Read a finite number; with `nan` also null, which stands for NaN."""
        value = self._take(name)
        if not _is_number(value, nan):
            raise self.fault(name, "must be a number")
        return math.nan if value is None else float(value)

    def numbers(self, name: str, count: int | None = None, nan: bool = False) -> NDArray[np.float64]:
        """Read a list of so many finite numbers; with `nan` also null, which stands for NaN."""
        values = self.items(name, count)
        if not all(_is_number(value, nan) for value in values):
            raise self.fault(name, "must be a list of numbers")
        return np.array([math.nan if value is None else value for value in values], dtype=np.float64)

    def integer(self, name: str, low: int, high: int) -> int:
        """Read a whole number, `low` <= number < `high`."""
        value = self._take(name)
        if not _is_integer(value, low, high):
            raise self.fault(name, f"must be a whole number from {low} to {high - 1}")
        return int(value)

    def integers(self, name: str, low: int, high: int, count: int | None = None) -> list[int]:
        """Read a list of so many whole numbers, `low` <= number < `high`."""
        values = self.items(name, count)
        if not all(_is_integer(value, low, high) for value in values):
            raise self.fault(name, f"must be a list of whole numbers from {low} to {high - 1}")
        return values

    def items(self, name: str, count: int | None = None, most: int = MOST_VALUES) -> list[Any]:
        """Read a list of so many values, or of at most so many."""
        values = self._take(name)
        if not isinstance(values, list):
            raise self.fault(name, "must be a list")
        if count is not None and len(values) != count:
            raise self.fault(name, f"must have {count} values, not {len(values)}")
        if len(values) > most:
            raise self.fault(name, f"must have at most {most} values, not {len(values)}")
        return values

    def end(self) -> None:
        """Refuse what was not read."""
        if self._unread:
            raise StepsError(f"{self.location} has an unknown member: {min(map(str, self._unread))}")

    def fault(self, name: str, problem: str) -> StepsError:
        return StepsError(f"{self.location}: {name} {problem}")

    def _take(self, name: str) -> Any:
        if name not in self._unread:
            raise StepsError(f"{self.location} lacks {name}")
        return self._unread.pop(name)


def _is_number(value: object, nan: bool) -> bool:
    if value is None:
        return nan
    if isinstance(value, bool) or not isinstance(value, int | float):
        return False
    try:
        return math.isfinite(value)
    except OverflowError:  # an integer beyond float64
        return False


def _is_integer(value: object, low: int, high: int) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and low <= value < high
