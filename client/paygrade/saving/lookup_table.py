"""What an encoder makes of each value that it knows."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from paygrade.saving.errors import SaveRefused
from paygrade.saving.raw import RawColumn, as_text

Key = str | float
"""A text, or a number."""


@dataclass(frozen=True)
class LookupTable:
    """The result for each value; None in `unknown` or `missing` means that the encoder raises.

    With `to_text` the results are texts, and -1 is one that is in no list; other texts stay as they are.
    """

    known: Mapping[Key, Key]
    unknown: Key | None
    missing: Key | None
    to_text: bool = False

    def texts(self) -> set[str]:
        """Return all texts that the table knows or makes."""
        values = (*self.known, *self.known.values(), self.missing)
        return {str(value) for value in values if isinstance(value, str)}

    def render(self, column: RawColumn | None) -> dict[str, Any]:
        """Write the table for a column of text, or for one of numbers (None)."""
        written: dict[str, Any] = {
            name: _result(value, column)
            for name, value in (("unknown", self.unknown), ("missing", self.missing))
            if value is not None
        }
        if column is None:
            values = sorted(float(value) for value in self.known)
            written["values"] = values
            written["results"] = [_result(self.known[value], column) for value in values]
        else:
            known = {as_text(value): result for value, result in self.known.items()}
            written["results"] = [self._result_of(text, known, column) for text in column.categories]
        return {**written, "texts": 1} if self.to_text else written

    def _result_of(self, text: str, known: Mapping[str, Key], column: RawColumn) -> float | int | None:
        if text in known:
            return _result(known[text], column)
        if self.to_text:
            return _result(text, column)
        if self.unknown is None:
            raise SaveRefused(
                f"an encoder of {column.name!r} raises for {text!r}, which another step knows or makes; "
                'give it handle_unknown="ignore"'
            )
        return _result(self.unknown, column)


def _result(result: Key, column: RawColumn | None) -> float | int | None:
    if isinstance(result, str):
        return column.categories.index(result) if column else None
    if math.isnan(result):
        return None
    return int(result) if float(result).is_integer() else float(result)
