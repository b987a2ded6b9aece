"""A bundle with its trees loaded: the one place that scores."""

from collections.abc import Sequence

import numpy as np
import xgboost
from numpy.typing import NDArray

from model.booster import read_booster
from model.description.errors import BundleError
from model.description.manifest import MODEL_FILE, Manifest
from model.description.schema import Value
from model.golden import check_golden
from model.matrix import Encoder
from model.objective import Objective, read_objective
from model.observed import Observed
from model.outputs import Outputs, named
from model.scorer import Explanation, Scorer

Rows = Sequence[Sequence[Value]]
Floats = NDArray[np.float32]


class Bundle:
    """A model ready to score. Load it after a fork, never before: XGBoost's threads do not survive one."""

    def __init__(self, manifest: Manifest, booster: xgboost.Booster, objective: Objective) -> None:
        schema = manifest.schema
        self.manifest = manifest
        self._objective = objective
        self._scorer = Scorer(booster, objective, manifest.trees, schema.base_margin, manifest.transform)
        self._encoder = Encoder(schema)
        self.observed = Observed(schema)

    @classmethod
    def load(cls, manifest: Manifest, threads: int = 1) -> "Bundle":
        """Load the trees, and refuse a model that does not fit its description or its golden rows."""
        # It may have changed since the catalog read it.
        if Manifest.read(manifest.directory).sha256 != manifest.sha256:
            raise BundleError(f"{manifest.ref}: was replaced after it was published; publish a new version")
        model = (manifest.directory / MODEL_FILE).read_bytes()
        booster = read_booster(model, f"{manifest.ref}: {MODEL_FILE}", threads)
        objective = read_objective(booster, manifest.ref)
        _check_fit(manifest, booster, objective)
        bundle = cls(manifest, booster, objective)
        exact = objective.exact and not manifest.transform
        check_golden(manifest, bundle.predict(manifest.golden.rows), exact)
        return bundle

    def encode(self, rows: Rows) -> Floats:
        """Make of rows that the schema has checked the matrix that the other methods take."""
        return self._encoder.encode(rows)

    def score(self, matrix: Floats) -> Floats:
        """What XGBoost gives in one call, in the unit of the target; see `Outputs` for its names."""
        return self._scorer.score(matrix)

    def predict(self, rows: Rows) -> Floats:
        """Score rows that the schema has checked."""
        return self.score(self.encode(rows))

    def outputs(self, matrix: Floats) -> Outputs:
        """Score, and name what the scores are."""
        return named(self.score(matrix), self._objective, self.manifest.classes)

    def explain(self, matrix: Floats) -> Explanation:
        """Say what each feature adds to the margin of each row's prediction."""
        return self._scorer.explain(matrix)

    def warnings(self, matrix: Floats) -> dict[int, list[str]]:
        """What to say of each row with a value outside what training saw, by the number of the row."""
        return self.observed.warnings(matrix)


def _check_fit(manifest: Manifest, booster: xgboost.Booster, objective: Objective) -> None:
    ref, names = manifest.ref, manifest.schema.trees_names
    if booster.num_features() != len(names):
        raise BundleError(
            f"{ref}: the model has {booster.num_features()} features, its description {len(names)}"
        )
    if booster.feature_names is not None and booster.feature_names != names:
        raise BundleError(f"{ref}: the model names its features otherwise, or in another order")
    if booster.num_boosted_rounds() < manifest.trees:
        raise BundleError(f"{ref}: the model has fewer than {manifest.trees} rounds of trees")
    if objective.name != manifest.objective:
        raise BundleError(f"{ref}: the model's objective is {objective.name}, not {manifest.objective}")
    if objective.quantiles != tuple(manifest.quantiles):
        raise BundleError(f"{ref}: the model's quantiles are {list(objective.quantiles)}, not as described")
    if manifest.classes and len(manifest.classes) != objective.classes:
        raise BundleError(
            f"{ref}: the model has {objective.classes} classes, its description {len(manifest.classes)}"
        )
    if manifest.schema.base_margin is not None and (objective.classes > 2 or objective.quantiles):
        raise BundleError(f"{ref}: a base margin is one number a row; this model would need several")
