"""Makes the content of a bundle from a table: description, trees and golden rows."""

import warnings
from statistics import median_low
from typing import Any

import numpy as np
from sklearn.exceptions import ConvergenceWarning
from tqdm import tqdm

from model.training.cross_validation import FOLDS, Trainer
from model.training.dataset import Dataset
from model.training.metrics import FoldMetrics
from model.training.table import Table
from model.training.trained import GOLDEN_ROWS, TrainedModel


def train(table: Table, dataset: Dataset, name: str, unit: str, seed: int, threads: int) -> TrainedModel:
    """Measure with folds, then train on all rows for the median of their rounds; shows a progress bar."""
    trainer, metrics, rounds = Trainer(dataset, seed, threads), FoldMetrics(dataset), []
    with tqdm(total=trainer.total_rounds, unit="round", leave=False, disable=None) as bar:
        for fold in trainer.folds(bar.update):
            rounds.append(fold.rounds)
            with warnings.catch_warnings(action="ignore", category=ConvergenceWarning):
                metrics.add(fold)
        trees = median_low(rounds)
        booster = trainer.train_on_all(trees, bar.update)
    target = dataset.target
    description = {
        "name": name,
        "target": target.name,
        "unit": unit,
        "features": dataset.schema.to_list(),
        **({"classes": list(target.classes)} if target.classes else {}),
        **({"transform": target.transform} if target.transform else {}),
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
            "seed": seed,
        },
    }
    return TrainedModel(booster, description, golden_rows(dataset))


def golden_rows(dataset: Dataset) -> list[dict[str, Any]]:
    """Select GOLDEN_ROWS rows, evenly spaced from the first to the last."""
    numbers = np.linspace(0, dataset.rows - 1, min(GOLDEN_ROWS, dataset.rows)).astype(int)
    return [dataset.row(int(number)) for number in numbers]
