"""Trees for a dataset: how many are enough is found out on rows that none of them has seen."""

from collections.abc import Callable, Iterator, Sequence
from typing import Any, NamedTuple

import numpy as np
import xgboost
from numpy.typing import NDArray
from sklearn.model_selection import KFold, StratifiedKFold, train_test_split

from model.training.dataset import Dataset

FOLDS = 5
PATIENCE = 30
"""Rounds without a better score on the rows held back, after which no more are added."""
STOPPING_SHARE = 0.15
MANY_ROWS = 10_000

Rows = NDArray[np.int64]
Advance = Callable[[int], None]
"""Told after each round how many rounds further the work is."""


class Fold(NamedTuple):
    """Trees that have not seen the rows of `held_out`."""

    learned_from: Rows
    held_out: Rows
    scores: NDArray[np.float32]
    rounds: int


def parameters(dataset: Dataset, seed: int, threads: int) -> dict[str, Any]:
    many = dataset.rows >= MANY_ROWS
    return {
        **dataset.target.parameters(),
        "tree_method": "hist",
        "learning_rate": 0.1 if many else 0.05,
        "max_depth": 6 if many else 4,
        "min_child_weight": 5 if many else 2,
        "subsample": 0.8,
        "colsample_bytree": 0.8,
        "seed": seed,
        "nthread": threads,
    }


class Fit:
    """Trains on parts of one dataset, always with the same parameters."""

    def __init__(self, dataset: Dataset, seed: int, threads: int) -> None:
        self.parameters = parameters(dataset, seed, threads)
        self._most_rounds = 400 if dataset.rows >= MANY_ROWS else 1_000
        self.steps = (FOLDS + 1) * self._most_rounds
        self._dataset = dataset
        self._seed = seed
        self._threads = threads
        margin = dataset.schema.base_margin
        matrix = dataset.matrix
        self._margin = None if margin is None else matrix[:, margin]
        self._features = matrix if margin is None else np.delete(matrix, margin, axis=1)
        self._labels = dataset.target.learned

    def folds(self, advance: Advance) -> Iterator[Fold]:
        """The dataset in parts, each scored by trees learned from the others."""
        for number, (rest, held_out) in enumerate(self._split()):
            learn, stop = train_test_split(
                rest,
                test_size=STOPPING_SHARE,
                random_state=self._seed + number,
                stratify=self._strata(rest),
            )
            booster = self._train(learn, self._most_rounds, advance, stop)
            rounds = booster.best_iteration + 1
            scores = booster.predict(self._matrix(held_out), iteration_range=(0, rounds))
            yield Fold(rest, held_out, scores, rounds)

    def final(self, rounds: int, advance: Advance) -> xgboost.Booster:
        """Trees learned from all rows."""
        return self._train(np.arange(self._dataset.rows), rounds, advance)

    def _train(self, rows: Rows, rounds: int, advance: Advance, stop: Rows | None = None) -> xgboost.Booster:
        watched = [] if stop is None else [(self._matrix(stop), "stopping")]
        return xgboost.train(
            self.parameters,
            self._matrix(rows),
            rounds,
            evals=watched,
            early_stopping_rounds=PATIENCE if watched else None,
            verbose_eval=False,
            callbacks=[_Progress(advance, self._most_rounds)],
        )

    def _matrix(self, rows: Rows) -> xgboost.DMatrix:
        schema = self._dataset.schema
        kinds = ["c" if one.type == "category" else "q" for one in schema.features if not one.base_margin]
        return xgboost.DMatrix(
            self._features[rows],
            label=self._labels[rows],
            base_margin=None if self._margin is None else self._margin[rows],
            feature_names=xgboost_names(schema.trees_names),
            feature_types=kinds,
            enable_categorical=True,
            nthread=self._threads,
        )

    def _split(self) -> Iterator[tuple[Rows, Rows]]:
        folds = KFold(FOLDS, shuffle=True, random_state=self._seed)
        strata = self._strata(np.arange(self._dataset.rows))
        if strata is not None:
            folds = StratifiedKFold(FOLDS, shuffle=True, random_state=self._seed)
        yield from folds.split(self._features, strata)

    def _strata(self, rows: Rows) -> NDArray[np.float64] | None:
        """The classes to spread evenly, if every one of them is in enough rows for that."""
        target = self._dataset.target
        if not target.classes or np.bincount(target.labels.astype(int)).min() < 2 * FOLDS:
            return None
        return target.labels[rows]


def xgboost_names(names: Sequence[str]) -> list[str] | None:
    """XGBoost bears no brackets and no `<` in a name; then the bundle alone knows them."""
    return None if any(sign in name for name in names for sign in "[]<") else list(names)


class _Progress(xgboost.callback.TrainingCallback):
    """Counts rounds; those that early stopping saves count at the end."""

    def __init__(self, advance: Advance, rounds: int) -> None:
        self._advance = advance
        self._left = rounds

    def after_iteration(self, model: Any, epoch: int, evals_log: Any) -> bool:
        self._advance(1)
        self._left -= 1
        return False

    def after_training(self, model: xgboost.Booster) -> xgboost.Booster:
        self._advance(self._left)
        return model
