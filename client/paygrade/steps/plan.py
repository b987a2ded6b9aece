"""Which step works on which columns, and which columns need not be made at all."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from paygrade.steps.column import Column
from paygrade.steps.lookup import OneHot
from paygrade.steps.step import Step


class Planned(NamedTuple):
    """A step, the columns that it works on, and those of them whose values must be checked first."""

    step: Step
    columns: list[int]
    checked: list[int]


class Scattered(NamedTuple):
    """A step whose columns go nowhere but to the booster: only their ones are written.

    `targets` are the positions of its columns among the booster's, or -1; the last is that of no column.
    """

    step: OneHot
    column: int
    targets: NDArray[np.intp]

    def write(self, columns: Sequence[Column], encoded: NDArray[np.float32]) -> None:
        """Write the ones into the booster's columns, whose other values are there already."""
        positions = self.targets[self.step.find(columns[self.column])]
        rows = np.flatnonzero(positions >= 0)
        encoded[rows, positions[rows]] = 1


def find_scattered(
    plan: Sequence[Planned], outputs: Sequence[int], made: int
) -> tuple[list[Planned | Scattered], list[tuple[int, int]]]:
    """Find the steps of which only the ones need to be written; the first step makes column `made`.

    Returns the plan with them, and the position among the outputs of each column that is copied.
    """
    needed = {column for planned in plan for column in planned.columns}
    positions = {output: position for position, output in enumerate(outputs)}
    twice = {output for position, output in enumerate(outputs) if positions[output] != position}
    changed: list[Planned | Scattered] = []
    written: set[int] = set()
    for planned in plan:
        columns = range(made, made + len(planned.step.shapes))
        made += len(planned.step.shapes)
        if not isinstance(planned.step, OneHot) or not (needed | twice).isdisjoint(columns):
            changed.append(planned)
            continue
        targets = np.array([*(positions.get(column, -1) for column in columns), -1], dtype=np.intp)
        changed.append(Scattered(planned.step, planned.columns[0], targets))
        written.update(columns)
    return changed, [(position, output) for position, output in enumerate(outputs) if output not in written]
