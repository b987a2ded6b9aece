"""Steps for missing values."""

import math
from collections.abc import Sequence
from typing import Any, ClassVar, Self

import numpy as np
from numpy.typing import NDArray

from paygrade.steps.column import Column, Shape, refuse_rows
from paygrade.steps.fields import Fields, Floats, FloatType
from paygrade.steps.step import Step, require_numbers


class Impute(Step):
    """Fills in a number for each missing one, in the type `dtype`.

    `missing` is the number that counts as missing; null means NaN.
    """

    kind: ClassVar[str] = "impute"

    def __init__(self, fill: Floats, missing: float, dtype: FloatType, shapes: tuple[Shape, ...]) -> None:
        self._fill = fill
        self._missing = missing
        self._dtype = dtype
        self.shapes = shapes

    @classmethod
    def read(cls, fields: Fields, columns: Sequence[Shape]) -> Self:
        require_numbers(fields, columns)
        dtype = fields.dtype()
        fill = fields.numbers("fill", len(columns), nan=True).astype(dtype)
        return cls(fill, fields.number("missing", nan=True), dtype, tuple(columns))

    def apply(self, columns: Sequence[Column]) -> list[Column]:
        return [self._impute(column, fill) for column, fill in zip(columns, self._fill, strict=True)]

    def _impute(self, column: Column, fill: Any) -> Column:
        values = column.values.astype(self._dtype, copy=False)
        return Column(np.where(find_missing(values, self._missing), fill, values))


class Indicate(Step):
    """Tells with 1 and 0 which values are missing: numbers as `Impute` has it, or texts."""

    kind: ClassVar[str] = "indicate"

    def __init__(self, missing: float, shapes: tuple[Shape, ...]) -> None:
        self._missing = missing
        self.shapes = shapes

    @classmethod
    def read(cls, fields: Fields, columns: Sequence[Shape]) -> Self:
        missing = fields.number("missing", nan=True)
        if not math.isnan(missing):
            require_numbers(fields, columns)
        return cls(missing, tuple(Shape(column.sources) for column in columns))

    def apply(self, columns: Sequence[Column]) -> list[Column]:
        return [Column(find_missing(column.values, self._missing).astype(np.float64)) for column in columns]


def find_missing(values: Floats, missing: float) -> NDArray[np.bool_]:
    """Return which values count as missing; where that is a number, NaN is refused."""
    absent = np.isnan(values)
    if math.isnan(missing):
        return absent
    refuse_rows(absent, "a value is missing, and the step that fills values in knows another sign for that")
    return np.asarray(values == values.dtype.type(missing))
