"""Steps that shift and scale."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any, ClassVar, NamedTuple, Self

import numpy as np
from numpy.typing import NDArray

from paygrade.steps.column import Column, Shape
from paygrade.steps.fields import Fields, Floats, FloatType
from paygrade.steps.step import Step, require_numbers

Arithmetic = Callable[[Any, Any], Any]
OPERATIONS: Mapping[str, Arithmetic] = {
    "add": np.add,
    "subtract": np.subtract,
    "multiply": np.multiply,
    "divide": np.divide,
}
MOST_OPERATIONS = 10


class ScaleOperation(NamedTuple):
    """An operation with one operand for each column; their type decides the precision, as NumPy has it."""

    calculate: Arithmetic
    operands: Floats


class Scale(Step):
    """Does one operation after the other in place, so that each result has the type of the column again.

    `operations` are objects with `do`, `by` (a number for each column) and the `dtype` of these numbers.
    `clip` are the lowest and the highest result. A sparse column's zeros stay as they are.
    """

    kind: ClassVar[str] = "scale"

    def __init__(
        self,
        dtype: FloatType,
        operations: Sequence[ScaleOperation],
        clip: NDArray[np.float64] | None,
        shapes: tuple[Shape, ...],
    ) -> None:
        self._dtype = dtype
        self._operations = operations
        self._clip = None if clip is None else clip.astype(dtype)
        self.shapes = shapes

    @classmethod
    def read(cls, fields: Fields, columns: Sequence[Shape]) -> Self:
        require_numbers(fields, columns, sparse=True)
        dtype = fields.dtype()
        definitions = fields.items("operations")
        if len(definitions) > MOST_OPERATIONS:
            raise fields.fault("operations", f"must be at most {MOST_OPERATIONS}")
        operations = [
            _read_operation(definition, fields.location, len(columns)) for definition in definitions
        ]
        clip = fields.numbers("clip", 2) if "clip" in fields else None
        return cls(dtype, operations, clip, tuple(replace(column, calculated=True) for column in columns))

    def apply(self, columns: Sequence[Column]) -> list[Column]:
        return [self._scale(column, position) for position, column in enumerate(columns)]

    def _scale(self, column: Column, position: int) -> Column:
        values = column.values.astype(self._dtype, copy=False)
        for calculate, operands in self._operations:
            values = calculate(values, operands[position]).astype(self._dtype, copy=False)
        if self._clip is not None:
            values = np.clip(values, self._clip[0], self._clip[1])
        return Column(values, column.absent)


def _read_operation(definition: object, location: str, count: int) -> ScaleOperation:
    fields = Fields(definition, f"{location}: an operation")
    calculate = fields.choice("do", OPERATIONS)
    dtype = fields.dtype()
    operands = fields.numbers("by", count).astype(dtype)
    fields.end()
    return ScaleOperation(calculate, operands)
