"""The categories that XGBoost 3.1 and newer save with a model, read from the model's own JSON."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import xgboost

from model.versions import parse

COUNTS_BYTES = (3, 4)
"""Before, XGBoost counts characters where it should count bytes, so it cuts names that are not ASCII."""


@dataclass(frozen=True)
class SavedCategories:
    """The names of a feature's categories, in the order of their codes.

    `names` is empty if they were cut. `cut` has the part of each name that is left, and the number of its
    characters; it is empty if nothing can have been cut.
    """

    names: tuple[str, ...]
    cut: tuple[tuple[str, int], ...] = ()

    def fits(self, given: Sequence[str]) -> bool:
        """Return whether these are the names, or other names for all of them."""
        if self.cut:
            return len(given) == len(self.cut) and all(
                name.startswith(part) and len(name) == length
                for name, (part, length) in zip(given, self.cut, strict=True)
            )
        return len(given) == len(self.names) and (
            tuple(given) == self.names or not set(given) & set(self.names)
        )

    def shown(self) -> list[str]:
        """Return the names, with … for what was cut."""
        return [part if len(part) == length else f"{part}…" for part, length in self.cut] or list(self.names)


def saved_categories(booster: xgboost.Booster, version: str) -> list[SavedCategories | None]:
    """Return those of each feature, by its position; `version` of XGBoost saved the model."""
    if "c" not in (booster.feature_types or ()):
        return []
    trees = json.loads(booster.save_raw("json"))["learner"]["gradient_booster"]
    encodings = trees.get("gbtree", trees).get("model", {}).get("cats", {}).get("enc", ())
    return [_read(encoding, parse(version)) for encoding in encodings]


def _read(encoding: dict[str, Any], version: tuple[int, ...]) -> SavedCategories | None:
    values = encoding["values"]
    if not values:
        return None
    if "offsets" not in encoding:  # numbers
        return SavedCategories(tuple(map(str, values)))
    text, offsets = bytes(value % 256 for value in values), encoding["offsets"]
    ends = list(pairwise(offsets))
    if text.isascii() or version >= COUNTS_BYTES:
        try:
            return SavedCategories(tuple(text[start:end].decode() for start, end in ends))
        except UnicodeDecodeError:  # it was trained with an older version
            pass
    known = text.decode(errors="ignore")
    return SavedCategories((), tuple((known[start:end], end - start) for start, end in ends))
