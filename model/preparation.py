"""What the trees get of a row: its raw columns as they are, or the columns that steps make of them.

A raw matrix has one column for each feature that callers send: float32, or float64 where steps follow.
"""

from collections.abc import Mapping, Sequence
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray
from paygrade.steps import Steps, StepsError

from model.date_columns import date_parts
from model.description.dates import PARTS
from model.description.errors import BundleError
from model.description.schema import Schema

Matrix = NDArray[Any]
Floats = NDArray[np.float32]


class Preparation(Protocol):
    """`names` are the trees' features, in the order of the booster.

    `mixed` says which of the trees' features is made of several raw ones, which no explanation can tell
    apart. It is empty if there is none.
    """

    names: Sequence[str]
    mixed: str
    plain: bool
    """Whether the trees get the matrix as it is."""

    def split(self, matrix: Matrix) -> tuple[Floats, Floats | None]:
        """Return the trees' features, with NaN for what XGBoost takes as missing, and the base margin."""

    def contributions(self, values: Floats, matrix: Matrix) -> Floats:
        """Return what each raw feature contributes, from what each of the trees' features does."""


class MissingValues:
    """The numbers that count as missing, besides NaN: a sequence of them for each column."""

    def __init__(self, numbers: Sequence[Sequence[float]]) -> None:
        depth = max(map(len, numbers), default=0)
        padded = [[*column, *[np.nan] * (depth - len(column))] for column in numbers]
        self._numbers = np.array(padded, dtype=np.float32).T  # XGBoost compares them as float32

    @classmethod
    def of(cls, schema: Schema, missing: float | None) -> "MissingValues":
        """Return the missing values of the features that callers send."""
        everywhere = () if missing is None else (missing,)
        zeros = [(0.0,) if feature.zero_is_missing else () for feature in schema.features]
        margins = [feature.base_margin for feature in schema.features]
        return cls([() if margin else everywhere + zero for margin, zero in zip(margins, zeros, strict=True)])

    def __bool__(self) -> bool:
        return self._numbers.size > 0

    def blank(self, matrix: Floats) -> Floats:
        """Return the matrix with NaN for missing values; the given matrix stays as it is."""
        for numbers in self._numbers:
            matrix = np.where(matrix == numbers, np.float32(np.nan), matrix)
        return matrix


class RawColumns:
    """The trees take the raw columns; one of these may be the base margin instead."""

    mixed = ""

    def __init__(self, schema: Schema, missing: float | None) -> None:
        self.names: Sequence[str] = schema.tree_features
        self._base_margin = schema.base_margin
        self._missing = MissingValues.of(schema, missing)
        features = [feature for feature in schema.features if not feature.base_margin]
        self._dates = [feature.type == "date" for feature in features]
        self.plain = self._base_margin is None and not self._missing and not any(self._dates)

    def split(self, matrix: Matrix) -> tuple[Floats, Floats | None]:
        features, margin = self._missing.blank(matrix), None
        if self._base_margin is not None:
            features, margin = np.delete(features, self._base_margin, axis=1), matrix[:, self._base_margin]
        return (self._with_parts(features) if any(self._dates) else features), margin

    def _with_parts(self, features: Floats) -> Floats:
        columns = zip(features.T, self._dates, strict=True)
        return np.column_stack([date_parts(column) if is_date else column for column, is_date in columns])

    def contributions(self, values: Floats, matrix: Matrix) -> Floats:
        if any(self._dates):  # that of a date is the sum of those of its parts
            starts = np.cumsum([0, *(len(PARTS) if is_date else 1 for is_date in self._dates[:-1])])
            values = np.add.reduceat(values, starts, axis=1)
        if self._base_margin is None:
            return values
        return np.insert(values, self._base_margin, matrix[:, self._base_margin], axis=1)


class EncodedColumns:
    """The trees take what the steps make of the raw columns."""

    plain = False

    def __init__(self, schema: Schema, missing: float | None, steps: Steps) -> None:
        self.names: Sequence[str] = steps.names
        self._steps = steps
        self._missing = MissingValues([() if missing is None else (missing,)] * len(steps.names))
        self._made_of: list[list[int]] = [[] for _ in schema.names]
        for column, sources in enumerate(steps.sources):
            for source in sources:
                self._made_of[source].append(column)
        self.mixed = steps.mixed(schema.names)

    def split(self, matrix: Matrix) -> tuple[Floats, Floats | None]:
        return self._missing.blank(self._steps.transform(matrix)), None

    def contributions(self, values: Floats, matrix: Matrix) -> Floats:
        """Raise ValueError if they cannot be told apart."""
        if self.mixed:
            raise ValueError(self.mixed)
        sums = [values[:, columns].sum(axis=1, dtype=np.float64) for columns in self._made_of]
        return np.stack(sums, axis=1).astype(np.float32)


def preparation_of(
    schema: Schema, missing: float | None = None, steps: Mapping[str, Any] | None = None
) -> Preparation:
    """Make what a bundle needs; raises BundleError if the steps do not fit the features."""
    if steps is None:
        return RawColumns(schema, missing)
    try:
        return EncodedColumns(schema, missing, Steps.from_dict(steps, schema.to_list()))
    except StepsError as error:
        raise BundleError(str(error)) from None
