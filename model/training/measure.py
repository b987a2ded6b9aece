"""How good the trees are on rows that they have not seen, beside a constant and a linear model."""

from collections.abc import Mapping, Sequence
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray
from sklearn.compose import make_column_transformer
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.metrics import accuracy_score, log_loss, mean_absolute_error, r2_score, roc_auc_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler

from model.outputs import middle_of
from model.scorer import INVERSES
from model.training.dataset import Dataset
from model.training.fit import Fold, Rows
from model.training.target import Target

Floats: TypeAlias = NDArray[Any]
Metrics: TypeAlias = dict[str, float]
Spread: TypeAlias = dict[str, dict[str, float]]

MANY_CATEGORIES = 50
"""In the linear model each category has a weight of its own; a feature of more is left out."""


def spread(folds: Sequence[Metrics]) -> Spread:
    """The mean of each metric over the folds, and its standard deviation."""
    return {
        name: {
            "mean": round(float(np.mean([fold[name] for fold in folds])), 6),
            "deviation": round(float(np.std([fold[name] for fold in folds])), 6),
        }
        for name in folds[0]
    }


class Measure:
    """Collects the folds."""

    def __init__(self, dataset: Dataset) -> None:
        self._dataset = dataset
        self._matrix = dataset.matrix
        self._found: dict[str, list[Metrics]] = {}

    def add(self, fold: Fold) -> None:
        target, rows = self._dataset.target, fold.held_out
        labels = target.labels[rows]
        constant, linear = self._baselines(fold.learned_from, rows)
        scores = fold.scores.astype(np.float64)
        if target.transform:
            scores = INVERSES[target.transform](scores)
        measured = _of_classes if target.classes else _of_numbers
        for name, found in (("model", scores), ("constant", constant), ("linear", linear)):
            self._found.setdefault(name, []).append(measured(target, labels, found))

    def result(self) -> dict[str, Spread]:
        """Of the model, of the constant and of the linear model."""
        return {name: spread(folds) for name, folds in self._found.items()}

    def _baselines(self, learned_from: Rows, rows: Rows) -> tuple[Floats, Floats]:
        target = self._dataset.target
        linear = _linear(self._dataset)
        features, learned = self._matrix[learned_from], target.learned[learned_from]
        linear.fit(features, learned)
        if target.classes:
            shares = np.bincount(learned.astype(int), minlength=len(target.classes)) / len(learned)
            told = np.zeros((len(rows), len(target.classes)))
            told[:, linear.classes_.astype(int)] = linear.predict_proba(self._matrix[rows])
            return np.tile(shares, (len(rows), 1)), told
        middle = np.median if target.quantiles else np.mean
        constant = np.full(len(rows), middle(target.labels[learned_from]))
        predicted = linear.predict(self._matrix[rows])
        if target.transform:
            predicted = INVERSES[target.transform](predicted)
        return constant, predicted


def _linear(dataset: Dataset) -> Any:
    categories, numbers = [], []
    for number, column in enumerate(dataset.columns):
        if column.type != "category":
            numbers.append(number)
        elif len(column.texts) <= MANY_CATEGORIES:
            categories.append(number)
    prepared = make_column_transformer(
        (
            make_pipeline(SimpleImputer(strategy="median", keep_empty_features=True), StandardScaler()),
            numbers,
        ),
        (OneHotEncoder(handle_unknown="ignore"), categories),
    )
    last = LogisticRegression(max_iter=1_000) if dataset.target.classes else Ridge()
    return make_pipeline(prepared, last)


def _of_numbers(target: Target, labels: Floats, scores: Floats) -> Metrics:
    middle = scores if scores.ndim == 1 else scores[:, middle_of(target.quantiles)]
    found = {
        "mean_absolute_error": float(mean_absolute_error(labels, middle)),
        "root_mean_squared_error": float(np.sqrt(np.mean((labels - middle) ** 2))),
        "r2": float(r2_score(labels, middle)),
    }
    if scores.ndim > 1:
        low, high = scores.min(axis=1), scores.max(axis=1)
        found["interval_coverage"] = float(np.mean((labels >= low) & (labels <= high)))
        found["interval_width"] = float(np.mean(high - low))
    return found


def _of_classes(target: Target, labels: Floats, scores: Floats) -> Metrics:
    shares = np.column_stack([1 - scores, scores]) if scores.ndim == 1 else scores
    shares = shares / shares.sum(axis=1, keepdims=True)
    found = {
        "accuracy": float(accuracy_score(labels, shares.argmax(axis=1))),
        "log_loss": float(log_loss(labels, shares, labels=range(len(target.classes)))),
    }
    if len(target.classes) == 2 and len(np.unique(labels)) == 2:
        found["area_under_roc"] = float(roc_auc_score(labels, shares[:, 1]))
    return found


def text(metrics: Mapping[str, Spread]) -> str:
    """A table for people: a line for each model, a column for each metric."""
    names = list(dict.fromkeys(name for found in metrics.values() for name in found))
    lines = [["", *(name.replace("_", " ") for name in names)]]
    for model, found in metrics.items():
        lines.append([model, *(_cell(found.get(name)) for name in names)])
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    return "\n".join(
        "  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip()
        for line in lines
    )


def _cell(found: Mapping[str, float] | None) -> str:
    return f"{found['mean']:.4g} ± {found['deviation']:.2g}" if found else ""
