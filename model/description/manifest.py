"""`bundle.json`: what a bundle says of itself, read and checked, without loading the model."""

import hashlib
import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from typing import Any, NoReturn

from model.description.errors import BundleError, ModelError
from model.description.grammar import is_number
from model.description.schema import Schema, Value

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
}
KINDS: Mapping[type, str] = {
    str: "text",
    int: "a whole number",
    list: "a list",
    dict: "an object",
    bool: "true or false",
}


@dataclass(frozen=True)
class Golden:
    """Rows, read by the schema, and what the model gave for each on the day it was published.

    That is one number a row; of several classes, or several quantiles, one for each of them.
    """

    rows: list[list[Value]]
    predictions: list[Any]


@dataclass(frozen=True, eq=False)
class Manifest:
    """A bundle without its trees; `trees` is how many boosting rounds to use.

    `classes` are the names of a classifier's classes, by their number; `quantiles` are those of a model that
    gives an interval; `transform` is what was done to the target before training, and is undone.
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

    @property
    def ref(self) -> str:
        """The name that pins this version, such as `salary@1`."""
        return f"{self.name}@{self.version}"

    @property
    def examples(self) -> list[dict[str, Value]]:
        """Rows as callers send them, that are known to be scored: the golden ones."""
        return [dict(zip(self.schema.names, row, strict=True)) for row in self.golden.rows]

    @property
    def members(self) -> dict[str, int]:
        """What the output of every row has, by name, and how many values each holds."""
        members = {"prediction": 1}
        several = self.objective.startswith("multi:")
        if self.classes or several:
            members["label"] = 1
        if self.objective == "binary:logistic":
            members["probability"] = 1
        if several:
            members["probabilities"] = len(self.golden.predictions[0])
        if self.quantiles:
            members["interval"] = 2
        return members

    def columns(self, explain: bool = False) -> tuple[str, ...]:
        """The same for a table, which has a column for each value."""
        names: list[str] = []
        for member in self.members:
            match member:
                case "probabilities":
                    width = self.members[member]
                    classes = self.classes or [str(number) for number in range(width)]
                    names += [f"probability_{name}" for name in classes]
                case "interval":
                    names += ["interval_low", "interval_high"]
                case _:
                    names.append(member)
        if explain:
            names += [*(f"contribution_{name}" for name in self.schema.names), "base"]
        return tuple(names)

    @property
    def warns(self) -> bool:
        """Whether it is known what training saw, so that a row outside of it is warned of."""
        return any(feature.observed for feature in self.schema.features)

    @classmethod
    def read(cls, directory: Path) -> "Manifest":
        """Read a bundle's description and hold its two files to their sha256."""
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
    def parse(cls, text: bytes, directory: Path, said_of: str) -> "Manifest":
        """Read a description alone; `said_of` begins the one line of a BundleError."""
        try:
            description = _load(text)
            _check_fields(description)
            schema = Schema.from_list(description["features"])
            golden = _read_golden(description["golden"], schema)
        except ModelError as error:
            raise BundleError(f"{said_of}: {error}") from None
        said = {name: value for name, value in description.items() if name not in ("features", "golden")}
        return cls(directory=directory, schema=schema, golden=golden, **said)


def digest(description: Mapping[str, Any], model: Path) -> str:
    """Hash a bundle: first its description, then the bytes of its model.

    The description goes in without `sha256`, as ASCII JSON with sorted keys and no spaces.
    """
    signed = {name: value for name, value in description.items() if name != "sha256"}
    hashed = hashlib.sha256(json.dumps(signed, sort_keys=True, separators=(",", ":")).encode())
    with model.open("rb") as file:
        hashlib.file_digest(file, lambda: hashed)
    return hashed.hexdigest()


def _require_model_file(directory: Path) -> None:
    if (directory / MODEL_FILE).is_file():
        return
    for pattern in PICKLES:
        for pickle in directory.glob(pattern):
            raise BundleError(
                f"{directory}: {pickle.name} is a pickle, and a pickle can run code when it is read; "
                f'save the model with booster.save_model("{MODEL_FILE}")'
            )
    raise BundleError(f'{directory}: has no {MODEL_FILE}; save it with booster.save_model("{MODEL_FILE}")')


def _load(text: bytes) -> dict[str, Any]:
    try:
        description = json.loads(text.decode(), parse_constant=_refuse_constant)
    except (ValueError, RecursionError) as error:
        raise BundleError(f"{DESCRIPTION_FILE} is not JSON: {error}") from None
    if not isinstance(description, dict):
        raise BundleError(f"{DESCRIPTION_FILE} must hold an object")
    return description


def _refuse_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is no JSON number")


def _check_fields(description: Mapping[str, Any]) -> None:
    for name in FIELDS:
        if name not in description:
            raise BundleError(f"{DESCRIPTION_FILE} lacks the field {name}")
    for name, kind in (FIELDS | OPTIONAL).items():
        value = description.get(name)
        if name in description and (not isinstance(value, kind) or (kind is int and isinstance(value, bool))):
            raise BundleError(f"{DESCRIPTION_FILE}: {name} must be {KINDS[kind]}")
    unknown = sorted(description.keys() - FIELDS.keys() - OPTIONAL.keys())
    if unknown:
        raise BundleError(f"{DESCRIPTION_FILE} has an unknown field: {unknown[0]}")
    if not NAME.fullmatch(description["name"]):
        raise BundleError(
            f"{DESCRIPTION_FILE}: name must be 1 to 63 of a-z, 0-9, _ and -, and start with a letter or digit"
        )
    for name in ("version", "trees"):
        if description[name] < 1:
            raise BundleError(f"{DESCRIPTION_FILE}: {name} must be 1 or more")
    _check_optional(description)


def _check_optional(description: Mapping[str, Any]) -> None:
    classes, quantiles = description.get("classes", []), description.get("quantiles", [])
    if not all(isinstance(one, str) for one in classes) or len(set(classes)) != len(classes):
        raise BundleError(f"{DESCRIPTION_FILE}: classes must be texts that all differ")
    if not all(is_number(alpha) and 0 < alpha < 1 for alpha in quantiles):
        raise BundleError(f"{DESCRIPTION_FILE}: quantiles must be numbers between 0 and 1")
    if description.get("transform", "log") not in TRANSFORMS:
        raise BundleError(f"{DESCRIPTION_FILE}: transform must be one of {', '.join(TRANSFORMS)}")


def _read_golden(golden: Mapping[str, Any], schema: Schema) -> Golden:
    rows, predictions = golden.get("rows"), golden.get("predictions")
    if not isinstance(rows, list) or not isinstance(predictions, list):
        raise BundleError(f"{DESCRIPTION_FILE}: golden must hold the lists rows and predictions")
    if not rows or len(rows) != len(predictions):
        raise BundleError(f"{DESCRIPTION_FILE}: golden must hold at least one row, and a prediction for each")
    lists = [one if isinstance(one, list) else [one] for one in predictions]
    if not all(map(is_number, chain.from_iterable(lists))) or len({len(one) for one in lists}) > 1:
        raise BundleError(
            f"{DESCRIPTION_FILE}: golden predictions must be numbers, or equally long lists of them"
        )
    return Golden(schema.check_rows(rows, "/golden/rows"), predictions)
