"""How far the scores are from the target, beside a constant: what is known without the author's scores."""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from model.evaluation.metrics import ABSOLUTE, SQUARED, log_losses, number_metrics
from model.objective import HINGE, QUANTILE, Objective
from model.tables.table import Table

Floats = NDArray[np.float64]
UNMEASURED = ("rank:", "survival:")
"""Objectives whose scores are not in the unit of the target."""


class TargetError(NamedTuple):
    """The errors of the model and of a constant, by name; the first name decides."""

    model: Mapping[str, float]
    constant: Mapping[str, float]

    @property
    def deciding(self) -> tuple[float, float]:
        """Return the error that counts, of the model and of the constant."""
        name = next(iter(self.model))
        return self.model[name], self.constant[name]

    @property
    def rounded(self) -> list[dict[str, float]]:
        """Return both as `bundle.json` records them."""
        return [{name: round(error, 6) for name, error in one.items()} for one in self]

    @property
    def no_better(self) -> bool:
        return not self.deciding[0] < self.deciding[1]


def read_target(table: Table, name: str) -> Floats | list[str] | None:
    """Return numbers, or the texts of classes; None if there is neither in some row."""
    values = table.columns[name].to_pylist()
    if any(value is None for value in values):
        return None
    try:
        numbers = np.array([float(value) for value in values])
    except (TypeError, ValueError):
        return [str(value) for value in values]
    return numbers if np.isfinite(numbers).all() else None


def measure(
    objective: Objective, scores: NDArray[np.float32], target: Floats | Sequence[str], classes: Sequence[str]
) -> TargetError | None:
    """Compare scores and target; None if this objective's scores cannot be compared."""
    if objective.name.startswith(UNMEASURED):
        return None
    found = scores.astype(np.float64)
    if objective.classes or objective.name in (HINGE, "binary:logitraw"):
        return _classes(objective, found, _numbers(target, classes, max(objective.classes, 2)))
    if not isinstance(target, np.ndarray):
        return None
    numbers = target
    predicted = found[:, objective.median] if found.ndim > 1 else found
    center = np.median if objective.name in (QUANTILE, "reg:absoluteerror") else np.mean
    constant = np.full(len(numbers), center(numbers))
    names = (ABSOLUTE, SQUARED) if center is np.median else (SQUARED, ABSOLUTE)
    return TargetError(*(_errors(numbers, one, names) for one in (predicted, constant)))


def _errors(numbers: Floats, predicted: Floats, names: Sequence[str]) -> dict[str, float]:
    metrics, weights = number_metrics(numbers, predicted), np.ones(len(numbers))
    return {name.replace(" ", "_"): metrics[name](weights) for name in names}


def _numbers(target: Floats | Sequence[str], classes: Sequence[str], count: int) -> NDArray[np.int64] | None:
    """Return the number of each row's class; None if the target does not say."""
    values = np.asarray(target)
    if values.dtype.kind == "f":
        numbers = values.astype(np.int64)
        return (
            numbers
            if np.array_equal(numbers, values) and 0 <= numbers.min() <= numbers.max() < count
            else None
        )
    names = {name: number for number, name in enumerate(classes)}
    found = [names.get(str(value)) for value in values.tolist()]
    return None if None in found else np.array(found, dtype=np.int64)


def _classes(objective: Objective, scores: Floats, numbers: NDArray[np.int64] | None) -> TargetError | None:
    if numbers is None:
        return None
    shares = np.bincount(numbers, minlength=max(objective.classes, 2)) / len(numbers)
    constant = np.tile(shares, (len(numbers), 1))
    if objective.name == "binary:logitraw":
        scores = 1 / (1 + np.exp(-scores))
    probabilities = scores if scores.ndim > 1 else np.column_stack([1 - scores, scores])
    measured = []
    for predicted in (probabilities, constant):
        wrong = {"share_of_wrong_classes": float(np.mean(predicted.argmax(axis=1) != numbers))}
        loss = {} if objective.name == HINGE else {"log_loss": float(log_losses(numbers, predicted).mean())}
        measured.append({**loss, **wrong})
    return TargetError(*measured)
