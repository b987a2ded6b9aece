"""Checks a whole stored model: what XGBoost takes from it as a length or a position, and does not check."""

from collections.abc import Mapping, Sequence
from typing import Any

from model.stored.categories import check_names
from model.stored.errors import Malformed
from model.stored.fields import SEQUENCE, integers, member, numbers, whole
from model.stored.forest import check_forest, leaf_size


def check_learner(document: Mapping[str, Any]) -> None:
    """Raise Malformed if XGBoost could read or write beyond its memory, or would never come to an end."""
    learner = member(document, "learner", dict)
    parameters = member(learner, "learner_model_param", dict)
    features = whole(parameters, "num_feature", 0)
    classes = whole(parameters, "num_class", 0)
    width = max(1, classes, whole(parameters, "num_target", 1, default="1"))
    _check_names_of_features(learner, features)
    booster = member(learner, "gradient_booster", dict)
    name = member(booster, "name", str)
    if name == "gblinear":
        _check_weights(member(booster, "model", dict), features, width)
    elif name in ("gbtree", "dart"):
        _check_trees(booster, features, width)
    else:
        raise Malformed(f"{name[:40]!r} is no booster that XGBoost saves")
    if len(numbers(parameters, "base_score")) not in (1, width):
        raise Malformed(f"base_score has not {width} numbers")
    _check_objective(member(learner, "objective", dict), classes, width)
    attributes = member(learner, "attributes", dict)
    if "best_iteration" in attributes:
        whole(attributes, "best_iteration", 0)


def _check_names_of_features(learner: Mapping[str, Any], features: int) -> None:
    for name in ("feature_names", "feature_types"):
        texts = learner.get(name, [])
        if not isinstance(texts, list) or not all(isinstance(text, str) for text in texts):
            raise Malformed(f"{name} must be texts")
        if len(texts) not in (0, features):
            raise Malformed(f"{name} has {len(texts)} texts for {features} features")


def _check_weights(model: Mapping[str, Any], features: int, width: int) -> None:
    """Check a linear booster, which has a weight for each feature and score, and one for each score."""
    weights = len(member(model, "weights", SEQUENCE))
    if weights != (features + 1) * width:
        raise Malformed(f"it has {weights} weights for {features} features and {width} scores")


def _check_trees(booster: Mapping[str, Any], features: int, width: int) -> None:
    part = member(booster, "gbtree", dict) if booster["name"] == "dart" and "gbtree" in booster else booster
    model = member(part, "model", dict)
    trees = member(model, "trees", list)
    check_forest(trees, features, width)
    _check_rounds(model, trees, width)
    for place in (booster, model):
        if "weight_drop" in place and len(member(place, "weight_drop", SEQUENCE)) != len(trees):
            raise Malformed(f"weight_drop has not {len(trees)} numbers")
    if "cats" in model:
        check_names(member(model, "cats", dict), features)


def _check_rounds(model: Mapping[str, Any], trees: Sequence[Any], width: int) -> None:
    """Check which score each tree adds to, and which trees make a round."""
    parameters = member(model, "gbtree_model_param", dict)
    whole(parameters, "num_trees", len(trees), len(trees))
    whole(parameters, "num_parallel_tree", 0, max(1, len(trees)), default="1")
    several = leaf_size(trees) > 1
    groups = integers(member(model, "tree_info", SEQUENCE), "tree_info", 0, 0 if several else width - 1)
    if len(groups) != len(trees):
        raise Malformed(f"tree_info has not {len(trees)} numbers")
    if trees and not several and width > len(trees):
        raise Malformed(f"it has {len(trees)} trees for {width} scores")
    if "iteration_indptr" in model:
        edges = integers(member(model, "iteration_indptr", SEQUENCE), "iteration_indptr", 0, len(trees))
        if not len(edges) or edges[0] != 0 or edges[-1] != len(trees) or (edges[1:] <= edges[:-1]).any():
            raise Malformed(f"iteration_indptr does not divide its {len(trees)} trees")


def _check_objective(objective: Mapping[str, Any], classes: int, width: int) -> None:
    member(objective, "name", str)
    multi_class = objective.get("softmax_multiclass_param")
    if isinstance(multi_class, dict):
        whole(multi_class, "num_class", classes, classes)
    for kind in ("quantile", "expectile"):
        parameters = objective.get(f"{kind}_loss_param")
        if isinstance(parameters, dict) and len(numbers(parameters, f"{kind}_alpha")) not in (1, width):
            raise Malformed(f"{kind}_alpha has not {width} numbers")
