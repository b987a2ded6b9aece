"""Steps that make a distribution more normal by powers, and back."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import ClassVar, Self

import numpy as np

from paygrade.steps.column import Column, Shape, refuse_rows
from paygrade.steps.fields import Fields, Floats, FloatType
from paygrade.steps.step import Step, require_numbers

Transform = Callable[[Floats, np.float64], Floats]
EPSILON = float(np.spacing(1.0))


def box_cox(values: Floats, power: np.float64) -> Floats:
    refuse_rows(values <= 0, "a value is not greater than 0, as the power transform of Box and Cox needs it")
    if power == 0:
        return np.log(values.astype(np.float64))
    return np.asarray(np.expm1(power * np.log(values)) / power)


def inverse_box_cox(values: Floats, power: np.float64) -> Floats:
    if power == 0:
        return np.exp(values.astype(np.float64))
    return np.asarray(np.exp(np.log1p(power * values) / power))


def yeo_johnson(values: Floats, power: np.float64) -> Floats:
    result = np.zeros_like(values, dtype=np.float64)
    positive = values >= 0
    high, low = values[positive], values[~positive]
    if abs(power) < np.finfo(values.dtype).eps:
        result[positive] = np.log1p(high)
    else:
        result[positive] = np.expm1(power * np.log1p(high)) / power
    if abs(power - 2) > np.finfo(values.dtype).eps:
        result[~positive] = -np.expm1((2 - power) * np.log1p(-low)) / (2 - power)
    else:
        result[~positive] = -np.log1p(-low)
    return result


def inverse_yeo_johnson(values: Floats, power: np.float64) -> Floats:
    result = np.zeros_like(values, dtype=np.float64)
    positive = values >= 0
    high, low = values[positive], values[~positive]
    if abs(power) < EPSILON:
        result[positive] = np.exp(high) - 1
    else:
        result[positive] = np.power(high * power + 1, 1 / power) - 1
    if abs(power - 2) > EPSILON:
        result[~positive] = 1 - np.power(-(2 - power) * low + 1, 1 / (2 - power))
    else:
        result[~positive] = 1 - np.exp(-low)
    return result


TRANSFORMS: Mapping[str, Transform] = {
    "box_cox": box_cox,
    "inverse_box_cox": inverse_box_cox,
    "inverse_yeo_johnson": inverse_yeo_johnson,
    "yeo_johnson": yeo_johnson,
}


class Power(Step):
    """Raises each column to a power of its own, in the way of `method`.

    It calculates in float64, whatever type goes in and comes out.
    """

    kind: ClassVar[str] = "power"
    exact = False

    def __init__(
        self, transform: Transform, powers: Sequence[np.float64], dtype: FloatType, shapes: tuple[Shape, ...]
    ) -> None:
        self._transform = transform
        self._powers = powers
        self._dtype = dtype
        self.shapes = shapes

    @classmethod
    def read(cls, fields: Fields, columns: Sequence[Shape]) -> Self:
        require_numbers(fields, columns)
        transform = fields.choice("method", TRANSFORMS)
        powers = list(fields.numbers("powers", len(columns)))
        shapes = tuple(replace(column, calculated=True) for column in columns)
        return cls(transform, powers, fields.dtype(), shapes)

    def apply(self, columns: Sequence[Column]) -> list[Column]:
        return [
            Column(self._transform(column.values.astype(self._dtype, copy=False), power).astype(self._dtype))
            for column, power in zip(columns, self._powers, strict=True)
        ]
