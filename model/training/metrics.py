"""How good the trees are on rows they have not seen, beside a constant and a linear model."""

from collections.abc import Sequence
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray
from sklearn.compose import make_column_transformer
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler

from model.evaluation.evaluate import Evaluation, Predictions, deciding_metric, predictions_of_scores
from model.finishing import INVERSES
from model.objective import median_position
from model.training.cross_validation import Fold, RowNumbers
from model.training.dataset import Dataset
from model.training.target import Target

Floats: TypeAlias = NDArray[Any]
Metrics: TypeAlias = dict[str, float]
Spread: TypeAlias = dict[str, dict[str, float]]
"""The mean and the standard deviation of each metric over the folds."""

MANY_CATEGORIES = 50
"""The linear model has a weight for each category, and leaves out features with more of them."""


class FoldMetrics:
    """Measures each fold: the model, a constant and a linear model."""

    def __init__(self, dataset: Dataset) -> None:
        self._dataset = dataset
        self._matrix = dataset.matrix
        self._measured: dict[str, list[Metrics]] = {}
        self._scores: dict[str, Floats] = {}

    def add(self, fold: Fold) -> None:
        """Measure a fold."""
        target, rows = self._dataset.target, fold.held_out
        constant, linear = self._baselines(fold.learned_from, rows)
        found = {"model": _scores_of(target, fold), "constant": constant, "linear": linear}
        for name, scores in found.items():
            self._measured.setdefault(name, []).append(_measure(target, rows, scores))
            kept = self._scores.setdefault(name, np.empty((self._dataset.rows, *scores.shape[1:])))
            kept[rows] = scores

    @property
    def held_out(self) -> dict[str, Predictions]:
        """What each predicted of all rows, each row while its fold was held out."""
        return {name: _predictions(self._dataset.target, scores) for name, scores in self._scores.items()}

    def result(self) -> dict[str, Spread]:
        """Return the metrics of the model, the constant and the linear model."""
        return {name: _spread(folds) for name, folds in self._measured.items()}

    def _baselines(self, learned_from: RowNumbers, rows: RowNumbers) -> tuple[Floats, Floats]:
        """Return the scores of the constant and of the linear model for `rows`."""
        target = self._dataset.target
        linear = _linear_model(self._dataset)
        labels = target.transformed[learned_from]
        linear.fit(self._matrix[learned_from], labels)
        if target.classes:
            shares = np.bincount(labels.astype(int), minlength=len(target.classes)) / len(labels)
            probabilities = np.zeros((len(rows), len(target.classes)))
            probabilities[:, linear.classes_.astype(int)] = linear.predict_proba(self._matrix[rows])
            return np.tile(shares, (len(rows), 1)), probabilities
        center = np.median if target.quantiles else np.mean
        constant = np.full(len(rows), center(target.labels[learned_from]))
        predicted = linear.predict(self._matrix[rows])
        if target.transform:
            predicted = INVERSES[target.transform](predicted)
        return constant, predicted


def measure(target: Target, fold: Fold) -> Metrics:
    """Measure the scores of a fold, in the unit of the target."""
    return _measure(target, fold.held_out, _scores_of(target, fold))


def main_metric(target: Target) -> str:
    """Name the metric that decides which model is better: lower is better."""
    return _key(deciding_metric(target.objective, target.classes))


def _scores_of(target: Target, fold: Fold) -> Floats:
    scores = fold.scores.astype(np.float64)
    return INVERSES[target.transform](scores) if target.transform else scores


def _predictions(target: Target, scores: Floats) -> Predictions:
    median = median_position(target.quantiles) if target.quantiles else None
    return predictions_of_scores(scores, median, len(target.classes))


def _measure(target: Target, rows: RowNumbers, scores: Floats) -> Metrics:
    """Leaves out what means nothing for these rows, such as the area under ROC of a single class."""
    predictions, labels = _predictions(target, scores), target.labels[rows]
    evaluation = Evaluation(target.name, target.objective, labels, predictions, rows, target.classes)
    values = {_key(metric): evaluation.value(metric) for metric in evaluation.metrics}
    return {name: value for name, value in values.items() if not np.isnan(value)}


def _key(metric: str) -> str:
    """Return the name of a metric in `bundle.json`."""
    return metric.lower().replace(" ", "_")


def _spread(folds: Sequence[Metrics]) -> Spread:
    """Each metric, over the folds that have it."""
    names = dict.fromkeys(name for fold in folds for name in fold)
    values = {name: [fold[name] for fold in folds if name in fold] for name in names}
    return {
        name: {"mean": round(float(np.mean(each)), 6), "deviation": round(float(np.std(each)), 6)}
        for name, each in values.items()
    }


def _linear_model(dataset: Dataset) -> Any:
    categories, numbers = [], []
    for position, column in enumerate(dataset.columns):
        if column.type != "category":
            numbers.append(position)
        elif len(column.texts) <= MANY_CATEGORIES:
            categories.append(position)
    preprocessing = make_column_transformer(
        (
            make_pipeline(SimpleImputer(strategy="median", keep_empty_features=True), StandardScaler()),
            numbers,
        ),
        (OneHotEncoder(handle_unknown="ignore"), categories),
    )
    estimator = LogisticRegression(max_iter=1_000) if dataset.target.classes else Ridge()
    return make_pipeline(preprocessing, estimator)
