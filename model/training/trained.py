"""A model that has been trained, here or elsewhere, before it is published."""

import re
from dataclasses import dataclass
from typing import Any

import xgboost

from model.description.manifest import NAME
from model.training.table import TableError

GOLDEN_ROWS = 12


@dataclass(frozen=True)
class TrainedModel:
    """The arguments of `publish`."""

    booster: xgboost.Booster
    description: dict[str, Any]
    golden_rows: list[dict[str, Any]]


def model_name(file: str) -> str:
    """Derive the name of a model from that of a file; raises TableError if it gives no valid name."""
    stem = re.sub(r"[^a-z0-9_-]+", "-", file.lower().partition(".")[0]).strip("-_")
    if not NAME.fullmatch(stem[:63]):
        raise TableError(f"{file}: the file's name gives no name for the model; add --name NAME")
    return stem[:63]
