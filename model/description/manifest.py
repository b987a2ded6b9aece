"""`bundle.json`: the description of a bundle, read and checked without loading the model."""

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import chain
from math import inf
from pathlib import Path
from typing import Any

from model.description.checks import check_features, check_types, check_values, load
from model.description.errors import BundleError, ModelError
from model.description.features import is_number
from model.description.files import DESCRIPTION_FILE, MODEL_FILE
from model.description.schema import Schema
from model.description.values import Value

PICKLES = ("*.pkl", "*.pickle", "*.joblib")


@dataclass(frozen=True)
class Golden:
    """Checked rows, and the score that the model gave each of them when it was published.

    A score is one number, or a list with one number for each class or quantile. Rows that are `probes` were
    made up to check the model, and nobody has ever sent such rows.
    """

    rows: list[list[Value]]
    predictions: list[Any]
    probes: bool = False


@dataclass(frozen=True, eq=False)
class Manifest:
    """The description of a bundle.

    `trees` is the number of boosting rounds to use. `classes` are the names of a classifier's classes, by
    their number. `quantiles` are those of a model that predicts an interval. `targets` are the names of
    several targets. `transform` was applied to the target before training, and is inverted in scores, in
    `transform_type`. `explained` tells whether the model can be explained, and `unexplained` why it cannot.
    Numbers equal to `missing` count as missing, and `missing_texts` in every nullable feature. `steps` make
    the booster's columns out of the features, and `after` is done to its scores; `paygrade.steps` reads both.
    `scores` is the type of the scores, and `proof` tells what they were compared with.

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
    targets: Sequence[str] = ()
    transform: str = ""
    transform_type: str = "float64"
    explained: bool = True
    unexplained: str = ""
    missing: float | None = None
    steps: Mapping[str, Any] | None = None
    after: Sequence[Mapping[str, Any]] = ()
    scores: str = "float32"
    proof: Mapping[str, Any] = field(default_factory=dict)
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
        """The golden rows as callers would send them; none if they were made up."""
        return [] if self.golden.probes else self.scored_rows

    @property
    def scored_rows(self) -> list[dict[str, Value]]:
        """The golden rows as callers would send them, even if they were made up."""
        return [dict(zip(self.schema.names, row, strict=True)) for row in self.golden.rows]

    def _columns(self) -> dict[bool, tuple[str, ...]]:
        """One for each value of `members`, and for each contribution."""
        names: list[str] = []
        for member, width in self.members.items():
            match member:
                case "probabilities":
                    classes = self.classes or [str(number) for number in range(width)]
                    names += [f"probability_{name}" for name in classes]
                case "prediction" | "probability" if self.targets:
                    names += [f"{member}_{name}" for name in self.targets]
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
            description = load(text)
            check_types(description)
            check_values(description)
            schema = Schema.from_list(description["features"], description.get("missing_texts", ()))
            check_features(schema, description)
            golden = _read_golden(description["golden"], schema, description.get("scores", "float32"))
        except ModelError as error:
            raise BundleError(f"{location}: {error}") from None
        fields = {name: value for name, value in description.items() if name not in ("features", "golden")}
        return cls(directory=directory, schema=schema, golden=golden, **fields)

    def _members(self) -> dict[str, int]:
        members = {"prediction": len(self.targets) or 1}
        multi_class = self.objective.startswith("multi:")
        if self.classes or multi_class:
            members["label"] = 1
        if self.objective == "binary:logistic":
            members["probability"] = len(self.targets) or 1
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
    if not directory.is_dir():
        raise BundleError(
            f"{directory}: there is no such directory; "
            f"a bundle is one, with {MODEL_FILE} and {DESCRIPTION_FILE}"
        )
    for pattern in PICKLES:
        for pickle in directory.glob(pattern):
            raise BundleError(
                f"{directory}: {pickle.name} is a pickle, and reading a pickle can run code; "
                f'save the model with booster.save_model("{MODEL_FILE}")'
            )
    raise BundleError(
        f'{directory}: has no {MODEL_FILE}; save the model with booster.save_model("{MODEL_FILE}")'
    )


def _read_golden(golden: Mapping[str, Any], schema: Schema, type_of_scores: str) -> Golden:
    rows, predictions = golden.get("rows"), golden.get("predictions")
    if not isinstance(rows, list) or not isinstance(predictions, list):
        raise BundleError(f"{DESCRIPTION_FILE}: golden must hold the lists rows and predictions")
    if not rows or len(rows) != len(predictions):
        raise BundleError(
            f"{DESCRIPTION_FILE}: golden must hold at least one row and one prediction for each row, "
            f"not {len(rows)} rows and {len(predictions)} predictions"
        )
    lists = [scores if isinstance(scores, list) else [scores] for scores in predictions]
    is_score = is_number if type_of_scores == "float32" else _is_double
    if not all(map(is_score, chain.from_iterable(lists))) or len({len(scores) for scores in lists}) > 1:
        raise BundleError(
            f"{DESCRIPTION_FILE}: golden predictions must be numbers, or lists of numbers of equal length"
        )
    if not isinstance(golden.get("probes", False), bool):
        raise BundleError(f"{DESCRIPTION_FILE}: probes of golden must be true or false")
    return Golden(schema.check_rows(rows, "/golden/rows"), predictions, golden.get("probes", False))


def _is_double(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and -inf < value < inf
