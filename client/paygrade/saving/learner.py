"""XGBoost's own description of a booster."""

import json
from collections.abc import Sequence
from typing import Any

from paygrade.saving.errors import SaveRefused

REGRESSIONS = (
    "count:poisson",
    "rank:map",
    "rank:ndcg",
    "rank:pairwise",
    "reg:absoluteerror",
    "reg:gamma",
    "reg:logistic",
    "reg:pseudohubererror",
    "reg:quantileerror",
    "reg:squarederror",
    "reg:squaredlogerror",
    "reg:tweedie",
    "survival:aft",
    "survival:cox",
)
CLASSIFICATIONS = ("binary:logistic", "multi:softprob")
BOOSTERS = ("binary:hinge", "binary:logitraw")
"""Objectives whose scores are no probabilities, which only a Booster itself gives as they are."""


def read_learner(booster: Any) -> dict[str, Any]:
    """Return what the booster was trained for, and how: objective, kind of booster, parameters."""
    learner: dict[str, Any] = json.loads(booster.save_config())["learner"]
    return learner


def require_served(learner: dict[str, Any], classes: Sequence[Any]) -> None:
    """Refuse an objective that the service does not know, and several targets."""
    objective = learner["objective"]["name"]
    served = CLASSIFICATIONS if classes else REGRESSIONS + CLASSIFICATIONS + BOOSTERS
    if objective not in served:
        raise SaveRefused(f"the objective {objective} is not supported here; these are: {', '.join(served)}")
    targets = int(learner["learner_model_param"]["num_target"])
    if targets > max(1, len(read_quantiles(learner))):
        raise SaveRefused(f"the model has {targets} targets; save one model for each target")


def read_quantiles(learner: dict[str, Any]) -> list[float]:
    """Return the quantiles that the model predicts, if it predicts several."""
    if learner["objective"]["name"] != "reg:quantileerror":
        return []
    alphas = json.loads(learner["objective"]["quantile_loss_param"]["quantile_alpha"])
    return [float(alpha) for alpha in alphas] if len(alphas) > 1 else []
