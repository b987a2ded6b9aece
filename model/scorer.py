"""The calls of XGBoost: a matrix of rows in, what its trees say of them out."""

from typing import Any, NamedTuple

import numpy as np
import xgboost
from numpy.typing import NDArray

from model.objective import Objective
from model.outputs import likeliest

Floats = NDArray[np.float32]

INVERSES = {"log": np.exp, "log1p": np.expm1}
"""What undoes each transform of the target."""


class Explanation(NamedTuple):
    """Contributions, (rows, columns), and base, (rows,): they sum to the margin of each row's prediction."""

    contributions: Floats
    base: NDArray[np.float64]


class Scorer:
    """A booster, the rounds of it to use, the column that is the base margin, and the target's transform."""

    def __init__(
        self,
        booster: xgboost.Booster,
        objective: Objective,
        trees: int,
        base_margin: int | None = None,
        transform: str = "",
    ) -> None:
        self._booster = booster
        self._objective = objective
        self._base_margin = base_margin
        self._inverse = INVERSES.get(transform)
        # Linear models have no trees to choose from; the other two boosters sum in another order in place.
        self._rounds = (0, 0) if objective.booster == "gblinear" else (0, trees)
        self._in_place = objective.booster == "gbtree"
        if objective.name == "multi:softmax":  # otherwise it gives the class alone
            booster.set_param({"objective": "multi:softprob"})

    def score(self, matrix: Floats) -> Floats:
        """Of shape (rows,), or (rows, classes or quantiles); in the unit of the target."""
        features, margin = self._parts(matrix)
        if self._in_place:
            scores = self._booster.inplace_predict(
                features, iteration_range=self._rounds, validate_features=False, base_margin=margin
            )
        else:
            scores = self._call(_matrix(features, margin))
        if self._inverse:
            # In double precision, so that every machine rounds to the same float32.
            scores = self._inverse(scores.astype(np.float64)).astype(np.float32)
        return scores

    def explain(self, matrix: Floats) -> Explanation:
        """SHAP values: what each column adds to the margin, in the scale of the trees' sum."""
        features, margin = self._parts(matrix)
        encoded = _matrix(features, margin)
        values = self._call(encoded, pred_contribs=True)
        margins = self._call(encoded, output_margin=True)
        if values.ndim == 3:
            rows, which = np.arange(len(values)), likeliest(margins, self._objective)
            values, margins = values[rows, which], margins[rows, which]
        contributions = values[:, :-1]
        if self._base_margin is not None:
            contributions = np.insert(contributions, self._base_margin, matrix[:, self._base_margin], axis=1)
        # XGBoost adds up in float32; what this loses over many trees must not be missing from the sum.
        base = margins.astype(np.float64) - contributions.sum(axis=1, dtype=np.float64)
        return Explanation(contributions, base.round(6))

    def _parts(self, matrix: Floats) -> tuple[Floats, Floats | None]:
        if self._base_margin is None:
            return matrix, None
        return np.delete(matrix, self._base_margin, axis=1), matrix[:, self._base_margin]

    def _call(self, rows: xgboost.DMatrix, **what: bool) -> Any:
        return self._booster.predict(rows, iteration_range=self._rounds, validate_features=False, **what)


def _matrix(features: Floats, margin: Floats | None) -> xgboost.DMatrix:
    return xgboost.DMatrix(features, base_margin=margin, nthread=1)
