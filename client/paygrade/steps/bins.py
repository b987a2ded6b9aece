"""Steps that compare numbers with limits."""

from collections.abc import Sequence
from typing import Any, ClassVar, Self

import numpy as np

from paygrade.steps.column import Column, Shape, refuse_rows
from paygrade.steps.fields import Fields, Floats, FloatType
from paygrade.steps.step import Step, require_numbers, require_one

NO_BIN = "a value is missing, and a step that compares numbers needs it"


class Bin(Step):
    """Gives the number of the bin that a value is in; `edges` are the limits between bins, ascending."""

    kind: ClassVar[str] = "bin"

    def __init__(self, edges: Floats, dtype: FloatType, shape: Shape) -> None:
        self._edges = edges
        self._dtype = dtype
        self.shapes = (shape,)

    @classmethod
    def read(cls, fields: Fields, columns: Sequence[Shape]) -> Self:
        require_numbers(fields, columns)
        column = require_one(fields, columns)
        edges = fields.numbers("edges")
        if (np.diff(edges) < 0).any():
            raise fields.fault("edges", "must ascend")
        return cls(edges, fields.dtype(), Shape(column.sources))

    def apply(self, columns: Sequence[Column]) -> list[Column]:
        values = columns[0].values.astype(self._dtype, copy=False)
        refuse_rows(np.isnan(values), NO_BIN)
        return [Column(np.searchsorted(self._edges, values, side="right").astype(self._dtype))]


class Threshold(Step):
    """Gives 1 where a value is greater than the threshold, and 0 elsewhere."""

    kind: ClassVar[str] = "threshold"

    def __init__(self, threshold: Any, dtype: FloatType, shapes: tuple[Shape, ...]) -> None:
        self._threshold = threshold
        self._dtype = dtype
        self.shapes = shapes

    @classmethod
    def read(cls, fields: Fields, columns: Sequence[Shape]) -> Self:
        require_numbers(fields, columns)
        dtype = fields.dtype()
        shapes = tuple(Shape(column.sources) for column in columns)
        return cls(dtype(fields.number("threshold")), dtype, shapes)

    def apply(self, columns: Sequence[Column]) -> list[Column]:
        return [self._compare(column.values.astype(self._dtype, copy=False)) for column in columns]

    def _compare(self, values: Floats) -> Column:
        refuse_rows(np.isnan(values), NO_BIN)
        return Column((values > self._threshold).astype(self._dtype))
