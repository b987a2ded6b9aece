"""How much the predictions depend on each feature: what its values are worth to the model."""

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from model.bundle import Bundle
from model.evaluation.evaluate import Evaluation, predictions_of
from model.evaluation.metrics import Floats
from model.outputs import Outputs
from model.preparation import Matrix
from model.report.series import series_of

SHUFFLES = 5
MOST_ROWS, FEWEST_ROWS, MOST_SCORED = 2_000, 200, 600_000
EXPLAINED_ROWS = 500
SEED = 2


class Importance(NamedTuple):
    """How much worse shuffling a feature makes the predictions, or how much it changes them without labels.

    `contribution` is the mean size of what the feature adds to the margin of a row; None if the bundle gives
    no explanations.
    """

    feature: str
    mean: float
    low: float
    high: float
    contribution: float | None


def importances(bundle: Bundle, matrix: Matrix, evaluation: Evaluation | None) -> list[Importance]:
    """Return the features, the most important first; `evaluation` has the labels of the rows, if any."""
    rows = _sample(len(matrix), matrix.shape[1])
    part, labelled = matrix[rows], evaluation.select(rows) if evaluation else None
    before = bundle.outputs(part)
    contributions = _contributions(bundle, part[:EXPLAINED_ROWS])
    random = np.random.default_rng(SEED)
    found = []
    for position, name in enumerate(bundle.manifest.schema.names):
        shuffled = part.copy()
        worse = []
        for _ in range(SHUFFLES):
            shuffled[:, position] = random.permutation(part[:, position])
            worse.append(_worse(labelled, before, bundle.outputs(shuffled)))
        mean = None if contributions is None else float(contributions[position])
        found.append(Importance(name, float(np.mean(worse)), min(worse), max(worse), mean))
    return sorted(found, key=lambda each: -each.mean)


def _sample(rows: int, features: int) -> NDArray[np.int64]:
    most = min(MOST_ROWS, max(FEWEST_ROWS, MOST_SCORED // features))
    if rows <= most:
        return np.arange(rows)
    return np.sort(np.random.default_rng(SEED).choice(rows, most, replace=False))


def _worse(evaluation: Evaluation | None, before: Outputs, after: Outputs) -> float:
    if evaluation is None:
        old, new = series_of(before), series_of(after)
        return float(np.mean([np.abs(new[name] - old[name]).mean() for name in old.keys() & new.keys()]))
    losses = [
        evaluation.with_predictions(predictions_of(each)).value(evaluation.deciding)
        for each in (before, after)
    ]
    return losses[1] - losses[0]


def _contributions(bundle: Bundle, matrix: Matrix) -> Floats | None:
    if not bundle.manifest.explained:
        return None
    sizes: NDArray[Any] = np.abs(bundle.explain(matrix).contributions).mean(axis=0)
    return sizes.astype(np.float64)
