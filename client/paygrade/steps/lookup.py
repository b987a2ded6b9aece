"""Steps that look values up: encoders."""

from collections.abc import Sequence
from typing import ClassVar, Self

import numpy as np
from numpy.typing import NDArray

from paygrade.steps.column import Column, Shape, refuse_rows
from paygrade.steps.errors import StepsError
from paygrade.steps.fields import Fields, Floats, FloatType
from paygrade.steps.step import Step, require_one

MOST_WIDE = 100_000


class Positions:
    """Finds the position of each value: of a text or a number that is known, of others, or of missing ones.

    Numbers are found by their exact value. The two last positions are for unknown and for missing values.
    """

    def __init__(self, fields: Fields, column: Shape) -> None:
        if column.sparse:
            raise StepsError(f"{fields.location} needs dense columns")
        self._texts = column.texts
        self._values = None if column.texts else fields.numbers("values")
        self.count = column.texts if self._values is None else len(self._values)
        if self._values is not None and (np.diff(self._values) <= 0).any():
            raise fields.fault("values", "must ascend")

    def find(self, values: Floats) -> NDArray[np.intp]:
        """Return the position of each value, from 0 to count + 1."""
        missing = np.isnan(values)
        if self._values is None:
            positions = np.where(missing, -1, values).astype(np.intp)
            if (positions >= self._texts).any() or (positions < -1).any():
                raise StepsError(f"a category must have a position below {self._texts}")
        else:
            positions = np.searchsorted(self._values, values)
            known = positions < self.count
            known[known] = self._values[positions[known]] == values[known]
            positions[~known] = -1
        positions[positions < 0] = self.count
        positions[missing] = self.count + 1
        return positions


class Lookup(Step):
    """Gives each value a number, or each text another text.

    `results` are in the order of the texts, or of the numbers in `values`; `to_text` makes them positions
    of texts. Without `unknown` or `missing`, such a value has no position.
    """

    kind: ClassVar[str] = "lookup"

    def __init__(
        self, positions: Positions, results: Floats, allowed: NDArray[np.bool_], shape: Shape
    ) -> None:
        self._positions = positions
        self._results = results
        self._allowed = allowed
        self.shapes = (shape,)

    @classmethod
    def read(cls, fields: Fields, columns: Sequence[Shape]) -> Self:
        column = require_one(fields, columns)
        positions = Positions(fields, column)
        to_text = fields.flag("to_text")
        if to_text and not column.texts:
            raise fields.fault("to_text", "is for columns of text")
        texts = column.texts if to_text else 0
        dtype: FloatType = np.float64 if to_text else fields.dtype()
        results, allowed = read_results(fields, positions.count)
        if to_text and not np.isin(results[allowed & ~np.isnan(results)], np.arange(-1, texts)).all():
            raise fields.fault("results", f"must be positions in a list of {texts} texts")
        return cls(positions, results.astype(dtype), allowed, Shape(column.sources, texts))

    def apply(self, columns: Sequence[Column]) -> list[Column]:
        positions = self._positions.find(columns[0].values)
        require_allowed(self._allowed, positions)
        return [Column(self._results[positions])]


class OneHot(Step):
    """Makes a column for each result: 1 where a value has it, and 0 elsewhere; -1 has none.

    `sparse` columns do not store the zeros.
    """

    kind: ClassVar[str] = "one_hot"

    def __init__(
        self,
        positions: Positions,
        results: NDArray[np.intp],
        allowed: NDArray[np.bool_],
        shape: Shape,
        width: int,
    ) -> None:
        self._positions = positions
        self._results = results
        self._allowed = allowed
        self.sparse = shape.sparse
        self.shapes = (shape,) * width

    @classmethod
    def read(cls, fields: Fields, columns: Sequence[Shape]) -> Self:
        column = require_one(fields, columns)
        positions = Positions(fields, column)
        width = fields.integer("width", 0, MOST_WIDE)
        results, allowed = read_results(fields, positions.count)
        if not np.isin(results[allowed], np.arange(-1, width)).all():
            raise fields.fault("results", f"must be whole numbers from -1 to {width - 1}")
        shape = Shape(column.sources, sparse=fields.flag("sparse"))
        return cls(positions, np.where(allowed, results, -1).astype(np.intp), allowed, shape, width)

    def find(self, column: Column) -> NDArray[np.intp]:
        """Return which of the new columns has the 1 of each row; -1 is none."""
        positions = self._positions.find(column.values)
        require_allowed(self._allowed, positions)
        return self._results[positions]

    def apply(self, columns: Sequence[Column]) -> list[Column]:
        chosen = self.find(columns[0])
        return [self._column(chosen == position) for position in range(len(self.shapes))]

    def _column(self, hot: NDArray[np.bool_]) -> Column:
        return Column(hot.astype(np.float32), ~hot if self.sparse else None)


def read_results(fields: Fields, count: int) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
    """Return the result of each position, and which positions may occur."""
    results = fields.numbers("results", count, nan=True)
    others = [name in fields for name in ("unknown", "missing")]
    more = [
        fields.number(name, nan=True) if given else np.nan
        for name, given in zip(("unknown", "missing"), others, strict=True)
    ]
    return np.append(results, more), np.append(np.ones(count, dtype=bool), others)


def require_allowed(allowed: NDArray[np.bool_], positions: NDArray[np.intp]) -> None:
    """Refuse the rows whose value has no result."""
    refuse_rows(~allowed[positions], "a value is not among those that an encoder was fitted on")
