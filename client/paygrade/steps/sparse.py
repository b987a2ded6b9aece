"""Steps between dense and sparse columns."""

from collections.abc import Sequence
from typing import ClassVar, Self

import numpy as np
from numpy.typing import NDArray

from paygrade.steps.column import Column, Shape
from paygrade.steps.fields import Fields
from paygrade.steps.step import Step, require_numbers


class Sparse(Step):
    """Stops storing zeros, which XGBoost then takes as missing."""

    kind: ClassVar[str] = "sparse"

    def __init__(self, shapes: tuple[Shape, ...]) -> None:
        self.shapes = shapes

    @classmethod
    def read(cls, fields: Fields, columns: Sequence[Shape]) -> Self:
        require_numbers(fields, columns, sparse=True)
        return cls(tuple(Shape(column.sources, sparse=True) for column in columns))

    def apply(self, columns: Sequence[Column]) -> list[Column]:
        return [Column(column.values, _absent(column)) for column in columns]


class Dense(Step):
    """Stores zeros again."""

    kind: ClassVar[str] = "dense"

    def __init__(self, shapes: tuple[Shape, ...]) -> None:
        self.shapes = shapes

    @classmethod
    def read(cls, fields: Fields, columns: Sequence[Shape]) -> Self:
        require_numbers(fields, columns, sparse=True)
        return cls(tuple(Shape(column.sources) for column in columns))

    def apply(self, columns: Sequence[Column]) -> list[Column]:
        return [
            Column(column.values if column.absent is None else np.where(column.absent, 0, column.values))
            for column in columns
        ]


def _absent(column: Column) -> NDArray[np.bool_]:
    """A zero that a sparse column stores, such as the result of an underflow, stays stored."""
    return np.asarray(column.values == 0) if column.absent is None else column.absent
