"""Predictions beside the labels: what the metrics, the charts and the verdict of a report are made of."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from model.bundle import Bundle
from model.description.features import Feature
from model.description.manifest import Manifest
from model.description.schema import Schema
from model.evaluation.metrics import (
    ABSOLUTE,
    LOG_LOSS,
    SQUARED,
    Floats,
    Metric,
    class_metrics,
    interval_metrics,
    number_metrics,
)
from model.outputs import Outputs
from model.tables.columns import ColumnCheck

MEASURED = ("reg", "count")
"""The kinds of objectives whose scores are numbers in the unit of the target."""
SQUARED_ERROR = ("reg:squarederror", "reg:linear")


@dataclass(frozen=True)
class Predictions:
    """`scores` are numbers, of shape (rows,), or the probabilities of classes, (rows, classes).

    `interval` has shape (rows, 2): low and high.
    """

    scores: Floats
    interval: Floats | None = None

    def select(self, rows: NDArray[Any]) -> "Predictions":
        """Return those of some rows."""
        return Predictions(self.scores[rows], None if self.interval is None else self.interval[rows])


@dataclass(frozen=True)
class Evaluation:
    """Predictions of the rows whose `labels` are known: numbers, or the numbers of `classes`.

    `rows` are their positions in the table.
    """

    target: str
    objective: str
    labels: Floats
    predictions: Predictions
    rows: NDArray[np.int64]
    classes: Sequence[str] = ()

    def with_predictions(self, predictions: Predictions) -> "Evaluation":
        """Evaluate other predictions of the same rows."""
        return replace(self, predictions=predictions)

    def select(self, chosen: NDArray[Any]) -> "Evaluation":
        """Evaluate some of the rows only; `chosen` are positions among these, not in the table."""
        return replace(
            self,
            labels=self.labels[chosen],
            predictions=self.predictions.select(chosen),
            rows=self.rows[chosen],
        )

    @cached_property
    def metrics(self) -> dict[str, Metric]:
        """The metrics by name."""
        scores, interval = self.predictions.scores, self.predictions.interval
        if self.classes:
            return class_metrics(self.labels.astype(np.int64), scores)
        of_interval = {} if interval is None else interval_metrics(self.labels, interval)
        return {**number_metrics(self.labels, scores), **of_interval}

    @property
    def deciding(self) -> str:
        """The metric that says which predictions are better: those for which it is lower."""
        return deciding_metric(self.objective, self.classes)

    def value(self, metric: str) -> float:
        """Return a metric of all rows; NaN if it means nothing for them."""
        return self.metrics[metric](np.ones(len(self.labels)))

    def constants(self) -> dict[str, "Evaluation"]:
        """Evaluate what needs no model: mean and median, or the shares of the classes."""
        size = len(self.labels)
        if self.classes:
            shares = np.bincount(self.labels.astype(np.int64), minlength=len(self.classes)) / size
            return {"shares of the classes": self.with_predictions(Predictions(np.tile(shares, (size, 1))))}
        centers = {"mean": np.mean(self.labels), "median": np.median(self.labels)}
        return {
            f"always the {name}": self.with_predictions(Predictions(np.full(size, value)))
            for name, value in centers.items()
        }


def deciding_metric(objective: str, classes: Sequence[str]) -> str:
    """Name the metric that decides which predictions are better; lower is better."""
    if classes:
        return LOG_LOSS
    return SQUARED if objective in SQUARED_ERROR else ABSOLUTE


def predictions_of(outputs: Outputs, position: int = 0) -> Predictions:
    """Return what a bundle predicts; `position` is that of the target, where there are several."""
    if outputs.probability is not None:
        probability = _column(outputs.probability, position)
        return Predictions(np.column_stack([1 - probability, probability]))
    if outputs.probabilities is not None:
        return Predictions(np.asarray(outputs.probabilities, dtype=np.float64))
    interval = None if outputs.interval is None else np.asarray(outputs.interval, dtype=np.float64)
    return Predictions(_column(outputs.prediction, position), interval)


def predictions_of_scores(scores: NDArray[Any], median: int | None, classes: int) -> Predictions:
    """Return what the scores of a fold mean; `median` is the position of the predicted quantile."""
    numbers = scores.astype(np.float64)
    if classes:
        return Predictions(np.column_stack([1 - numbers, numbers]) if numbers.ndim == 1 else numbers)
    if numbers.ndim == 1 or median is None:
        return Predictions(numbers)
    return Predictions(numbers[:, median], np.stack([numbers.min(axis=1), numbers.max(axis=1)], axis=1))


def evaluate(
    bundle: Bundle, outputs: Outputs, rows: NDArray[np.int64], columns: Mapping[str, Any]
) -> list[Evaluation]:
    """Return an evaluation for each target that the table has; none for ranking and survival."""
    manifest = bundle.manifest
    names = manifest.targets or [manifest.target]
    classes = _class_names(manifest, outputs)
    if not classes and manifest.objective.partition(":")[0] not in MEASURED:
        return []
    evaluations = []
    for position, name in enumerate(names):
        if name not in columns:
            continue
        labels = read_labels(name, columns[name], classes)[rows]
        predictions = predictions_of(outputs, position)
        finite = np.isfinite(predictions.scores).reshape(len(rows), -1).all(axis=1)  # others are not served
        known = np.flatnonzero(finite & ~np.isnan(labels))
        if known.size:
            of_known = predictions.select(known)
            evaluations.append(
                Evaluation(name, manifest.objective, labels[known], of_known, rows[known], classes)
            )
    return evaluations


def read_labels(name: str, target: pa.Array, classes: Sequence[str]) -> Floats:
    """Read the targets as a feature is read: NaN for a missing one, and for one that is no valid value."""
    if set(classes) == {"false", "true"}:
        feature = Feature(name, "boolean", nullable=True)
    elif classes:
        feature = Feature(name, "category", nullable=True, categories=tuple(classes))
        target = target.cast(pa.string())
    else:
        feature = Feature(name, "number", nullable=True)
    checked = ColumnCheck(Schema([feature]), empty_is_null=False, matrix_type=np.float64)
    return checked.read({name: target}, len(target)).matrix[:, 0].astype(np.float64)


def _class_names(manifest: Manifest, outputs: Outputs) -> tuple[str, ...]:
    if outputs.probability is None and outputs.probabilities is None:
        return ()
    return tuple(manifest.classes or outputs.classes) or ("0", "1")


def _column(scores: NDArray[Any], position: int) -> Floats:
    column: Floats = (scores if scores.ndim == 1 else scores[:, position]).astype(np.float64)
    return column
