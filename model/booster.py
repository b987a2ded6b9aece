"""Loads boosters of XGBoost, and reads their objective."""

import json
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import xgboost

from model.description.errors import BundleError

SAVE_MODEL = 'save the model with booster.save_model("model.ubj")'

# Scores that are sums of leaves, so that every machine gives the same bits.
SUMS = (
    "reg:squarederror",
    "reg:pseudohubererror",
    "reg:absoluteerror",
    "reg:squaredlogerror",
    "binary:hinge",
    "binary:logitraw",
    "rank:pairwise",
    "rank:ndcg",
    "rank:map",
)
# Scores that XGBoost computes with a link function, such as exp.
LINKED = ("reg:logistic", "reg:gamma", "reg:tweedie", "count:poisson", "survival:aft", "survival:cox")
BINARY = "binary:logistic"
MULTI_CLASS = ("multi:softprob", "multi:softmax")
QUANTILE = "reg:quantileerror"
SERVED = (*SUMS, *LINKED, BINARY, *MULTI_CLASS, QUANTILE)


@dataclass(frozen=True)
class Objective:
    """What a booster was trained for, and so what its scores mean.

    `booster` is gbtree, dart or gblinear. `classes` is 0 for a regression. `quantiles` is empty unless the
    model predicts several. `median` is the position of the quantile closest to 0.5. `exact` tells whether
    every machine gives the same bits.
    """

    name: str
    booster: str
    classes: int = 0
    quantiles: tuple[float, ...] = ()
    median: int = field(init=False)
    exact: bool = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "median", median_position(self.quantiles) if self.quantiles else 0)
        object.__setattr__(self, "exact", self.name in SUMS or self.name == QUANTILE)


def read_booster(model: bytes, location: str, threads: int = 1) -> xgboost.Booster:
    """Load a model from UBJSON or JSON; raises BundleError, which names `location`."""
    if model.startswith(b"\x80"):
        raise BundleError(f"{location} is a pickle, and reading a pickle can run code; {SAVE_MODEL}")
    unreadable = BundleError(f"{location} is not a complete XGBoost model; {SAVE_MODEL}")
    # A truncated file can crash XGBoost.
    if not (model.startswith(b"{") and model.rstrip(b"\n").endswith(b"}")):
        raise unreadable
    booster = xgboost.Booster({"nthread": threads})
    try:
        booster.load_model(bytearray(model))
    except (xgboost.core.XGBoostError, UnicodeDecodeError):  # the latter when the message quotes the file
        raise unreadable from None
    return booster


def read_objective(booster: xgboost.Booster, location: str) -> Objective:
    """Return what the booster was trained for; raises BundleError for an objective that is not served."""
    learner = json.loads(booster.save_config())["learner"]
    name, parameters = str(learner["objective"]["name"]), learner["learner_model_param"]
    if name not in SERVED:
        raise BundleError(
            f"{location}: the objective {name} is not supported; these are: {', '.join(SERVED)}"
        )
    targets, quantiles = int(parameters["num_target"]), _quantiles(learner["objective"])
    if targets != max(len(quantiles), 1):
        raise BundleError(
            f"{location}: models of {targets} targets are not supported; train one model for each target"
        )
    return Objective(
        name=name,
        booster=str(learner["gradient_booster"]["name"]),
        classes=_classes(name, int(parameters["num_class"])),
        quantiles=quantiles if len(quantiles) > 1 else (),
    )


def median_position(quantiles: tuple[float, ...]) -> int:
    """Return the position of the quantile closest to the median, which is the prediction."""
    return int(np.argmin([abs(alpha - 0.5) for alpha in quantiles]))


def _classes(name: str, classes: int) -> int:
    if name == BINARY:
        return 2
    return classes if name in MULTI_CLASS else 0


def _quantiles(objective: dict[str, Any]) -> tuple[float, ...]:
    if objective["name"] != QUANTILE:
        return ()
    return tuple(float(alpha) for alpha in json.loads(objective["quantile_loss_param"]["quantile_alpha"]))
