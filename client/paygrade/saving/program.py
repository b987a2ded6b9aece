"""Collects the steps of a pipeline while it is read."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, NamedTuple

from paygrade.saving.errors import SaveRefused
from paygrade.saving.lookup_table import LookupTable
from paygrade.saving.raw import RawColumn


@dataclass(frozen=True)
class Made:
    """A column of the sample, or one that a step makes.

    `text_of` is the column of the sample whose texts it holds, if it holds texts. The last bits of an
    `inexact` column differ between processors; its zeros may be `sure` all the same. `dense` is the column
    that this one is the sparse form of.
    """

    label: str
    text_of: RawColumn | None = None
    inexact: bool = False
    sure: bool = True
    dense: int | None = None


class Added(NamedTuple):
    """A step as it was added, with the numbers of the columns that it works on and of those that it makes."""

    kind: str
    of: list[int]
    made: list[int]
    members: Mapping[str, Any]
    table: LookupTable | None


class Program:
    """The steps in the order in which they are replayed.

    Columns have numbers: first those of the sample, then those that each step makes. `readers` are those of
    the classes on the list, by name.
    """

    def __init__(
        self, columns: Mapping[str, Callable[[], RawColumn]], readers: Mapping[str, "Reader"]
    ) -> None:
        self.readers = readers
        self.steps: list[Added] = []
        self.raw: dict[int, RawColumn] = {}
        self._read_column = list(columns.values())
        self._made: list[Made] = []

    def __getitem__(self, number: int) -> Made:
        """Return what is known of a column; raises SaveRefused for one of the sample that no step can use."""
        if number >= len(self._read_column):
            return self._made[number - len(self._read_column)]
        if number not in self.raw:
            self.raw[number] = self._read_column[number]()
        raw = self.raw[number]
        return Made(raw.name, raw if raw.type == "category" else None)

    def add(
        self, kind: str, of: Sequence[int], made: Sequence[Made] | None = None, **members: Any
    ) -> list[int]:
        """Add a step; returns the numbers of the columns that it makes, by default one like each of `of`."""
        like = [replace(self[number], sure=not self[number].inexact, dense=None) for number in of]
        return self._add(kind, of, like if made is None else made, members, None)

    def add_table(
        self, kind: str, of: int, made: Sequence[Made], table: LookupTable, **members: Any
    ) -> list[int]:
        """Add a step that looks values up; raises SaveRefused if their last bits are uncertain."""
        require_exact(self, [of], "an encoder")
        if text_of := self[of].text_of:
            text_of.texts |= table.texts()
        if table.unknown is None:
            self._forbid_unknown(of)
        return self._add(kind, [of], made, members, table)

    def _add(
        self,
        kind: str,
        of: Sequence[int],
        made: Sequence[Made],
        members: Mapping[str, Any],
        table: LookupTable | None,
    ) -> list[int]:
        first = len(self._read_column) + len(self._made)
        numbers = list(range(first, first + len(made)))
        self.steps.append(Added(kind, list(of), numbers, members, table))
        self._made += made
        return numbers

    def _forbid_unknown(self, number: int) -> None:
        """A value that an encoder does not know must be refused before it reaches the step."""
        column = self.raw.get(number) or self[number].text_of
        if column is None:
            raise SaveRefused(
                f"an encoder of {self[number].label!r} raises for values that it does not know, and these "
                'are calculated; give it handle_unknown="ignore", or "use_encoded_value" with unknown_value'
            )
        column.unseen = False
        column.as_text = column.type != "category"


Reader = Callable[[Program, Any, Any, Any], list[int]]
"""Adds the steps of a fitted transformer, and returns the numbers of the columns that it makes.

It is given the transformer, what flows into it (Traced), and the values that came out.
"""


def require_exact(program: Program, columns: Sequence[int], step: str) -> None:
    """Refuse a step that compares values whose last bits depend on the processor."""
    for column in columns:
        if program[column].inexact:
            raise SaveRefused(
                f"{step} compares values of {program[column].label!r} after a logarithm, exponential or "
                "power, whose last bits differ between processors; put it before that transform, or leave "
                "the transform out"
            )
