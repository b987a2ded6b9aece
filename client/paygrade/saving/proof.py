"""Compares what a bundle will score with what the pipeline itself says."""

import warnings
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from paygrade.saving.errors import SaveRefused
from paygrade.saving.learner import read_learner
from paygrade.steps import After, Steps

Scores = NDArray[Any]
MORE_LIKELY = 0.5
LONGEST_CAUSE = 300
"""Characters of what scikit-learn says, in one message."""


class Replay:
    """Scores rows as the service does: with the steps as data, and the booster as saved.

    Without steps the booster is given the features themselves, and numbers equal to `missing` are missing.
    """

    def __init__(self, booster: Any, trees: int, steps: Steps | None, missing: float, after: After) -> None:
        import xgboost

        self._booster = xgboost.Booster({"nthread": 1})
        self._booster.load_model(bytearray(booster.save_raw("ubj")))
        learner = read_learner(self._booster)
        self._kind = learner["gradient_booster"]["name"]
        self._rounds = (0, 0) if self._kind == "gblinear" else (0, trees)
        self._steps = steps
        self._missing = np.float32(missing)
        self._after = after

    def score(self, raw: NDArray[np.float64]) -> Scores:
        """Return scores of shape (rows,), or (rows, classes)."""
        import xgboost

        encoded = self._steps.transform(raw) if self._steps else raw.astype(np.float32)
        encoded[encoded == self._missing] = np.nan
        if self._kind == "gbtree":
            scores = self._booster.inplace_predict(
                encoded, iteration_range=self._rounds, validate_features=False
            )
        else:
            rows = xgboost.DMatrix(encoded, nthread=1)
            scores = self._booster.predict(rows, iteration_range=self._rounds, validate_features=False)
        return self._after.apply(scores)


def author_scores(model: Any, rows: Any) -> Scores:
    """Return what the model's author sees: predictions, or the probabilities of a classifier.

    Of two classes, it is the probability of the second. Raises SaveRefused if the model cannot score the
    rows.
    """
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            if type(model).__name__ == "Booster":
                return np.asarray(model.predict(_matrix(rows)))
            if not hasattr(model, "predict_proba"):
                return np.asarray(model.predict(rows))
            scores = np.asarray(model.predict_proba(rows))
    except Exception as error:
        line = " ".join(str(error).split())[:LONGEST_CAUSE]
        raise SaveRefused(f"the model itself cannot score the sample: {line}") from None
    return scores[:, 1] if scores.shape[1] == 2 else scores


def _matrix(rows: Any) -> Any:
    import xgboost

    return xgboost.DMatrix(rows, enable_categorical=True)


def differing_rows(expected: Scores, scores: Scores) -> NDArray[np.intp]:
    """Return which rows differ in a bit; raises SaveRefused if even the shapes do."""
    if expected.shape != scores.shape:
        raise SaveRefused(
            f"the pipeline's scores have the shape {expected.shape}, and the bundle's would have "
            f"{scores.shape}"
        )
    same = (expected == scores) & (expected.dtype == scores.dtype)
    return np.flatnonzero(~(same if same.ndim == 1 else same.all(axis=1)))


def prove(expected: Scores, scores: Scores) -> None:
    """Raise SaveRefused unless all scores are numbers, and the same bits."""
    if not np.isfinite(expected).all():
        rows = np.flatnonzero(~np.isfinite(expected.reshape(len(expected), -1)).all(axis=1))
        raise SaveRefused(
            f"the pipeline's score of row {rows[0]} of the sample is no number; look at that row"
        )
    differing = differing_rows(expected, scores)
    if differing.size:
        row = differing[0]
        raise SaveRefused(
            f"{differing.size} of {len(expected)} rows of the sample would score otherwise than the "
            f"pipeline, the first is row {row}: {scores[row]} instead of {expected[row]}; nothing was "
            "written"
        )


def prove_labels(predicted: Any, scores: Scores, classes: Sequence[Any]) -> None:
    """Raise SaveRefused unless the model predicts the classes that the service makes of the scores."""
    numbers = (scores > MORE_LIKELY).astype(int) if scores.ndim == 1 else scores.argmax(axis=1)
    differing = np.flatnonzero(np.asarray(predicted) != np.asarray(classes)[numbers])
    if differing.size:
        raise SaveRefused(
            f"the model predicts another class than the most probable one in {differing.size} rows of the "
            f"sample, the first is row {differing[0]}; the service always answers with the most probable "
            "class"
        )
