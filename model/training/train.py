"""Makes the content of a bundle from a table: description, trees and golden rows."""

import warnings
from dataclasses import replace
from statistics import median_low
from typing import Any

import numpy as np
from sklearn.exceptions import ConvergenceWarning
from tqdm import tqdm

from model.tables.table import Table
from model.training.cross_validation import FOLDS, Advance, Trainer
from model.training.dataset import Dataset
from model.training.metrics import FoldMetrics
from model.training.parameters import TrainingOptions, check_parameters
from model.training.trained import GOLDEN_ROWS, TrainedModel

DEFAULT = TrainingOptions()
TUNING_SEED = 1_000
"""Added to the seed while tuning, for folds of their own."""


def train(
    table: Table, dataset: Dataset, name: str, unit: str, options: TrainingOptions = DEFAULT
) -> TrainedModel:
    """Measure with folds, then train on all rows for the median of their rounds; shows a progress bar.

    Raises TableError for parameters that XGBoost refuses.
    """
    trainer = Trainer(dataset, options)
    if options.parameters:
        check_parameters(trainer.parameters, trainer.all_rows)
    metrics, rounds = FoldMetrics(dataset), []
    total = trainer.total_rounds + options.tune * trainer.fold_rounds
    with tqdm(total=total, unit="round", leave=False, disable=None) as bar:
        if options.tune:
            trainer = _tuned(dataset, options, bar.update)
        for fold in trainer.folds(bar.update):
            rounds.append(fold.rounds)
            with warnings.catch_warnings(action="ignore", category=ConvergenceWarning):
                metrics.add(fold)
        trees = median_low(rounds)
        booster = trainer.train_on_all(trees, bar.update)
    description = {
        **_describe(dataset, name, unit),
        **({"missing_texts": list(table.missing_texts)} if table.missing_texts else {}),
        "trees": trees,
        "metrics": metrics.result(),
        "training": {
            "data": table.file,
            "sha256": table.sha256,
            "rows": dataset.rows,
            "parameters": trainer.parameters,
            "rounds": trees,
            "folds": FOLDS,
            "seed": options.seed,
            **({"tuning_trials": options.tune} if options.tune else {}),
        },
    }
    return TrainedModel(booster, description, golden_rows(dataset), metrics.held_out)


def _describe(dataset: Dataset, name: str, unit: str) -> dict[str, Any]:
    target = dataset.target
    return {
        "name": name,
        "target": target.name,
        "unit": unit,
        "features": dataset.schema.to_list(),
        **({"classes": list(target.classes)} if target.classes else {}),
        **({"transform": target.transform} if target.transform else {}),
    }


def _tuned(dataset: Dataset, options: TrainingOptions, advance: Advance) -> Trainer:
    """Return a trainer with the best parameters, and with other folds than those that chose them."""
    from model.training.tuning import tune  # the only part that needs optuna

    best = tune(dataset, replace(options, seed=options.seed + TUNING_SEED), advance)
    return Trainer(dataset, replace(options, parameters=best))


def golden_rows(dataset: Dataset) -> list[dict[str, Any]]:
    """Select GOLDEN_ROWS rows, evenly spaced from the first to the last."""
    numbers = np.linspace(0, dataset.rows - 1, min(GOLDEN_ROWS, dataset.rows)).astype(int)
    return [dataset.row(int(number)) for number in numbers]
