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
SERVED = REGRESSIONS + CLASSIFICATIONS + BOOSTERS


def read_learner(booster: Any) -> dict[str, Any]:
    """Return what the booster was trained for, and how: objective, kind of booster, parameters."""
    learner: dict[str, Any] = json.loads(booster.save_config())["learner"]
    return learner


def require_served(learner: dict[str, Any], classes: Sequence[Any]) -> None:
    """Refuse an objective that the service does not know, and a classifier of one class or several targets.

    `classes` are those of a classifier.
    """
    objective = learner["objective"]["name"]
    if len(classes) == 1:
        raise SaveRefused(f"the classifier knows only the class {classes[0]}; train it with two at least")
    if objective == "multi:softmax":
        raise SaveRefused(
            "the objective multi:softmax gives no probabilities; train the same trees with "
            'objective="multi:softprob", or call set_param({"objective": "multi:softprob"}) of a Booster'
        )
    if classes and objective not in CLASSIFICATIONS:
        raise SaveRefused(
            f"a classifier with the objective {objective} is not supported; train it with "
            f"{' or '.join(CLASSIFICATIONS)}, or save model.get_booster(), which has scores of its own"
        )
    if objective not in SERVED:
        raise SaveRefused(f"the objective {objective} is not supported here; these are: {', '.join(SERVED)}")
    if classes and count_targets(learner) > 1:
        raise SaveRefused("the classifier has several targets; save one model for each target")


def class_numbers(learner: dict[str, Any]) -> Sequence[int]:
    """Return the classes that a Booster tells apart; there are none in a regression."""
    if learner["objective"]["name"] not in CLASSIFICATIONS or count_targets(learner) > 1:
        return ()
    return range(int(learner["learner_model_param"]["num_class"]) or 2)


def count_targets(learner: dict[str, Any]) -> int:
    """Return how many targets the model has; several quantiles of a target are one."""
    return 1 if read_quantiles(learner) else int(learner["learner_model_param"]["num_target"])


def read_quantiles(learner: dict[str, Any]) -> list[float]:
    """Return the quantiles that the model predicts, if it predicts several."""
    if learner["objective"]["name"] != "reg:quantileerror":
        return []
    alphas = json.loads(learner["objective"]["quantile_loss_param"]["quantile_alpha"])
    return [float(alpha) for alpha in alphas] if len(alphas) > 1 else []
