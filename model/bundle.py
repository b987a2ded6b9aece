"""A bundle with its trees loaded: the one place that scores."""

import json
from collections.abc import Sequence

import numpy as np
import xgboost
from numpy.typing import NDArray

from model.errors import BundleError
from model.golden import check_golden
from model.manifest import MODEL_FILE, Manifest
from model.matrix import Encoder
from model.observed import Observed
from model.schema import Value

# One number a row, and that number is the prediction.
SERVED_OBJECTIVES = (
    "reg:squarederror",
    "reg:squaredlogerror",
    "reg:pseudohubererror",
    "reg:absoluteerror",
    "reg:gamma",
    "reg:tweedie",
    "count:poisson",
)


class Bundle:
    """A model ready to score. Load it after a fork, never before: XGBoost's threads do not survive one."""

    def __init__(self, manifest: Manifest, booster: xgboost.Booster) -> None:
        self.manifest = manifest
        self._booster = booster
        self._encoder = Encoder(manifest.schema)
        self._observed = Observed(manifest.schema)

    @classmethod
    def load(cls, manifest: Manifest, threads: int = 1) -> "Bundle":
        """Load the trees, and refuse a model that does not fit its description or its golden rows."""
        booster = _read_booster(manifest, threads)
        _check_fit(manifest, booster)
        bundle = cls(manifest, booster)
        check_golden(manifest, bundle.predict(manifest.golden.rows))
        return bundle

    def predict(self, rows: Sequence[Sequence[Value]]) -> NDArray[np.float32]:
        """Score rows that the schema has checked, in one call of the model."""
        return score(self._booster, self._encoder.encode(rows), self.manifest.trees)

    columns = ("prediction",)
    """What it gives for each row."""

    def score_matrix(self, matrix: NDArray[np.float32]) -> NDArray[np.float32]:
        """Score rows as XGBoost takes them, such as `ColumnCheck` makes, in one call of the model."""
        return score(self._booster, matrix, self.manifest.trees)

    def warnings(self, rows: Sequence[Sequence[Value]]) -> dict[int, list[str]]:
        """What to say of each row with a value outside what training saw, by the number of the row."""
        return self._observed.warnings(self._encoder.encode(rows))


def score(booster: xgboost.Booster, matrix: NDArray[np.float32], trees: int) -> NDArray[np.float32]:
    """Score a matrix with the first `trees` rounds."""
    scores: NDArray[np.float32] = booster.inplace_predict(
        matrix, iteration_range=(0, trees), validate_features=False
    )
    return scores


def served_objective(booster: xgboost.Booster, ref: str) -> str:
    """Read what the booster was trained for, and refuse what would not be one number a row."""
    learner = json.loads(booster.save_config())["learner"]
    objective, targets = learner["objective"]["name"], learner["learner_model_param"]["num_target"]
    if objective not in SERVED_OBJECTIVES:
        raise BundleError(
            f"{ref}: objective {objective} is not served; these are: {', '.join(SERVED_OBJECTIVES)}"
        )
    if targets != "1":
        raise BundleError(f"{ref}: a model of {targets} targets is not served; train one for each target")
    return str(objective)


def _read_booster(manifest: Manifest, threads: int) -> xgboost.Booster:
    # A file cut short can crash XGBoost, and it may have changed since the catalog read it.
    if Manifest.read(manifest.directory).sha256 != manifest.sha256:
        raise BundleError(f"{manifest.ref}: was replaced after it was published; publish a new version")
    model = (manifest.directory / MODEL_FILE).read_bytes()
    if model.startswith(b"\x80"):
        raise BundleError(
            f"{manifest.ref}: {MODEL_FILE} is a pickle, and a pickle can run code when it is read; "
            f'save the model with booster.save_model("{MODEL_FILE}")'
        )
    unreadable = BundleError(
        f"{manifest.ref}: {MODEL_FILE} is no whole XGBoost model; "
        f'save it with booster.save_model("{MODEL_FILE}")'
    )
    if not (model.startswith(b"{") and model.endswith(b"}")):
        raise unreadable
    booster = xgboost.Booster({"nthread": threads})
    try:
        booster.load_model(bytearray(model))
    except (xgboost.core.XGBoostError, UnicodeDecodeError):  # the latter when it quotes bytes of the file
        raise unreadable from None
    return booster


def _check_fit(manifest: Manifest, booster: xgboost.Booster) -> None:
    names = list(manifest.schema.names)
    if booster.num_features() != len(names):
        raise BundleError(
            f"{manifest.ref}: the model has {booster.num_features()} features, its description {len(names)}"
        )
    if booster.feature_names is not None and booster.feature_names != names:
        raise BundleError(f"{manifest.ref}: the model names its features otherwise, or in another order")
    if booster.num_boosted_rounds() < manifest.trees:
        raise BundleError(f"{manifest.ref}: the model has fewer than {manifest.trees} rounds of trees")
    objective = served_objective(booster, manifest.ref)
    if objective != manifest.objective:
        raise BundleError(f"{manifest.ref}: the model's objective is {objective}, not {manifest.objective}")
