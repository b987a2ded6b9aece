"""Golden rows for a booster without a sample: values on both sides of its splits."""

import json
from typing import Any

import numpy as np
import xgboost

from model.description.features import Feature
from model.description.schema import Schema

PROBES = 12


def probe_rows(booster: xgboost.Booster, schema: Schema) -> list[dict[str, Any]]:
    """Make PROBES rows that follow many different paths through the trees."""
    found = thresholds(booster)
    tree_features = iter(range(len(schema.tree_features)))
    columns = []
    for feature in schema.features:
        known = [] if feature.base_margin else found.get(next(tree_features), [])
        columns.append(_values(feature, known))
    # Each column repeats at its own pace, so that not all values are low or high together.
    return [
        {
            feature.name: values[row * (2 * number + 1) % len(values)]
            for number, (feature, values) in enumerate(zip(schema.features, columns, strict=True))
        }
        for row in range(PROBES)
    ]


def thresholds(booster: xgboost.Booster) -> dict[int, list[float]]:
    """Return the thresholds of all splits, by the position of the feature."""
    model = json.loads(booster.save_raw("json"))["learner"]["gradient_booster"]
    model = model.get("gbtree", model).get("model", {})
    thresholds: dict[int, list[float]] = {}
    for tree in model.get("trees", ()):
        nodes = zip(tree["split_indices"], tree["split_conditions"], tree["left_children"], strict=True)
        for feature, condition, left_child in nodes:
            if left_child != -1:  # a leaf has none
                thresholds.setdefault(feature, []).append(condition)
    return thresholds


def _values(feature: Feature, thresholds: list[float]) -> list[Any]:
    """Return values below, between and above the thresholds, within the feature's limits."""
    if feature.type == "category":
        return list(feature.categories[:PROBES])
    if feature.type == "boolean":
        return [False, True]
    edges = np.unique(np.array(thresholds or [0.0]))
    spread = [edges[0] - 1, *np.quantile(edges, np.linspace(0, 1, PROBES - 2)), edges[-1] + 1]
    low = -np.inf if feature.minimum is None else feature.minimum
    high = np.inf if feature.maximum is None else feature.maximum
    values = [min(max(float(np.float32(value)), low), high) for value in spread]
    if feature.type == "integer":
        values = [int(value) for value in values]
    return list(dict.fromkeys(values))
