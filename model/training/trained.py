"""A model that has been trained, here or elsewhere, before it is published."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import xgboost

from model.description.checks import NAME
from model.evaluation.evaluate import Predictions
from model.tables.table import TableError

GOLDEN_ROWS = 12


@dataclass(frozen=True)
class TrainedModel:
    """The arguments of `publish`.

    `held_out` has what trees that had not seen a row predict of it, for all rows, and the same of a linear
    model.
    """

    booster: xgboost.Booster
    description: dict[str, Any]
    golden_rows: list[dict[str, Any]]
    held_out: Mapping[str, Predictions] = field(default_factory=dict)


def model_name(file: str, given: str) -> str:
    """Return the given name of a model, or derive one from that of a file; raises TableError."""
    stem = re.sub(r"[^a-z0-9_-]+", "-", (given or file.partition(".")[0]).lower()).strip("-_")[:63]
    if given and not NAME.fullmatch(given):
        advice = f"; --name {stem} would do" if NAME.fullmatch(stem) else ""
        raise TableError(
            f"--name {given!r}: a name has 1 to 63 characters of a-z, 0-9, _ and -, "
            f"and starts with a letter or a digit{advice}"
        )
    if not NAME.fullmatch(stem):
        raise TableError(f"{file}: the file's name gives no name for the model; add --name NAME")
    return stem
