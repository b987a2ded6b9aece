"""What a booster was trained for, and so what its scores mean."""

import json
from dataclasses import dataclass
from typing import Any

import xgboost

from model.description.errors import BundleError

# A sum of leaves and nothing else, so that every machine gives the same bits.
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
# XGBoost passes the sum through the function of a link.
LINKED = ("reg:logistic", "reg:gamma", "reg:tweedie", "count:poisson", "survival:aft", "survival:cox")
BINARY = "binary:logistic"
MULTI_CLASS = ("multi:softprob", "multi:softmax")
QUANTILE = "reg:quantileerror"
SERVED = (*SUMS, *LINKED, BINARY, *MULTI_CLASS, QUANTILE)


@dataclass(frozen=True)
class Objective:
    """`classes` is 0 where there are none; `quantiles` is empty unless there are several."""

    name: str
    booster: str
    classes: int = 0
    quantiles: tuple[float, ...] = ()

    @property
    def exact(self) -> bool:
        """Whether every machine gives the same bits."""
        return self.name in SUMS or self.name == QUANTILE


def read_objective(booster: xgboost.Booster, ref: str) -> Objective:
    """Raises BundleError for a booster whose scores could not be named."""
    learner = json.loads(booster.save_config())["learner"]
    name, parameters = str(learner["objective"]["name"]), learner["learner_model_param"]
    if name not in SERVED:
        raise BundleError(f"{ref}: objective {name} is not served; these are: {', '.join(SERVED)}")
    targets, quantiles = int(parameters["num_target"]), _quantiles(learner["objective"])
    if targets != max(len(quantiles), 1):
        raise BundleError(f"{ref}: a model of {targets} targets is not served; train one for each target")
    return Objective(
        name=name,
        booster=str(learner["gradient_booster"]["name"]),
        classes=_classes(name, int(parameters["num_class"])),
        quantiles=quantiles if len(quantiles) > 1 else (),
    )


def _classes(name: str, known: int) -> int:
    if name == BINARY:
        return 2
    return known if name in MULTI_CLASS else 0


def _quantiles(objective: dict[str, Any]) -> tuple[float, ...]:
    if objective["name"] != QUANTILE:
        return ()
    return tuple(float(alpha) for alpha in json.loads(objective["quantile_loss_param"]["quantile_alpha"]))
