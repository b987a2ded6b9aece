"""Trains trees on a dataset: on folds, to find how many rounds are enough, and then on all rows."""

from collections.abc import Callable, Iterator, Sequence
from typing import Any, NamedTuple

import numpy as np
import xgboost
from numpy.typing import NDArray
from sklearn.model_selection import KFold, StratifiedKFold, train_test_split

from model.preparation import preparation_of
from model.training.dataset import Dataset
from model.training.parameters import MANY_ROWS, TrainingOptions, choose_parameters

FOLDS = 5
PATIENCE = 30
"""Training stops after this many rounds without a better score on the stopping rows."""
STOPPING_SHARE = 0.15

RowNumbers = NDArray[np.int64]
Advance = Callable[[int], None]
"""Called after each round with the number of rounds done since the last call."""


class Fold(NamedTuple):
    """Part of a dataset: `scores` of the `held_out` rows, by trees trained on the `learned_from` rows."""

    learned_from: RowNumbers
    held_out: RowNumbers
    scores: NDArray[np.float32]
    rounds: int


class Trainer:
    """Trains on parts of one dataset, always with the same parameters.

    `parameters` are those for XGBoost. `fold_rounds` is how many rounds the progress of all folds adds up to,
    and `total_rounds` that of all folds and of the final training.
    """

    def __init__(self, dataset: Dataset, options: TrainingOptions) -> None:
        self.parameters = choose_parameters(dataset, options)
        self._stops_early = options.rounds is None
        self._max_rounds = options.rounds or (400 if dataset.rows >= MANY_ROWS else 1_000)
        self.fold_rounds = FOLDS * self._max_rounds
        self.total_rounds = self.fold_rounds + self._max_rounds
        self._dataset = dataset
        self._seed = options.seed
        self._threads = options.threads
        self._features, self._margin = preparation_of(dataset.schema).split(dataset.matrix)
        self._labels = dataset.target.transformed

    @property
    def all_rows(self) -> xgboost.DMatrix:
        return self._matrix(np.arange(self._dataset.rows))

    def folds(self, advance: Advance) -> Iterator[Fold]:
        """Train on the rows outside each fold, and score the rows of the fold."""
        for number, (rest, held_out) in enumerate(self._split()):
            booster = self._train_fold(rest, number, advance)
            rounds = booster.best_iteration + 1 if self._stops_early else self._max_rounds
            scores = booster.predict(self._matrix(held_out), iteration_range=(0, rounds))
            yield Fold(rest, held_out, scores, rounds)

    def train_on_all(self, rounds: int, advance: Advance) -> xgboost.Booster:
        """Train on all rows, for this many rounds."""
        return self._train(np.arange(self._dataset.rows), rounds, advance)

    def _train_fold(self, rest: RowNumbers, number: int, advance: Advance) -> xgboost.Booster:
        """Stop early by some of the rows, unless the number of rounds is given."""
        if not self._stops_early:
            return self._train(rest, self._max_rounds, advance)
        learn, stop = train_test_split(
            rest,
            test_size=STOPPING_SHARE,
            random_state=self._seed + number,
            stratify=self._strata(rest),
        )
        return self._train(learn, self._max_rounds, advance, stop)

    def _train(
        self, rows: RowNumbers, rounds: int, advance: Advance, stop: RowNumbers | None = None
    ) -> xgboost.Booster:
        watched = [] if stop is None else [(self._matrix(stop), "stopping")]
        return xgboost.train(
            self.parameters,
            self._matrix(rows),
            rounds,
            evals=watched,
            early_stopping_rounds=PATIENCE if watched else None,
            verbose_eval=False,
            callbacks=[_Progress(advance, self._max_rounds)],
        )

    def _matrix(self, rows: RowNumbers) -> xgboost.DMatrix:
        schema = self._dataset.schema
        categories = {feature.name for feature in schema.features if feature.type == "category"}
        return xgboost.DMatrix(
            self._features[rows],
            label=self._labels[rows],
            base_margin=None if self._margin is None else self._margin[rows],
            feature_names=xgboost_names(schema.tree_features),
            feature_types=["c" if name in categories else "q" for name in schema.tree_features],
            enable_categorical=True,
            nthread=self._threads,
        )

    def _split(self) -> Iterator[tuple[RowNumbers, RowNumbers]]:
        folds = KFold(FOLDS, shuffle=True, random_state=self._seed)
        strata = self._strata(np.arange(self._dataset.rows))
        if strata is not None:
            folds = StratifiedKFold(FOLDS, shuffle=True, random_state=self._seed)
        yield from folds.split(self._features, strata)

    def _strata(self, rows: RowNumbers) -> NDArray[np.float64] | None:
        """Return the classes to distribute evenly; None if a class has too few rows for that."""
        target = self._dataset.target
        if not target.classes or np.bincount(target.labels.astype(int)).min() < 2 * FOLDS:
            return None
        return target.labels[rows]


def xgboost_names(names: Sequence[str]) -> list[str] | None:
    """Return the names for XGBoost, or None if it refuses one, since it allows no `[`, `]` and `<`."""
    return None if any(sign in name for name in names for sign in "[]<") else list(names)


class _Progress(xgboost.callback.TrainingCallback):
    """Reports each round, and at the end the rounds that early stopping saved."""

    def __init__(self, advance: Advance, rounds: int) -> None:
        self._advance = advance
        self._remaining = rounds

    def after_iteration(self, model: Any, epoch: int, evals_log: Any) -> bool:
        self._advance(1)
        self._remaining -= 1
        return False

    def after_training(self, model: xgboost.Booster) -> xgboost.Booster:
        self._advance(self._remaining)
        return model
