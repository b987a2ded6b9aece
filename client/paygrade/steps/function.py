"""Steps that are one function of NumPy."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any, ClassVar, Self

import numpy as np

from paygrade.steps.column import Column, Shape
from paygrade.steps.fields import Fields, Floats, FloatType
from paygrade.steps.step import Step, require_numbers

Calculate = Callable[[Any], Any]

EXACT: Mapping[str, Calculate] = {"abs": np.abs, "sqrt": np.sqrt, "square": np.square}
"""Every processor gives the same bits."""
INEXACT: Mapping[str, Calculate] = {
    "exp": np.exp,
    "exp2": np.exp2,
    "expm1": np.expm1,
    "log": np.log,
    "log10": np.log10,
    "log1p": np.log1p,
    "log2": np.log2,
}
"""The last bits depend on the processor."""


class Function(Step):
    """Calculates a function of each value, in the type `dtype`."""

    kind: ClassVar[str] = "function"
    takes_infinity: ClassVar[bool] = True

    def __init__(self, calculate: Calculate, dtype: FloatType, shapes: tuple[Shape, ...]) -> None:
        self.exact = calculate in EXACT.values()
        self._calculate = calculate
        self._dtype = dtype
        self.shapes = shapes

    @classmethod
    def read(cls, fields: Fields, columns: Sequence[Shape]) -> Self:
        require_numbers(fields, columns)
        calculate = fields.choice("name", {**EXACT, **INEXACT})
        return cls(calculate, fields.dtype(), tuple(replace(column, calculated=True) for column in columns))

    def apply(self, columns: Sequence[Column]) -> list[Column]:
        return [Column(self._calculate(column.values.astype(self._dtype, copy=False))) for column in columns]


class Clip(Step):
    """Limits each value to `low` and `high`, of which one may be absent."""

    kind: ClassVar[str] = "clip"
    takes_infinity: ClassVar[bool] = True

    def __init__(
        self, low: float | None, high: float | None, dtype: FloatType, shapes: tuple[Shape, ...]
    ) -> None:
        self._dtype = dtype
        self._low = None if low is None else dtype(low)
        self._high = None if high is None else dtype(high)
        self.shapes = shapes

    @classmethod
    def read(cls, fields: Fields, columns: Sequence[Shape]) -> Self:
        require_numbers(fields, columns)
        low, high = (fields.number(name) if name in fields else None for name in ("low", "high"))
        return cls(low, high, fields.dtype(), tuple(columns))

    def apply(self, columns: Sequence[Column]) -> list[Column]:
        return [Column(self._limit(column.values.astype(self._dtype, copy=False))) for column in columns]

    def _limit(self, values: Floats) -> Floats:
        return values if self._low is None and self._high is None else np.clip(values, self._low, self._high)
