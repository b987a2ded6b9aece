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
        positions = (
            {} if column is None else {text: position for position, text in enumerate(column.categories)}
        )
        written: dict[str, Any] = {
            name: _result(value, positions)
            for name, value in (("unknown", self.unknown), ("missing", self.missing))
            if value is not None
        }
        if column is None:
            values = sorted(float(value) for value in self.known)
            written["values"] = values
            written["results"] = [_result(self.known[value], positions) for value in values]
        else:
            known = {as_text(value): result for value, result in self.known.items()}
            results = [self._result_of(text, known, column.name) for text in positions]
            written["results"] = [_result(result, positions) for result in results]
        return {**written, "to_text": True} if self.to_text else written

    def _result_of(self, text: str, known: Mapping[str, Key], name: str) -> Key:
        if text in known:
            return known[text]
        if self.to_text:
            return text
        if self.unknown is None:
            raise SaveRefused(
                f"an encoder of {name!r} raises for {text!r}, which another step knows or makes; give it "
                'handle_unknown="ignore"'
            )
        return self.unknown


def _result(result: Key, positions: Mapping[str, int]) -> float | int | None:
    if isinstance(result, str):
        return positions[result]
    if math.isnan(result):
        return None
    return int(result) if float(result).is_integer() else float(result)
