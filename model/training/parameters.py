"""The parameters for XGBoost: those that suit a dataset, and those that the caller sets."""

import json
import re
import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import xgboost

from model.tables.table import TableError
from model.training.dataset import Dataset

MANY_ROWS = 10_000
SYNONYMS = {
    "eta": "learning_rate",
    "lambda": "reg_lambda",
    "alpha": "reg_alpha",
    "gamma": "min_split_loss",
    "random_state": "seed",
    "n_jobs": "nthread",
}
"""Other names of parameters, so that one that is set twice is noticed."""
OPTIONS = {
    "objective": "--objective or --classify",
    "num_class": "--classify",
    "quantile_alpha": "--quantiles",
    "seed": "--seed",
    "nthread": "--threads",
}
"""Parameters that have an option of their own."""
REFUSED = {
    "device",
    "process_type",
    "updater",
    "verbosity",
    "validate_parameters",
    "disable_default_eval_metric",
}
UNUSED = re.compile(r"Parameters: \{ (.*?) \} are not used")
PREFIX = re.compile(r"^(\[[\d:]+\] )?\S+\.(cc|h|cu):\d+: ")
"""The time and the place in XGBoost's code that some of its messages begin with."""


@dataclass(frozen=True)
class TrainingOptions:
    """How to train. `rounds` is None for early stopping; `tune` is the number of trials, 0 for none."""

    parameters: Mapping[str, Any] = field(default_factory=dict)
    rounds: int | None = None
    tune: int = 0
    seed: int = 0
    threads: int = 1


def choose_parameters(dataset: Dataset, options: TrainingOptions) -> dict[str, Any]:
    """Return the parameters for XGBoost; those of the options replace what suits the dataset."""
    many = dataset.rows >= MANY_ROWS
    return {
        **dataset.target.parameters(),
        "tree_method": "hist",
        "learning_rate": 0.1 if many else 0.05,
        "max_depth": 6 if many else 4,
        "min_child_weight": 5 if many else 2,
        "subsample": 0.8,
        "colsample_bytree": 0.8,
        "seed": options.seed,
        "nthread": options.threads,
        **options.parameters,
    }


def read_parameters(settings: Sequence[str], depth: int | None, rate: float | None) -> dict[str, Any]:
    """Read texts such as `max_bin=64`, and the options for depth and rate; raises TableError."""
    parameters: dict[str, Any] = {}
    shorthand = {"max_depth": depth, "learning_rate": rate}
    given: list[tuple[str, Any]] = [(name, value) for name, value in shorthand.items() if value is not None]
    given += map(_read_setting, settings)
    for name, value in given:
        if name in parameters:
            raise TableError(f"the parameter {name} is given twice; give it once")
        parameters[name] = value
    return parameters


def check_parameters(parameters: Mapping[str, Any], matrix: xgboost.DMatrix) -> None:
    """Try the parameters for one round; raises TableError if XGBoost refuses one or does not know it."""
    with warnings.catch_warnings(record=True) as said:
        warnings.simplefilter("always")
        try:
            xgboost.train(dict(parameters), matrix, 1, evals=[(matrix, "rows")], verbose_eval=False)
        except (xgboost.core.XGBoostError, ValueError) as error:
            reason = PREFIX.sub("", str(error).strip().partition("\n")[0])
            raise TableError(f"XGBoost refuses these parameters: {reason}") from None
    for warning in said:
        if unused := UNUSED.search(str(warning.message)):
            name = unused[1].replace(chr(34), "")
            raise TableError(f"XGBoost has no parameter {name} for this model; leave it out")


def _read_setting(setting: str) -> tuple[str, Any]:
    name, _, value = setting.partition("=")
    name = SYNONYMS.get(name.strip(), name.strip())
    if not name or not value:
        raise TableError(f"--param {setting!r} must be a name and a value, as in max_bin=64")
    if name in OPTIONS:
        raise TableError(f"--param {setting!r}: use {OPTIONS[name]} instead")
    if name in REFUSED or (name, value) == ("booster", "gblinear"):
        raise TableError(f"--param {setting!r} cannot be set here")
    return name, _value(value)


def _value(text: str) -> Any:
    """Read a number, true, false, a list or an object; anything else is text."""
    try:
        return json.loads(text)
    except ValueError:
        return text
