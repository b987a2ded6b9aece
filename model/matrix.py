"""Rows as the array that XGBoost reads."""

from collections.abc import Sequence
from itertools import chain

import numpy as np
from numpy.typing import NDArray

from model.description.schema import Schema, Value


class Encoder:
    """Knows which columns hold categories, and turns each category into its place in the list."""

    def __init__(self, schema: Schema) -> None:
        self._width = len(schema.names)
        self._codes = {
            column: {category: code for code, category in enumerate(feature.categories)}
            for column, feature in enumerate(schema.features)
            if feature.type == "category"
        }

    def encode(self, rows: Sequence[Sequence[Value]]) -> NDArray[np.float32]:
        """Make a row of float32 of each row of checked values; a missing value is NaN."""
        if any(len(row) != self._width for row in rows):
            raise ValueError(f"a row must have {self._width} values")
        values = chain.from_iterable(rows if not self._codes else map(self._coded, rows))
        size = len(rows) * self._width
        return np.fromiter(values, dtype=np.float32, count=size).reshape(len(rows), self._width)

    def _coded(self, row: Sequence[Value]) -> list[Value]:
        coded = list(row)
        for column, codes in self._codes.items():
            category = coded[column]
            if category is not None:
                coded[column] = codes[str(category)]
        return coded
