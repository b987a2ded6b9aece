"""A bundle with its model loaded: it encodes, scores and explains rows, and warns of unusual values."""

from collections.abc import Iterable, Sequence
from itertools import chain
from typing import Any

import numpy as np
from numpy.typing import NDArray

from model.booster import read_booster
from model.description.dates import day_number
from model.description.errors import BundleError
from model.description.features import Feature
from model.description.files import MODEL_FILE
from model.description.manifest import Manifest
from model.description.schema import Schema
from model.description.values import UNKNOWN, Value
from model.engines.engine import Engine
from model.engines.xgboost import XGBoostEngine
from model.finishing import Finish, finish_of
from model.load_checks import check_description, check_golden_scores
from model.objective import BINARY, Objective, read_objective
from model.outputs import Explanation, Outputs, Scores
from model.preparation import Floats, Matrix, MissingValues, Preparation, preparation_of

Rows = Sequence[Sequence[Value]]
"""Rows as `Schema.check_rows` returns them."""
MAX_KNOWN_DAYS = 100_000


class Bundle:
    """A model that is ready to score.

    Load it after a fork, never before: XGBoost's threads do not survive one. A matrix is what `encode`
    returns: of shape (rows, features), and of `matrix_type`, which is float64 if the bundle has steps.
    """

    def __init__(self, manifest: Manifest, scorer: "Scorer") -> None:
        schema, objective = manifest.schema, scorer.objective
        self.manifest = manifest
        self.observed = ObservedRanges(schema, manifest.missing)
        self.matrix_type = np.float32 if manifest.steps is None else np.float64
        self._objective = objective
        self._encoder = RowEncoder(schema, self.matrix_type)
        self._scorer = scorer
        self._classes = manifest.classes or [str(number) for number in range(objective.classes)]

    @classmethod
    def load(cls, manifest: Manifest) -> "Bundle":
        """Load the model; raises BundleError if it does not fit its description or its golden rows."""
        # The files may have changed since the catalog read them.
        if Manifest.read(manifest.directory).sha256 != manifest.sha256:
            raise BundleError(
                f"{manifest.ref}: was replaced after it was published; publish a new version instead"
            )
        model = (manifest.directory / MODEL_FILE).read_bytes()
        booster = read_booster(model, f"{manifest.ref}: {MODEL_FILE}")
        objective = read_objective(booster.config, manifest.ref, manifest.xgboost)
        try:
            preparation = preparation_of(manifest.schema, manifest.missing, manifest.steps)
            finish = finish_of(manifest.transform, manifest.transform_type, manifest.after)
        except BundleError as error:
            raise BundleError(f"{manifest.ref}: {error}") from None
        check_description(manifest, booster, objective, preparation)
        engine = XGBoostEngine(booster, manifest.trees, objective.crossing)
        bundle = cls(manifest, Scorer(engine, objective, preparation, finish))
        scores = bundle.predict(manifest.golden.rows)
        check_golden_scores(manifest, scores, objective.exact, finish is None or finish.exact)
        return bundle

    def encode(self, rows: Rows) -> Matrix:
        """Make a matrix of checked rows."""
        return self._encoder.encode(rows)

    def score(self, matrix: Matrix) -> Scores:
        """Return the model's scores in the unit of the target: (rows,), or (rows, scores of each row)."""
        return self._scorer.score(matrix)

    def predict(self, rows: Rows) -> Scores:
        """Return the scores of checked rows."""
        return self.score(self.encode(rows))

    def outputs(self, matrix: Matrix) -> Outputs:
        """Score the rows, and name the scores."""
        scores, objective = self.score(matrix), self._objective
        if objective.quantiles:
            # Quantiles are trained separately, and may cross.
            interval = np.stack([scores.min(axis=1), scores.max(axis=1)], axis=1)
            return Outputs(scores[:, objective.median], interval=interval)
        if objective.name == BINARY:
            numbers = (scores > 0.5).astype(np.int64)
            classes = self.manifest.classes
            labels, targets = _labels(numbers, classes), self.manifest.targets
            return Outputs(numbers, probability=scores, labels=labels, classes=classes, targets=targets)
        if objective.classes:
            numbers = scores.argmax(axis=1)
            labels = _labels(numbers, self._classes)
            return Outputs(numbers, probabilities=scores, labels=labels, classes=self._classes)
        return Outputs(scores, targets=self.manifest.targets)

    def explain(self, matrix: Matrix) -> Explanation:
        """Return what each feature adds to the margin of each row's prediction."""
        return self._scorer.explain(matrix)

    def warnings(self, matrix: Matrix) -> dict[int, list[str]]:
        """Return warnings of values outside the training data, by the position of the row."""
        return self.observed.warnings(matrix)


class RowEncoder:
    """Turns checked rows into a matrix; a category becomes its position in the feature's list.

    One that training did not see becomes -1, where the feature may have such. A date becomes a day's number.
    """

    def __init__(self, schema: Schema, matrix_type: type[np.floating[Any]] = np.float32) -> None:
        self._width = len(schema.names)
        self._type = matrix_type
        self._codes = {
            column: _category_codes(feature)
            for column, feature in enumerate(schema.features)
            if feature.type in ("category", "date")
        }

    def encode(self, rows: Rows) -> Matrix:
        """Return a matrix of shape (rows, features), with NaN for missing values.

        Raises ValueError for a row of another length.
        """
        if any(len(row) != self._width for row in rows):
            raise ValueError(f"a row must have {self._width} values")
        values = chain.from_iterable(rows if not self._codes else map(self._encode_categories, rows))
        size = len(rows) * self._width
        return np.fromiter(values, dtype=self._type, count=size).reshape(len(rows), self._width)

    def _encode_categories(self, row: Sequence[Value]) -> list[Value]:
        encoded = list(row)
        for column, codes in self._codes.items():
            category = encoded[column]
            if category is not None:
                encoded[column] = codes[str(category)]
        return encoded


class _UnknownCodes(dict[str, int]):
    """Codes of a feature that may have categories which training did not see."""

    def __missing__(self, category: str) -> int:
        return -1


class _Days(dict[str, int]):
    """The numbers of the days that dates are; a batch repeats the same few."""

    def __missing__(self, text: str) -> int:
        number = day_number(text)
        if len(self) < MAX_KNOWN_DAYS:
            self[text] = number
        return number


def _category_codes(feature: Feature) -> dict[str, int]:
    if feature.type == "date":
        return _Days()
    codes = {category: code for code, category in enumerate(feature.categories)}
    return _UnknownCodes(codes) if feature.unseen == UNKNOWN else codes


class Scorer:
    """Gives an engine what `preparation` makes of a matrix; `finish` makes the scores of what it returns."""

    def __init__(
        self, engine: Engine, objective: Objective, preparation: Preparation, finish: Finish | None = None
    ) -> None:
        self.objective = objective
        self._engine = engine
        self._preparation = preparation
        self._plain = preparation.plain
        self._finish = finish
        self._width = (objective.width,) if objective.width > 1 else ()

    def score(self, matrix: Matrix) -> Scores:
        """Return scores in the unit of the target: (rows,), or (rows, scores of each row)."""
        features, margin = (matrix, None) if self._plain else self._preparation.split(matrix)
        # XGBoost gives no rows another shape than one of these.
        scores = self._engine.score(features, margin).reshape((len(matrix), *self._width))
        return self._finish.apply(scores) if self._finish else scores

    def explain(self, matrix: Matrix) -> Explanation:
        """Return SHAP values; those of the most likely class, or of the median, where there are several."""
        values, margins = self._engine.explain(*self._preparation.split(matrix))
        if values.ndim == 3:
            rows, shown = np.arange(len(values)), self._shown(matrix, margins)
            values, margins = values[rows, shown], margins[rows, shown]
        contributions = self._preparation.contributions(values[:, :-1], matrix)
        # XGBoost adds up in float32; the base takes the rounding error, so that the sum is right.
        base = margins.astype(np.float64) - contributions.sum(axis=1, dtype=np.float64)
        return Explanation(contributions, base.round(6))

    def _shown(self, matrix: Matrix, margins: Floats) -> Any:
        """Return which class or quantile of each row is explained."""
        if self.objective.quantiles:
            return self.objective.median
        scores = margins if self._finish is None else self.score(matrix)  # a calibration may change the order
        return scores.argmax(axis=1)


class ObservedRanges:
    """The range of each feature in the training data, where the bundle records it."""

    def __init__(self, schema: Schema, missing: float | None = None) -> None:
        self._missing = MissingValues.of(schema, missing) or None
        ranges = [feature.observed or {} for feature in schema.features]
        self._lowest = np.array([known.get("minimum", -np.inf) for known in ranges], dtype=np.float32)
        self._highest = np.array([known.get("maximum", np.inf) for known in ranges], dtype=np.float32)
        self._sentences = [
            f"{name} is {side} what training saw ({lowest:g} to {highest:g})"
            for side in ("below", "above")
            for name, lowest, highest in zip(schema.names, self._lowest, self._highest, strict=True)
        ]

    def outside(self, matrix: Matrix) -> NDArray[np.bool_] | None:
        """Return which values are below (the first half of the columns) or above their range.

        The shape is (rows, 2 x features); None if all values are within their range.
        """
        # In float32 a number is not below itself, whatever the precision in which the range was noted.
        values = matrix.astype(np.float32, copy=False)
        if self._missing is not None:
            values = self._missing.blank(values)
        below, above = values < self._lowest, values > self._highest
        return np.hstack([below, above]) if below.any() or above.any() else None

    def sentences(self, columns: Iterable[int]) -> list[str]:
        """Return the warning for each of these columns of `outside`."""
        return [self._sentences[column] for column in columns]

    def warnings(self, matrix: Matrix) -> dict[int, list[str]]:
        """Return the warnings of each row that has any, by the position of the row."""
        outside = self.outside(matrix)
        if outside is None:
            return {}
        rows = np.flatnonzero(outside.any(axis=1)).tolist()
        return {row: self.sentences(np.flatnonzero(outside[row])) for row in rows}


def _labels(numbers: NDArray[np.int64], classes: Sequence[str]) -> Sequence[str] | None:
    return [classes[number] for number in numbers.tolist()] if classes else None
