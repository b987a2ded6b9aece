"""Collects the steps of a pipeline while it is read."""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from paygrade.saving.errors import SaveRefused
from paygrade.saving.raw import RawColumn, as_text

Members = Mapping[str, Any]
Key = str | float
"""A value that an encoder knows: a text, or a number."""


Reader = Callable[["Program", Any, Any], list[int]]
"""Adds the steps of a fitted transformer, and returns the numbers of the columns that it makes."""


@dataclass(frozen=True)
class Made:
    """A column of the sample, or one that a step makes.

    `text_of` is the column of the sample whose texts it holds, if it holds texts. The last bits of an `inexact`
    column differ between processors.
    """

    label: str
    text_of: RawColumn | None = None
    inexact: bool = False
    sparse: bool = False


@dataclass(frozen=True)
class Table:
    """What an encoder makes of each value that it knows; None in `unknown` or `missing` means that it raises.

    With `to_text` the results are texts, and -1 is one that is in no list; other texts stay as they are.
    """

    known: Mapping[Key, Key]
    unknown: Key | None
    missing: Key | None
    to_text: bool = False


class Program:
    """The steps in the order in which they are replayed.

    Columns have numbers: first those of the sample, then those that each step makes. `readers` are those of the
    classes on the list, by name.
    """

    def __init__(self, columns: Mapping[str, Callable[[], RawColumn]], readers: Mapping[str, Reader]) -> None:
        self.readers = readers
        self._read_column = columns
        self._names = list(columns)
        self._columns: dict[int, RawColumn] = {}
        self._made: list[Made] = []
        self._steps: list[tuple[str, list[int], Members, Table | None]] = []

    def column(self, name: str) -> int:
        """Return the number of a column of the sample."""
        return self._names.index(name)

    def raw(self, number: int) -> RawColumn | None:
        """Return a column of the sample, and None for one that a step makes."""
        if number >= len(self._names):
            return None
        if number not in self._columns:
            self._columns[number] = self._read_column[self._names[number]]()
        return self._columns[number]

    def __getitem__(self, number: int) -> Made:
        if number >= len(self._names):
            return self._made[number - len(self._names)]
        raw = self.raw(number)
        assert raw
        return Made(raw.name, raw if raw.type == "category" else None)

    def add(self, kind: str, of: Sequence[int], made: Sequence[Made], **members: Any) -> list[int]:
        """Add a step; returns the numbers of the columns that it makes."""
        return self._add(kind, of, made, members, None)

    def add_table(self, kind: str, of: int, made: Sequence[Made], table: Table, **members: Any) -> list[int]:
        """Add a step that looks values up."""
        if text_of := self[of].text_of:
            text_of.texts |= {str(text) for text in table.known}
            results = (*table.known.values(), table.missing)
            text_of.texts |= {text for text in results if isinstance(text, str)}
        if table.unknown is None:
            self._forbid_unknown(of)
        return self._add(kind, [of], made, members, table)

    def _add(
        self, kind: str, of: Sequence[int], made: Sequence[Made], members: Members, table: Table | None
    ) -> list[int]:
        for number in of:
            self.raw(number)
        first = len(self._names) + len(self._made)
        self._steps.append((kind, list(of), members, table))
        self._made += made
        return list(range(first, first + len(made)))

    def _forbid_unknown(self, number: int) -> None:
        """A value that an encoder does not know must be refused before it reaches the step."""
        column = self.raw(number)
        if column is None and self[number].text_of:
            column = self[number].text_of
        elif column is None:
            raise SaveRefused(
                f"an encoder of {self[number].label!r} raises for values that it does not know, and these are "
                'calculated; give it handle_unknown="ignore", or "use_encoded_value" with unknown_value'
            )
        column.unseen = False
        column.as_text = column.type != "category"

    def finish(self, outputs: Sequence[int], names: Sequence[str], missing: float | None) -> "Written":
        """Return the steps as a bundle holds them, with the columns of the sample that they use."""
        for output in outputs:
            self.raw(output)
            if self[output].text_of:
                raise SaveRefused(
                    f"column {self[output].label!r} holds text, and reaches XGBoost without an encoder"
                )
        for number, column in self._columns.items():
            if column.as_text:
                self._make_text(number, column, outputs)
        used = sorted(self._columns)
        renumbered = {number: position for position, number in enumerate(used)}
        for position in range(len(self._made)):
            renumbered[len(self._names) + position] = len(used) + position
        steps = [
            {"kind": kind, "of": [renumbered[number] for number in of], **members, **self._render(of, table)}
            for kind, of, members, table in self._steps
        ]
        written = {
            "steps": steps,
            "output": [renumbered[output] for output in outputs],
            "names": list(names),
            **({} if missing is None else {"missing": missing}),
        }
        return Written(written, [self._columns[number] for number in used])

    def _make_text(self, number: int, column: RawColumn, outputs: Sequence[int]) -> None:
        """A number that must be one of a list becomes a category, if nothing calculates with it."""
        tables = [table for _, of, _, table in self._steps if number in of]
        calculated = number in outputs or any(table is None for table in tables)
        if column.type == "boolean" or calculated:
            raise SaveRefused(
                f"an encoder of {column.name!r} raises for numbers that it does not know, so a caller's row would "
                'fail; give it handle_unknown="ignore", or "use_encoded_value" with unknown_value'
            )
        column.type = "category"
        column.texts = {as_text(value) for table in tables if table for value in table.known}

    def _render(self, of: Sequence[int], table: Table | None) -> Members:
        if table is None:
            return {}
        raw = self.raw(of[0])
        column = self[of[0]].text_of
        others = {
            name: self._result(value, column)
            for name, value in (("unknown", table.unknown), ("missing", table.missing))
            if value is not None
        }
        if column is None:
            values = sorted(table.known, key=float)
            results = [self._result(table.known[value], column) for value in values]
            return {"values": [float(value) for value in values], "results": results, **others}
        known = {as_text(value): result for value, result in table.known.items()}
        unknown = table.unknown
        results = []
        for text in column.categories:
            if text in known:
                results.append(self._result(known[text], column))
            elif table.to_text:
                results.append(self._result(text, column))
            elif unknown is None:
                raise SaveRefused(
                    f"an encoder of {column.name!r} raises for {text!r}, which another step makes or knows; "
                    'give it handle_unknown="ignore"'
                )
            else:
                results.append(self._result(unknown, column))
        return {"results": results, **others, **({"texts": 1} if table.to_text else {})}

    def _result(self, result: Key, column: RawColumn | None) -> float | int | None:
        if isinstance(result, str):
            assert column
            return column.categories.index(result)
        if math.isnan(result):
            return None
        return int(result) if float(result).is_integer() else float(result)


@dataclass(frozen=True)
class Written:
    """Steps as a bundle holds them, and the columns of the sample that they are made for."""

    steps: dict[str, Any]
    columns: list[RawColumn]
