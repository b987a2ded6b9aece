"""Columns as steps pass them on."""

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from paygrade.steps.errors import StepsError
from paygrade.steps.fields import Floats


@dataclass(frozen=True)
class Shape:
    """What is known of a column before it has values.

    `sources` are the positions of the features that it is made of. A column of text holds positions in a
    list of so many `texts`, or -1 for one that is not in the list; 0 means that it holds numbers. A `sparse`
    column does not store its zeros. A `calculated` one may be infinite.
    """

    sources: tuple[int, ...]
    texts: int = 0
    sparse: bool = False
    calculated: bool = False


class Column(NamedTuple):
    """Values of shape (rows,); NaN is missing. `absent` are those that a sparse column does not store."""

    values: Floats
    absent: NDArray[np.bool_] | None = None


def refuse_rows(refused: NDArray[np.bool_], problem: str) -> None:
    """Raise StepsError that names the rows, if there are any."""
    if refused.any():
        raise StepsError(problem, np.flatnonzero(refused).tolist())
