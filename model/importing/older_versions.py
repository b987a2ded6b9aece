"""Rewrites models of old versions of XGBoost, so that the installed one gives their scores, bit for bit."""

import json
from collections.abc import Callable, Mapping
from math import log
from typing import Any, NamedTuple

import numpy as np

from model.booster import SAVE_MODEL
from model.description.errors import BundleError
from model.versions import parse

NOTES_TREES_OF_ROUND = (1, 6)
"""Before, a model did not note how many trees each round has, and each tree is now taken as a round."""
NOTES_BEST_TREES = (1, 4)
"""Before, a model that was stopped early noted its best round, but not the number of trees up to it."""
ADDS_BASE_FIRST = {"gbtree": (1, 3), "dart": (1, 4), "gblinear": (1, 0)}
"""Before, XGBoost added the base score to the sum of all trees; now the trees are added to it, one by one."""


class Use(NamedTuple):
    """What of a model is used: `trees` rounds (None: those up to the best one), or all; and a base margin."""

    trees: int | None = None
    all_trees: bool = False
    base_margin: str = ""


def _logit(score: float) -> float:
    # In steps of float32, as XGBoost computes it.
    return -log(np.float32(1) / np.float32(score) - np.float32(1))


def _same(score: float) -> float:
    return score


LINKS: Mapping[str, tuple[Callable[[float], float], float]] = {
    "binary:logistic": (_logit, 0.5),
    "binary:logitraw": (_logit, 0.0),  # whose base score is a margin from 1.3 on
    "reg:logistic": (_logit, 0.5),
    "reg:gamma": (log, 1.0),
    "reg:tweedie": (log, 1.0),
    "count:poisson": (log, 1.0),
    "survival:cox": (log, 1.0),
    "survival:aft": (log, 1.0),
}
"""For objectives whose base score is no margin: the function that makes it one, and the score of margin 0."""


def rewrite(document: dict[str, Any], version: str, use: Use, file: str) -> bytes:
    """Return a checked model as JSON that the installed XGBoost must read; `version` saved it, before 1.6.

    The document is changed. Raises BundleError if it cannot be used so.
    """
    try:
        _rewrite(document["learner"], version, use, file)
        return json.dumps(document, ensure_ascii=False).encode()  # XGBoost reads no escaped characters
    except (KeyError, IndexError, TypeError, ValueError, ZeroDivisionError, OverflowError):
        raise BundleError(f"{file}: is not a complete model of XGBoost {version}; {SAVE_MODEL}") from None


def _rewrite(learner: dict[str, Any], version: str, use: Use, file: str) -> None:
    booster, attributes = learner["gradient_booster"], learner["attributes"]
    if booster["name"] == "gblinear":
        # Before 1.5 it did not note its rounds, and would be taken as not trained.
        booster["model"].setdefault("boosted_rounds", 1)
        return
    stopped = "best_iteration" in attributes and not use.all_trees
    if parse(version) < ADDS_BASE_FIRST[booster["name"]]:
        _refuse_parts(version, use, stopped, file)
        _add_base_last(learner, booster)
        attributes.pop("best_iteration", None)  # which does not count the last tree
    elif stopped and parse(version) < NOTES_BEST_TREES and not use.trees:
        raise BundleError(
            f"{file}: training stopped early, and XGBoost {version} does not note how many trees each round "
            "has; give the number that the author's booster has as best_ntree_limit: --trees N"
        )
    elif "best_ntree_limit" in attributes:
        trees_of_round = int(attributes["best_ntree_limit"]) // (int(attributes["best_iteration"]) + 1)
        _trees_of(booster)["gbtree_model_param"]["num_parallel_tree"] = str(trees_of_round)


def _refuse_parts(version: str, use: Use, stopped: bool, file: str) -> None:
    if use.trees or stopped or use.base_margin:
        what = "a base margin" if use.base_margin else "only some of its trees"
        raise BundleError(
            f"{file}: was saved by XGBoost {version}, which adds up in another order, so that {what} cannot "
            "be used; train the model again with a newer version"
        )


def _trees_of(booster: dict[str, Any]) -> dict[str, Any]:
    trees: dict[str, Any] = booster.get("gbtree", booster)["model"]  # DART's are one level deeper
    return trees


def _add_base_last(learner: dict[str, Any], booster: dict[str, Any]) -> None:
    """Make the base score the last tree of each class, and start from 0."""
    parameters, model = learner["learner_model_param"], _trees_of(booster)
    margin_of, zero = LINKS.get(learner["objective"]["name"], (_same, 0.0))
    margin = float(np.float32(margin_of(float(np.float32(parameters["base_score"])))))
    parameters["base_score"] = str(zero)
    for group in range(max(1, int(parameters["num_class"]))):
        model["trees"].append(_leaf(model["trees"][0], len(model["trees"]), margin))
        model["tree_info"].append(group)
        booster.get("weight_drop", []).append(1.0)
    model["gbtree_model_param"]["num_trees"] = str(len(model["trees"]))


def _leaf(like: Mapping[str, Any], number: int, value: float) -> dict[str, Any]:
    """Make a tree of a single leaf."""
    node = {"base_weights": value, "split_conditions": value, "loss_changes": 0.0, "sum_hessian": 0.0}
    node |= {"left_children": -1, "right_children": -1, "parents": 2**31 - 1, "split_indices": 0}
    node |= {"default_left": False, "leaf_child_counts": 0, "split_type": 0}
    lists = [name for name, values in like.items() if isinstance(values, list)]
    # Lists that are not of nodes are those of categories, of which there are none.
    arrays = {name: [node[name]] if name in node else [] for name in lists}
    return {**arrays, "id": number, "tree_param": {**like["tree_param"], "num_nodes": "1"}}
