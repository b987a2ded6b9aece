"""What the trees of a bundle get of a row: its raw columns, with NaN for what XGBoost takes as missing."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from model.description.schema import Schema

Matrix = NDArray[Any]
Floats = NDArray[np.float32]


class MissingValues:
    """The numbers that count as missing, besides NaN: a sequence of them for each column."""

    def __init__(self, numbers: Sequence[Sequence[float]]) -> None:
        depth = max(map(len, numbers), default=0)
        padded = [[*column, *[np.nan] * (depth - len(column))] for column in numbers]
        self._numbers = np.array(padded, dtype=np.float32).T  # XGBoost compares them as float32

    @classmethod
    def of(cls, schema: Schema, missing: float | None) -> "MissingValues":
        """Those of the features that callers send."""
        everywhere = () if missing is None else (missing,)
        zeros = [(0.0,) if feature.zero_is_missing else () for feature in schema.features]
        margins = [feature.base_margin for feature in schema.features]
        return cls([() if margin else everywhere + zero for margin, zero in zip(margins, zeros, strict=True)])

    def blank(self, matrix: Floats) -> Floats:
        """Return the matrix with NaN in their place; the given matrix stays as it is."""
        for numbers in self._numbers:
            matrix = np.where(matrix == numbers, np.float32(np.nan), matrix)
        return matrix


class RawColumns:
    """The trees take the raw columns; one of these may be the base margin instead."""

    def __init__(self, schema: Schema, missing: float | None) -> None:
        self.names: Sequence[str] = schema.tree_features
        self._base_margin = schema.base_margin
        self._missing = MissingValues.of(schema, missing)

    def split(self, matrix: Matrix) -> tuple[Floats, Floats | None]:
        """Return the trees' features, with NaN for what XGBoost takes as missing, and the base margin."""
        features = self._missing.blank(matrix)
        if self._base_margin is None:
            return features, None
        return np.delete(features, self._base_margin, axis=1), matrix[:, self._base_margin]

    def contributions(self, values: Floats, matrix: Matrix) -> Floats:
        """Return what each raw feature contributes, from what each of the trees' features does."""
        if self._base_margin is None:
            return values
        return np.insert(values, self._base_margin, matrix[:, self._base_margin], axis=1)


def preparation_of(schema: Schema, missing: float | None = None) -> RawColumns:
    """Make what a bundle needs."""
    return RawColumns(schema, missing)
