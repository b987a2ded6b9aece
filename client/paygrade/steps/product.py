"""Steps that multiply columns."""

from collections.abc import Sequence
from typing import ClassVar, Self

import numpy as np

from paygrade.steps.column import Column, Shape, refuse_rows
from paygrade.steps.fields import Fields, Floats, FloatType
from paygrade.steps.step import Step, merge_sources, require_numbers

MOST_FACTORS = 20


class Product(Step):
    """Multiplies columns, from the last of each term to its first; an empty term is 1."""

    kind: ClassVar[str] = "product"

    def __init__(self, terms: list[list[int]], dtype: FloatType, shapes: tuple[Shape, ...]) -> None:
        self._terms = terms
        self._dtype = dtype
        self.shapes = shapes

    @classmethod
    def read(cls, fields: Fields, columns: Sequence[Shape]) -> Self:
        require_numbers(fields, columns)
        terms = fields.items("terms")
        for term in terms:
            positions = isinstance(term, list) and all(type(factor) is int for factor in term)
            if not positions or len(term) > MOST_FACTORS:
                raise fields.fault("terms", f"must be lists of at most {MOST_FACTORS} whole numbers")
            if not all(0 <= factor < len(columns) for factor in term):
                raise fields.fault("terms", f"must be positions below {len(columns)}")
        shapes = tuple(
            Shape(merge_sources([columns[factor] for factor in term]), calculated=True) for term in terms
        )
        return cls(terms, fields.dtype(), shapes)

    def apply(self, columns: Sequence[Column]) -> list[Column]:
        factors = [column.values.astype(self._dtype, copy=False) for column in columns]
        for values in factors:
            refuse_rows(np.isnan(values), "a value is missing, and a product needs it")
        rows = len(factors[0]) if factors else 0
        return [Column(self._multiply(term, factors, rows)) for term in self._terms]

    def _multiply(self, term: list[int], factors: Sequence[Floats], rows: int) -> Floats:
        if not term:
            return np.ones(rows, dtype=self._dtype)
        *others, last = term
        product = factors[last]
        for factor in reversed(others):
            product = product * factors[factor]
        return product
