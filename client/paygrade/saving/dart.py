"""Boosters of the kind dart, as the estimators of XGBoost score with them."""

import json
from typing import Any

import numpy as np
from numpy.typing import NDArray

Trees = list[dict[str, Any]]


def as_plain_trees(booster: Any) -> Any:
    """Return a booster of the kind gbtree with the scores of `inplace_predict`, to the last bit.

    An estimator scores with that, and Booster.predict adds up otherwise. It lets each tree start from the
    base, takes the base off again, and multiplies the rest by the weight of the tree: in float32. Here this
    is done to the leaves.
    """
    model = json.loads(booster.save_raw("json"))
    dart = model["learner"]["gradient_booster"]
    weights, plain = dart["weight_drop"], dart["gbtree"]
    model["learner"]["gradient_booster"] = {**plain, "name": "gbtree"}
    trees: Trees = plain["model"]["trees"]
    leaves = [np.array(tree["split_conditions"], dtype=np.float32) for tree in trees]
    bases = _bases(model, trees, leaves)
    for tree, values, weight, group in zip(trees, leaves, weights, plain["model"]["tree_info"], strict=True):
        base = bases[group]
        _set_leaves(tree, values, ((values + base) - base) * np.float32(weight))
    return _load(model)


def _bases(model: dict[str, Any], trees: Trees, leaves: list[NDArray[np.float32]]) -> NDArray[np.float32]:
    """Return the scores that the sums of the trees start from, one for each class or target."""
    for tree, values in zip(trees, leaves, strict=True):
        _set_leaves(tree, values, np.zeros_like(values))
    empty = _load(model)
    row = np.zeros((1, empty.num_features()), dtype=np.float32)
    bases: NDArray[np.float32] = empty.inplace_predict(row, predict_type="margin", validate_features=False)
    return bases.ravel()


def _set_leaves(tree: dict[str, Any], values: NDArray[np.float32], leaves: NDArray[np.float32]) -> None:
    is_leaf = np.array(tree["left_children"]) == -1
    tree["split_conditions"] = np.where(is_leaf, leaves, values).tolist()


def _load(model: dict[str, Any]) -> Any:
    import xgboost

    return xgboost.Booster({"nthread": 1}, model_file=bytearray(json.dumps(model).encode()))
