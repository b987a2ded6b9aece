"""`bundle.json`: the description of a bundle, read and checked without loading the model."""

import hashlib
import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import chain
from pathlib import Path
from typing import Any, NoReturn

from model.description.errors import BundleError, ModelError
from model.description.features import is_number
from model.description.schema import Schema
from model.description.values import UNKNOWN, Value

MODEL_FILE = "model.ubj"
DESCRIPTION_FILE = "bundle.json"
TRANSFORMS = ("log", "log1p")
NAME = re.compile(r"[a-z0-9][a-z0-9_-]{0,62}")
PICKLES = ("*.pkl", "*.pickle", "*.joblib")

FIELDS: dict[str, type] = {
    "name": str,
    "version": int,
    "target": str,
    "unit": str,
    "objective": str,
    "features": list,
    "trees": int,
    "metrics": dict,
    "training": dict,
    "xgboost": str,
    "golden": dict,
    "sha256": str,
}
OPTIONAL: dict[str, type] = {
    "classes": list,
    "quantiles": list,
    "transform": str,
    "explained": bool,
    "missing_texts": list,
}
TYPE_NAMES: Mapping[type, str] = {
    str: "text",
    int: "a whole number",
    list: "a list",
    dict: "an object",
    bool: "true or false",
}


@dataclass(frozen=True)
class Golden:
    """Checked rows, and the score that the model gave each of them when it was published.

    A score is one number, or a list with one number for each class or quantile.
    """

    rows: list[list[Value]]
    predictions: list[Any]


@dataclass(frozen=True, eq=False)
class Manifest:
    """The description of a bundle.

    `trees` is the number of boosting rounds to use. `classes` are the names of a classifier's classes, by
    their number. `quantiles` are those of a model that predicts an interval. `transform` was applied to the
    target before training, and is inverted in scores. `explained` tells whether the model can be explained.
    `missing_texts` stand for a missing value in every nullable feature.

    These are derived: `ref` pins this version, as in `salary@1`; `members` are the members of each row's
    output, with the number of values in each; `columns` are those of a result file, with explanations
    (True) and without; `warns` tells whether the range of the training data is known,
    so that rows outside of it get warnings.
    """

    directory: Path
    name: str
    version: int
    target: str
    unit: str
    objective: str
    schema: Schema
    trees: int
    metrics: Mapping[str, Any]
    training: Mapping[str, Any]
    xgboost: str
    golden: Golden
    sha256: str
    classes: Sequence[str] = ()
    quantiles: Sequence[float] = ()
    transform: str = ""
    explained: bool = True
    missing_texts: Sequence[str] = ()
    ref: str = field(init=False)
    members: Mapping[str, int] = field(init=False)
    columns: Mapping[bool, tuple[str, ...]] = field(init=False)
    warns: bool = field(init=False)

    def __post_init__(self) -> None:
        derived = {
            "ref": f"{self.name}@{self.version}",
            "members": self._members(),
            "warns": any(feature.observed for feature in self.schema.features),
        }
        for name, value in derived.items():
            object.__setattr__(self, name, value)  # the dataclass is frozen
        object.__setattr__(self, "columns", self._columns())

    @property
    def examples(self) -> list[dict[str, Value]]:
        """The golden rows as callers would send them: rows that are known to be valid."""
        return [dict(zip(self.schema.names, row, strict=True)) for row in self.golden.rows]

    def _columns(self) -> dict[bool, tuple[str, ...]]:
        """One for each value of `members`, and for each contribution."""
        names: list[str] = []
        for member, width in self.members.items():
            match member:
                case "probabilities":
                    classes = self.classes or [str(number) for number in range(width)]
                    names += [f"probability_{name}" for name in classes]
                case "interval":
                    names += ["interval_low", "interval_high"]
                case _:
                    names.append(member)
        contributions = [f"contribution_{name}" for name in self.schema.names]
        return {False: tuple(names), True: (*names, *contributions, "base")}

    @classmethod
    def read(cls, directory: Path) -> "Manifest":
        """Read the description of the bundle in a directory, and check the sha256 of both files.

        Raises BundleError.
        """
        _require_model_file(directory)
        file = directory / DESCRIPTION_FILE
        try:
            text = file.read_bytes()
            manifest = cls.parse(text, directory, str(directory))
            if digest(json.loads(text), directory / MODEL_FILE) != manifest.sha256:
                raise BundleError(
                    f"{directory}: sha256 does not match: the bundle was changed after it was published; "
                    "publish a new version instead"
                )
        except FileNotFoundError:
            raise BundleError(f"{directory}: has no {file.name}") from None
        except OSError as error:
            raise BundleError(f"{directory}: cannot be read: {error.strerror}") from None
        return manifest

    @classmethod
    def parse(cls, text: bytes, directory: Path, location: str) -> "Manifest":
        """Read a description without its model; raises BundleError, which names `location`."""
        try:
            description = _load(text)
            _check_types(description)
            _check_values(description)
            schema = Schema.from_list(description["features"], description.get("missing_texts", ()))
            _check_unseen(schema, description)
            golden = _read_golden(description["golden"], schema)
        except ModelError as error:
            raise BundleError(f"{location}: {error}") from None
        fields = {name: value for name, value in description.items() if name not in ("features", "golden")}
        return cls(directory=directory, schema=schema, golden=golden, **fields)

    def _members(self) -> dict[str, int]:
        members = {"prediction": 1}
        multi_class = self.objective.startswith("multi:")
        if self.classes or multi_class:
            members["label"] = 1
        if self.objective == "binary:logistic":
            members["probability"] = 1
        if multi_class:
            scores = self.golden.predictions[0]
            members["probabilities"] = len(scores) if isinstance(scores, list) else 1
        if self.quantiles:
            members["interval"] = 2
        return members


def digest(description: Mapping[str, Any], model: Path) -> str:
    """Return the sha256 of a bundle in hexadecimal.

    It covers the description without `sha256`, as ASCII JSON with sorted keys and no spaces, and after it the
    bytes of the model's file.
    """
    signed = {name: value for name, value in description.items() if name != "sha256"}
    sha256 = hashlib.sha256(json.dumps(signed, sort_keys=True, separators=(",", ":")).encode())
    with model.open("rb") as file:
        hashlib.file_digest(file, lambda: sha256)
    return sha256.hexdigest()


def _require_model_file(directory: Path) -> None:
    if (directory / MODEL_FILE).is_file():
        return
    for pattern in PICKLES:
        for pickle in directory.glob(pattern):
            raise BundleError(
                f"{directory}: {pickle.name} is a pickle, and reading a pickle can run code; "
                f'save the model with booster.save_model("{MODEL_FILE}")'
            )
    raise BundleError(
        f'{directory}: has no {MODEL_FILE}; save the model with booster.save_model("{MODEL_FILE}")'
    )


def _load(text: bytes) -> dict[str, Any]:
    try:
        description = json.loads(text.decode(), parse_constant=_refuse_constant)
    except (ValueError, RecursionError) as error:
        raise BundleError(f"{DESCRIPTION_FILE} is not JSON: {error}") from None
    if not isinstance(description, dict):
        raise BundleError(f"{DESCRIPTION_FILE} must hold an object")
    return description


def _refuse_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is not a JSON number")


def _check_types(description: Mapping[str, Any]) -> None:
    for name in FIELDS:
        if name not in description:
            raise BundleError(f"{DESCRIPTION_FILE} lacks the field {name}")
    for name, expected in (FIELDS | OPTIONAL).items():
        if name in description and not _is_a(description[name], expected):
            raise BundleError(f"{DESCRIPTION_FILE}: {name} must be {TYPE_NAMES[expected]}")
    unknown = sorted(description.keys() - FIELDS.keys() - OPTIONAL.keys())
    if unknown:
        raise BundleError(f"{DESCRIPTION_FILE} has an unknown field: {unknown[0]}")


def _is_a(value: object, expected: type) -> bool:
    return isinstance(value, expected) and not (expected is int and isinstance(value, bool))


def _check_values(description: Mapping[str, Any]) -> None:
    classes, quantiles = description.get("classes", []), description.get("quantiles", [])
    if not NAME.fullmatch(description["name"]):
        raise BundleError(
            f"{DESCRIPTION_FILE}: name must have 1 to 63 characters of a-z, 0-9, _ and -, "
            "and start with a letter or a digit"
        )
    for name in ("version", "trees"):
        if description[name] < 1:
            raise BundleError(f"{DESCRIPTION_FILE}: {name} must be 1 or more")
    if not all(isinstance(text, str) for text in classes) or len(set(classes)) != len(classes):
        raise BundleError(f"{DESCRIPTION_FILE}: classes must be texts, each different from the others")
    if not all(isinstance(text, str) and text.strip() for text in description.get("missing_texts", [])):
        raise BundleError(f"{DESCRIPTION_FILE}: missing_texts must be texts, none of them empty")
    if not all(is_number(alpha) and 0 < alpha < 1 for alpha in quantiles):
        raise BundleError(f"{DESCRIPTION_FILE}: quantiles must be numbers between 0 and 1")
    if description.get("transform", "log") not in TRANSFORMS:
        raise BundleError(f"{DESCRIPTION_FILE}: transform must be one of {', '.join(TRANSFORMS)}")


def _check_unseen(schema: Schema, description: Mapping[str, Any]) -> None:
    """A booster has no branch for a category that it does not know; only a fitted step may have one."""
    for feature in schema.features:
        if feature.unseen == UNKNOWN and not description.get("steps"):
            raise BundleError(
                f"{DESCRIPTION_FILE}: feature {feature.name!r}: unseen: unknown needs a bundle with steps"
            )


def _read_golden(golden: Mapping[str, Any], schema: Schema) -> Golden:
    rows, predictions = golden.get("rows"), golden.get("predictions")
    if not isinstance(rows, list) or not isinstance(predictions, list):
        raise BundleError(f"{DESCRIPTION_FILE}: golden must hold the lists rows and predictions")
    if not rows or len(rows) != len(predictions):
        raise BundleError(
            f"{DESCRIPTION_FILE}: golden must hold at least one row and one prediction for each row, "
            f"not {len(rows)} rows and {len(predictions)} predictions"
        )
    lists = [scores if isinstance(scores, list) else [scores] for scores in predictions]
    if not all(map(is_number, chain.from_iterable(lists))) or len({len(scores) for scores in lists}) > 1:
        raise BundleError(
            f"{DESCRIPTION_FILE}: golden predictions must be numbers, or lists of numbers of equal length"
        )
    return Golden(schema.check_rows(rows, "/golden/rows"), predictions)
