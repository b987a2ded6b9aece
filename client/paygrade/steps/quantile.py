"""Steps that map values to quantiles, and back."""

from collections.abc import Sequence
from statistics import NormalDist
from typing import ClassVar, Self

import numpy as np
from numpy.typing import NDArray

from paygrade.steps.column import Column, Shape
from paygrade.steps.fields import Fields, Floats, FloatType
from paygrade.steps.step import Step, require_numbers, require_one

Numbers = NDArray[np.float64]
NORMAL = NormalDist()
NEAR = 1e-7
"""scikit-learn takes a value as close as this to the first or the last quantile for that quantile."""
LEAST = NEAR - float(np.spacing(1.0))
"""The smallest quantile of the normal distribution that scikit-learn gives."""


class Quantile(Step):
    """Interpolates between the `quantiles` of a column and their `references`, from 0 to 1.

    Forwards it is the mean of an interpolation from below and one from above, since quantiles may be equal.
    """

    kind: ClassVar[str] = "quantile"

    def __init__(self, quantiles: Numbers, references: Numbers, dtype: FloatType, shape: Shape) -> None:
        self._quantiles = quantiles
        self._references = references
        self._dtype = dtype
        self.shapes = (shape,)

    @classmethod
    def read(cls, fields: Fields, columns: Sequence[Shape]) -> Self:
        require_numbers(fields, columns)
        column = require_one(fields, columns)
        references = fields.numbers("references")
        quantiles = fields.numbers("quantiles", len(references))
        for name, values in (("references", references), ("quantiles", quantiles)):
            if not len(values) or (np.diff(values) < 0).any():
                raise fields.fault(name, "must ascend, and be at least one")
        return cls(quantiles, references, fields.dtype(), Shape(column.sources))

    def apply(self, columns: Sequence[Column]) -> list[Column]:
        return [Column(self._map(columns[0].values.astype(self._dtype)))]

    def _map(self, values: Floats) -> Floats:
        quantiles, references = self._quantiles, self._references
        lowest, highest = self._find_ends(values)
        present = ~np.isnan(values)
        known = values[present]
        values[present] = 0.5 * (
            np.interp(known, quantiles, references) - np.interp(-known, -quantiles[::-1], -references[::-1])
        )
        values[highest] = 1
        values[lowest] = 0
        return values

    def _find_ends(self, values: Floats) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
        return values == self._quantiles[0], values == self._quantiles[-1]


class NormalQuantile(Quantile):
    """Maps values to the quantiles of a normal distribution.

    The last bits of the logarithm in it depend on the processor.
    """

    kind: ClassVar[str] = "normal_quantile"
    exact = False

    def _map(self, values: Floats) -> Floats:
        quantiles = super()._map(values).astype(np.float64).clip(LEAST, 1 - LEAST)
        return np.array([NORMAL.inv_cdf(one) for one in quantiles.tolist()], dtype=self._dtype)

    def _find_ends(self, values: Floats) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
        return values - NEAR < self._quantiles[0], values + NEAR > self._quantiles[-1]


class InverseQuantile(Quantile):
    """Maps quantiles to values."""

    kind: ClassVar[str] = "inverse_quantile"

    def _map(self, values: Floats) -> Floats:
        lowest, highest = self._find_ends(values)
        present = ~np.isnan(values)
        values[present] = np.interp(values[present], self._references, self._quantiles)
        values[highest] = self._quantiles[-1]
        values[lowest] = self._quantiles[0]
        return values

    def _find_ends(self, values: Floats) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
        return values == 0, values == 1


class InverseNormalQuantile(InverseQuantile):
    """Maps the quantiles of a normal distribution to values."""

    kind: ClassVar[str] = "inverse_normal_quantile"
    exact = False

    def _map(self, values: Floats) -> Floats:
        quantiles = np.array([NORMAL.cdf(one) for one in values.tolist()], dtype=np.float64)
        return super()._map(quantiles).astype(self._dtype)

    def _find_ends(self, values: Floats) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
        return values - NEAR < 0, values + NEAR > 1
