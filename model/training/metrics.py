"""How good the trees are on rows they have not seen, beside a constant and a linear model."""

from collections.abc import Sequence
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray
from sklearn.compose import make_column_transformer
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.metrics import accuracy_score, log_loss, mean_absolute_error, r2_score, roc_auc_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler

from model.finishing import INVERSES
from model.measuring.judged import Predictions, predictions_of_scores
from model.objective import median_position
from model.training.cross_validation import Fold, RowNumbers
from model.training.dataset import Dataset
from model.training.target import Target

Floats: TypeAlias = NDArray[Any]
Metrics: TypeAlias = dict[str, float]
Spread: TypeAlias = dict[str, dict[str, float]]
"""The mean and the standard deviation of each metric over the folds."""

SQUARED_ERROR = "reg:squarederror"
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
            self._measured.setdefault(name, []).append(_measure(target, target.labels[rows], scores))
            kept = self._scores.setdefault(name, np.empty((self._dataset.rows, *scores.shape[1:])))
            kept[rows] = scores

    @property
    def held_out(self) -> dict[str, Predictions]:
        """What each predicted of all rows, each row while its fold was held out."""
        target = self._dataset.target
        median = median_position(target.quantiles) if target.quantiles else None
        return {
            name: predictions_of_scores(scores, median, len(target.classes))
            for name, scores in self._scores.items()
        }

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
    return _measure(target, target.labels[fold.held_out], _scores_of(target, fold))


def main_metric(target: Target) -> str:
    """Name the metric that decides which model is better: lower is better."""
    if target.classes:
        return "log_loss"
    return "root_mean_squared_error" if target.objective == SQUARED_ERROR else "mean_absolute_error"


def _scores_of(target: Target, fold: Fold) -> Floats:
    scores = fold.scores.astype(np.float64)
    return INVERSES[target.transform](scores) if target.transform else scores


def _measure(target: Target, labels: Floats, scores: Floats) -> Metrics:
    return (_measure_classes if target.classes else _measure_numbers)(target, labels, scores)


def _spread(folds: Sequence[Metrics]) -> Spread:
    return {
        name: {
            "mean": round(float(np.mean([fold[name] for fold in folds])), 6),
            "deviation": round(float(np.std([fold[name] for fold in folds])), 6),
        }
        for name in folds[0]
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


def _measure_numbers(target: Target, labels: Floats, scores: Floats) -> Metrics:
    predicted = scores if scores.ndim == 1 else scores[:, median_position(target.quantiles)]
    metrics = {
        "mean_absolute_error": float(mean_absolute_error(labels, predicted)),
        "root_mean_squared_error": float(np.sqrt(np.mean((labels - predicted) ** 2))),
        "r2": float(r2_score(labels, predicted)),
    }
    if scores.ndim > 1:
        low, high = scores.min(axis=1), scores.max(axis=1)
        metrics["interval_coverage"] = float(np.mean((labels >= low) & (labels <= high)))
        metrics["interval_width"] = float(np.mean(high - low))
    return metrics


def _measure_classes(target: Target, labels: Floats, scores: Floats) -> Metrics:
    probabilities = np.column_stack([1 - scores, scores]) if scores.ndim == 1 else scores
    probabilities = probabilities / probabilities.sum(axis=1, keepdims=True)
    metrics = {
        "accuracy": float(accuracy_score(labels, probabilities.argmax(axis=1))),
        "log_loss": float(log_loss(labels, probabilities, labels=range(len(target.classes)))),
    }
    if len(target.classes) == 2 and len(np.unique(labels)) == 2:
        metrics["area_under_roc"] = float(roc_auc_score(labels, probabilities[:, 1]))
    return metrics
