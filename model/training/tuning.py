"""Looks for better parameters: trials of Optuna's sampler, measured with folds."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

import numpy as np
import optuna

from model.training.cross_validation import Advance, Trainer
from model.training.dataset import Dataset
from model.training.metrics import main_metric, measure
from model.training.parameters import TrainingOptions, choose_parameters

Suggest = Callable[[optuna.Trial], float | int]

SPACE: Mapping[str, Suggest] = {
    "learning_rate": lambda trial: trial.suggest_float("learning_rate", 0.01, 0.3, log=True),
    "max_depth": lambda trial: trial.suggest_int("max_depth", 2, 10),
    "min_child_weight": lambda trial: trial.suggest_float("min_child_weight", 0.5, 50, log=True),
    "subsample": lambda trial: trial.suggest_float("subsample", 0.5, 1),
    "colsample_bytree": lambda trial: trial.suggest_float("colsample_bytree", 0.4, 1),
    "reg_lambda": lambda trial: trial.suggest_float("reg_lambda", 0.01, 100, log=True),
}
FIRST = {"reg_lambda": 1.0}
"""What XGBoost uses, for the parameters that a dataset does not choose."""


def tune(dataset: Dataset, options: TrainingOptions, advance: Advance) -> dict[str, Any]:
    """Return the parameters of the best of `options.tune` trials; those that the caller set stay.

    The first trial has the parameters that are used without tuning, so the best is never worse in its folds.
    """
    free = [name for name in SPACE if name not in options.parameters]
    metric = main_metric(dataset.target)

    def error(trial: optuna.Trial) -> float:
        suggested = {name: SPACE[name](trial) for name in free}
        tried = replace(options, parameters={**options.parameters, **suggested})
        folds = Trainer(dataset, tried).folds(advance)
        return float(np.mean([measure(dataset.target, fold)[metric] for fold in folds]))

    optuna.logging.set_verbosity(optuna.logging.WARNING)
    study = optuna.create_study(sampler=optuna.samplers.TPESampler(seed=options.seed))
    usual = {**FIRST, **choose_parameters(dataset, options)}
    study.enqueue_trial({name: usual[name] for name in free})
    study.optimize(error, n_trials=options.tune)
    return {**options.parameters, **study.best_params}
