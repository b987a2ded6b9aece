"""How near the scores of a version are to the targets in a table."""

from typing import TypeAlias

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from model.comparing.scores import ScoredTable
from model.description.features import Feature
from model.description.manifest import Manifest
from model.description.schema import Schema
from model.tables.columns import ColumnCheck

Floats: TypeAlias = NDArray[np.float64]

MEASURED = ("reg", "count")
"""The kinds of objectives whose scores are numbers in the unit of the target."""
SMALLEST_PROBABILITY = 1e-15


def measure(scored: ScoredTable, target: pa.Array) -> dict[str, float]:
    """Return the metrics for the rows that were scored and have a target; empty without such rows.

    Several targets, ranks and survival times are not measured.

    For numbers these are errors, for classes the accuracy and the log loss.
    """
    manifest, outputs = scored.bundle.manifest, scored.outputs
    if outputs is None or manifest.targets:
        return {}
    classes = list(manifest.classes or outputs.classes)
    labels = _read_labels(manifest.target, target, _class_names(manifest, classes))[scored.rows]
    known = ~np.isnan(labels)
    if not known.any():
        return {}
    labels = labels[known]
    if outputs.probability is not None:
        probability = np.asarray(outputs.probability, dtype=np.float64)
        return _measure_classes(labels, np.column_stack([1 - probability, probability])[known])
    if outputs.probabilities is not None:
        return _measure_classes(labels, np.asarray(outputs.probabilities, dtype=np.float64)[known])
    if manifest.objective.partition(":")[0] not in MEASURED:
        return {}
    metrics = _measure_numbers(labels, np.asarray(outputs.prediction, dtype=np.float64)[known])
    if outputs.interval is not None:
        low, high = outputs.interval[known].T
        metrics["interval coverage"] = float(np.mean((labels >= low) & (labels <= high)))
    return metrics


def _class_names(manifest: Manifest, classes: list[str]) -> list[str]:
    return classes or (["0", "1"] if "probability" in manifest.members else [])


def _read_labels(name: str, target: pa.Array, classes: list[str]) -> Floats:
    """Read the targets as a feature is read: NaN for a missing one, and for one that is no valid value."""
    if classes:
        feature = Feature(name, "category", nullable=True, categories=tuple(classes))
        target = target.cast(pa.string())
    else:
        feature = Feature(name, "number", nullable=True)
    checked = ColumnCheck(Schema([feature]), empty_is_null=False).read({name: target}, len(target))
    return checked.matrix[:, 0].astype(np.float64)


def _measure_numbers(labels: Floats, scores: Floats) -> dict[str, float]:
    errors = scores - labels
    metrics = {
        "mean absolute error": float(np.abs(errors).mean()),
        "root mean squared error": float(np.sqrt((errors**2).mean())),
    }
    if spread := float(((labels - labels.mean()) ** 2).sum()):
        metrics["r2"] = 1 - float((errors**2).sum()) / spread
    return metrics


def _measure_classes(labels: Floats, probabilities: Floats) -> dict[str, float]:
    numbers = labels.astype(int)
    of_label = probabilities[np.arange(len(numbers)), numbers]
    return {
        "accuracy": float((probabilities.argmax(axis=1) == numbers).mean()),
        "log loss": float(-np.log(np.clip(of_label, SMALLEST_PROBABILITY, 1)).mean()),
    }
