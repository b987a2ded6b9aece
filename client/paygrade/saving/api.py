"""Writes a fitted model as a bundle, once its scores are proved."""

import re
from collections.abc import Mapping, Sequence
from math import isfinite
from os import PathLike
from pathlib import Path
from typing import Any

from paygrade.saving.bundle_file import write_bundle
from paygrade.saving.candidate import Candidate
from paygrade.saving.errors import SaveRefused
from paygrade.saving.sample import read_sample

NAME = re.compile(r"[a-z0-9][a-z0-9_-]{0,62}")


def save(
    model: Any,
    directory: str | PathLike[str],
    *,
    name: str,
    sample: Any,
    target: str | Sequence[str],
    unit: str = "",
    version: int = 1,
    classes: Any = None,
    metrics: Mapping[str, float] | None = None,
) -> Path:
    """Write a fitted pipeline as a bundle: steps as data, the booster, and golden rows out of the sample.

    `model` is a Pipeline of scikit-learn that ends in an estimator of XGBoost, such an estimator, or a
    Booster. `sample` is a pandas DataFrame of rows as the model will meet them; all of them must score as
    `model` itself says, to the last bit. `target` is a list of names where there are several targets.
    `classes` names a classifier's classes: a list, or a fitted LabelEncoder. Returns the directory. Raises
    SaveRefused, and then writes nothing.
    """
    if not isinstance(name, str) or not NAME.fullmatch(name):
        raise SaveRefused(f"name must have 1 to 63 characters of a-z, 0-9, _ and -, not {name!r}")
    if isinstance(version, bool) or not isinstance(version, int) or version < 1:
        raise SaveRefused(f"version must be a whole number from 1, not {version!r}")
    if not isinstance(unit, str):
        raise SaveRefused(f"unit must be text, not {type(unit).__name__}")
    if not all(isinstance(value, int | float) and isfinite(value) for value in (metrics or {}).values()):
        raise SaveRefused("metrics must be numbers, each with a name")
    candidate = Candidate.read(model, read_sample(model, sample), target, classes)
    candidate.prove()
    description = {"name": name, "version": version, "unit": unit, "metrics": dict(metrics or {})}
    write_bundle(Path(directory), candidate.model, {**description, **candidate.describe()})
    return Path(directory)
