"""From a table to a bundle's content: description, trees and golden rows."""

import re
import warnings
from dataclasses import dataclass
from statistics import median_low
from typing import Any

import numpy as np
import xgboost
from sklearn.exceptions import ConvergenceWarning
from tqdm import tqdm

from model.description.manifest import NAME
from model.training.dataset import Dataset
from model.training.fit import FOLDS, Fit
from model.training.measure import Measure
from model.training.table import Table, TableError

GOLDEN_ROWS = 12


@dataclass(frozen=True)
class Trained:
    """What publishing takes."""

    booster: xgboost.Booster
    description: dict[str, Any]
    golden_rows: list[dict[str, Any]]


def train(table: Table, dataset: Dataset, name: str, unit: str, seed: int, threads: int) -> Trained:
    """Measure by folds, then learn from all rows with as many rounds as that took; shows its progress."""
    fit, measure, rounds = Fit(dataset, seed, threads), Measure(dataset), []
    with tqdm(total=fit.steps, unit="round", leave=False, disable=None) as bar:
        for fold in fit.folds(bar.update):
            rounds.append(fold.rounds)
            with warnings.catch_warnings(action="ignore", category=ConvergenceWarning):
                measure.add(fold)
        trees = median_low(rounds)
        booster = fit.final(trees, bar.update)
    target = dataset.target
    description = {
        "name": name,
        "target": target.name,
        "unit": unit,
        "features": dataset.schema.to_list(),
        **({"classes": list(target.classes)} if target.classes else {}),
        **({"transform": target.transform} if target.transform else {}),
        "trees": trees,
        "metrics": measure.result(),
        "training": {
            "data": table.file,
            "sha256": table.sha256,
            "rows": dataset.rows,
            "parameters": fit.parameters,
            "rounds": trees,
            "folds": FOLDS,
            "seed": seed,
        },
    }
    return Trained(booster, description, golden_rows(dataset))


def golden_rows(dataset: Dataset) -> list[dict[str, Any]]:
    """Some rows of the table, from its first to its last."""
    numbers = np.linspace(0, dataset.rows - 1, min(GOLDEN_ROWS, dataset.rows)).astype(int)
    return [dataset.row(int(number)) for number in numbers]


def name_of(file: str) -> str:
    """A model's name after the file's; raises TableError if the file has none that will do."""
    stem = re.sub(r"[^a-z0-9_-]+", "-", file.lower().partition(".")[0]).strip("-_")
    if not NAME.fullmatch(stem[:63]):
        raise TableError(f"{file}: give the model a name: --name NAME")
    return stem[:63]
