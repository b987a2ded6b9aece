"""The options of an import: what the booster itself does not tell."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from model.description.errors import BundleError
from model.tables.table import read_json


@dataclass(frozen=True)
class ImportOptions:
    """What the booster itself does not know; `features` are complete or partial definitions, or names.

    `scores` says where the author's scores of the sample are: columns, a file, or FILE:COLUMNS.
    `missing_value` is the number that stands for a missing value. `by_position` names the features after the
    columns of the sample. `unproved` accepts a model whose scores look wrong. `inexact` accepts scores that
    differ in the last bits, where another processor may compute a function otherwise.
    """

    name: str
    target: str
    unit: str = ""
    features: Sequence[Any] = ()
    classes: Sequence[str] = ()
    targets: Sequence[str] = ()
    transform: str = ""
    base_margin: str = ""
    trees: int | None = None
    missing_value: float | None = None
    zero_is_missing: bool = False
    by_position: bool = False
    scores: str = ""
    unproved: bool = False
    inexact: bool = False


def read_schema_file(file: Path) -> list[Any]:
    """Read a JSON list of features or of names, or an object with such a list as `features`.

    Raises TableError if the file is not JSON, and BundleError if it holds something else.
    """
    content = read_json(file)
    features = content.get("features") if isinstance(content, dict) else content
    if not isinstance(features, list) or not all(map(_is_feature, features)):
        raise BundleError(f"{file}: must hold a list of features, or of their names, in the model's order")
    return features


def _is_feature(entry: object) -> bool:
    return isinstance(entry, str) or (isinstance(entry, dict) and isinstance(entry.get("name"), str))
