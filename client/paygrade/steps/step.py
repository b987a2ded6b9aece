"""What all steps have in common."""

from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import ClassVar, Self

from paygrade.steps.column import Column, Shape
from paygrade.steps.errors import StepsError
from paygrade.steps.fields import Fields


class Step(ABC):
    """One fitted operation: it turns some columns into others.

    `kind` is its name in a bundle. `read` gets the shapes of the columns that it works on, checks that it
    can, and says which shapes it gives. A step that `takes_infinity` is also given infinite values. One that
    is not `exact` has other last bits on other processors.
    """

    kind: ClassVar[str]
    takes_infinity: ClassVar[bool] = False
    exact: bool = True
    shapes: tuple[Shape, ...]

    @classmethod
    @abstractmethod
    def read(cls, fields: Fields, columns: Sequence[Shape]) -> Self:
        """Read the members of the step; raises StepsError."""

    @abstractmethod
    def apply(self, columns: Sequence[Column]) -> list[Column]:
        """Return the new columns; raises StepsError for a value that the step does not take."""


def require_numbers(fields: Fields, columns: Sequence[Shape], sparse: bool = False) -> None:
    """Refuse columns of text, and sparse columns unless the step knows them."""
    if any(column.texts for column in columns):
        raise StepsError(f"{fields.location} needs numbers, and is given text")
    if not sparse and any(column.sparse for column in columns):
        raise StepsError(f"{fields.location} needs dense columns")


def require_one(fields: Fields, columns: Sequence[Shape]) -> Shape:
    """Refuse any other number of columns."""
    if len(columns) != 1:
        raise StepsError(f"{fields.location} needs one column, and is given {len(columns)}")
    return columns[0]


def merge_sources(columns: Sequence[Shape]) -> tuple[int, ...]:
    """Return the features that several columns are made of."""
    return tuple(sorted({source for column in columns for source in column.sources}))
