"""Scores of two versions for the same rows."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from model.bundle import Bundle
from model.description.errors import BundleError
from model.outputs import Outputs
from model.preparation import Matrix
from model.tables.columns import MISSING, ColumnCheck, ColumnValues, FeatureFault

Scores: TypeAlias = NDArray[np.float64]
Columns: TypeAlias = Mapping[str, ColumnValues]


@dataclass(frozen=True)
class ScoredTable:
    """What one version makes of a table: outputs for the rows that it can score, and the faults of others.

    `rows` are the positions of the scored rows, and `matrix` is what was scored. `outputs` is None if there
    are none.
    """

    bundle: Bundle
    name: str
    rows: NDArray[np.int64]
    matrix: Matrix
    outputs: Outputs | None
    faults: Mapping[int, Sequence[FeatureFault]]

    @property
    def scores(self) -> Scores:
        """The scores that tell versions apart: (rows,) or, for more than two classes, (rows, classes)."""
        if self.outputs is None:
            return np.empty(0)
        prediction, probability, _, probabilities, *_ = self.outputs
        scores = next(each for each in (probability, probabilities, prediction) if each is not None)
        return np.asarray(scores, dtype=np.float64)


@dataclass(frozen=True)
class Differences:
    """The scores of the rows that both versions can score, whose positions are `rows`.

    For more than two classes they are those of the class whose probability differs most.
    """

    rows: NDArray[np.int64]
    old: Scores
    new: Scores

    @property
    def values(self) -> Scores:
        """New minus old."""
        return self.new - self.old

    def largest(self, count: int) -> NDArray[np.int64]:
        """Return the positions in these arrays of the largest differences, without equal scores."""
        sizes = np.abs(self.values)
        order = np.argsort(-sizes, kind="stable")[:count]
        return order[sizes[order] > 0]


def columns_of(rows: Sequence[Mapping[str, Any]]) -> dict[str, list[Any]]:
    """Turn rows into columns; a row without a value has MISSING."""
    names = dict.fromkeys(name for row in rows for name in row)
    return {name: [row.get(name, MISSING) for row in rows] for name in names}


def arrays_of(table: pa.Table) -> dict[str, pa.Array]:
    """Return the columns of a table, each in one piece."""
    return {
        name: column.combine_chunks() if column.num_chunks != 1 else column.chunk(0)
        for name, column in zip(table.column_names, table.columns, strict=True)
    }


def score_table(bundle: Bundle, name: str, columns: Columns, size: int) -> ScoredTable:
    """Score all rows of a table of `size` rows that the version accepts; `name` is what to call it."""
    absent: list[Any] = [MISSING] * size
    schema = bundle.manifest.schema
    checked = ColumnCheck(schema, empty_is_null=False, matrix_type=bundle.matrix_type).read(
        {feature: columns.get(feature, absent) for feature in schema.names}, size
    )
    rows = np.array([row for row in range(size) if row not in checked.faults], dtype=np.int64)
    matrix = checked.matrix[rows]
    outputs = bundle.outputs(matrix) if rows.size else None
    return ScoredTable(bundle, name, rows, matrix, outputs, checked.faults)


def find_differences(old: ScoredTable, new: ScoredTable) -> Differences:
    """Pair the scores of two versions; raises BundleError if they are of different kinds."""
    kinds = [sorted(each.bundle.manifest.members) for each in (old, new)]
    widths = [each.scores.shape[1:] for each in (old, new) if each.rows.size]
    if kinds[0] != kinds[1] or len(set(widths)) > 1:
        raise BundleError(
            f"the scores of {old.name} and {new.name} cannot be compared: one answers with "
            f"{', '.join(kinds[0])}, the other with {', '.join(kinds[1])}, or with other classes"
        )
    rows, of_old, of_new = np.intersect1d(old.rows, new.rows, return_indices=True)
    before, after = old.scores[of_old], new.scores[of_new]
    if before.ndim > 1:
        most = np.abs(after - before).argmax(axis=1)
        before, after = (np.take_along_axis(each, most[:, None], axis=1)[:, 0] for each in (before, after))
    return Differences(rows, before, after)
