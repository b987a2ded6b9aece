"""What a booster was trained for, as its configuration tells."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from model.description.errors import BundleError
from model.versions import parse

HINGE = "binary:hinge"
# Scores that are sums of leaves, so that every machine gives the same bits.
SUMS = (
    "reg:squarederror",
    "reg:linear",  # as XGBoost called it before 1.0
    "reg:pseudohubererror",
    "reg:absoluteerror",
    "reg:squaredlogerror",
    HINGE,
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
EXPECTILE = "reg:expectileerror"
SERVED = (*SUMS, *LINKED, BINARY, *MULTI_CLASS, QUANTILE, EXPECTILE)
SORTED_QUANTILES = (3, 4)
"""From this version on XGBoost sorts the quantiles of each row; before, they could cross."""


@dataclass(frozen=True)
class Objective:
    """What a booster was trained for, and so what its scores mean.

    `booster` is gbtree, dart or gblinear. `classes` is 0 for a regression. `quantiles`, or expectiles, is
    empty unless the model predicts several; `crossing` tells that they are not sorted. `targets` is the
    number of targets. `median` is the position of the quantile closest to 0.5. `width` is the number of
    scores of each row. `exact` tells whether every machine gives the same bits.
    """

    name: str
    booster: str
    classes: int = 0
    quantiles: tuple[float, ...] = ()
    crossing: bool = False
    targets: int = 1
    median: int = field(init=False)
    width: int = field(init=False)
    exact: bool = field(init=False)

    def __post_init__(self) -> None:
        derived = {
            "median": median_position(self.quantiles) if self.quantiles else 0,
            "width": self.classes if self.name in MULTI_CLASS else len(self.quantiles) or self.targets,
            # Expectiles add up steps between them, which are computed with exp.
            "exact": self.name in (*SUMS, QUANTILE) or (self.name == EXPECTILE and not self.quantiles),
        }
        for name, value in derived.items():
            object.__setattr__(self, name, value)  # the dataclass is frozen


def read_objective(config: Mapping[str, Any], location: str, version: str) -> Objective:
    """Return what a booster was trained for; raises BundleError for an objective that is not served.

    `config` is the booster's configuration, as XGBoost saves it. `version` is that of the XGBoost whose
    scores are wanted.
    """
    learner = config["learner"]
    name, parameters = str(learner["objective"]["name"]), learner["learner_model_param"]
    if name not in SERVED:
        raise BundleError(
            f"{location}: the objective {name} is not supported; these are: {', '.join(SERVED)}"
        )
    targets, quantiles = int(parameters["num_target"]), _quantiles(learner["objective"])
    several = len(quantiles) > 1
    return Objective(
        name=name,
        booster=str(learner["gradient_booster"]["name"]),
        classes=_classes(name, int(parameters["num_class"]), targets),
        quantiles=quantiles if several else (),
        crossing=several and name == QUANTILE and parse(version) < SORTED_QUANTILES,
        targets=1 if several else targets,
    )


def median_position(quantiles: tuple[float, ...]) -> int:
    """Return the position of the quantile closest to the median, which is the prediction."""
    return int(np.argmin([abs(alpha - 0.5) for alpha in quantiles]))


def _classes(name: str, classes: int, targets: int) -> int:
    if name == BINARY:
        return 2 if targets == 1 else 0  # several targets: each is a question of yes or no
    return classes if name in MULTI_CLASS else 0


def _quantiles(objective: dict[str, Any]) -> tuple[float, ...]:
    for name, kind in ((QUANTILE, "quantile"), (EXPECTILE, "expectile")):
        if objective["name"] == name:
            return tuple(
                float(alpha) for alpha in json.loads(objective[f"{kind}_loss_param"][f"{kind}_alpha"])
            )
    return ()
