"""Golden rows for a booster that came without a sample: values on both sides of its splits."""

import json
from typing import Any

import numpy as np
import xgboost

from model.description.feature import Feature
from model.description.schema import Schema

PROBES = 12


def probe_rows(booster: xgboost.Booster, schema: Schema) -> list[dict[str, Any]]:
    """Rows that take many ways through the trees."""
    splits = _splits(booster)
    trees = iter(range(len(schema.trees_names)))
    columns = []
    for feature in schema.features:
        found = [] if feature.base_margin else splits.get(next(trees), [])
        columns.append(_values(feature, found))
    # Each column turns at a pace of its own, so that not all are low or high together.
    return [
        {
            feature.name: values[row * (2 * number + 1) % len(values)]
            for number, (feature, values) in enumerate(zip(schema.features, columns, strict=True))
        }
        for row in range(PROBES)
    ]


def _splits(booster: xgboost.Booster) -> dict[int, list[float]]:
    """The thresholds of each feature."""
    model = json.loads(booster.save_raw("json"))["learner"]["gradient_booster"]
    model = model.get("gbtree", model).get("model", {})
    found: dict[int, list[float]] = {}
    for tree in model.get("trees", ()):
        numbers = zip(tree["split_indices"], tree["split_conditions"], tree["left_children"], strict=True)
        for feature, condition, left in numbers:
            if left != -1:
                found.setdefault(feature, []).append(condition)
    return found


def _values(feature: Feature, splits: list[float]) -> list[Any]:
    if feature.type == "category":
        return list(feature.categories[:PROBES])
    if feature.type == "boolean":
        return [False, True]
    edges = np.unique(np.array(splits or [0.0]))
    spread = [edges[0] - 1, *np.quantile(edges, np.linspace(0, 1, PROBES - 2)), edges[-1] + 1]
    low = -np.inf if feature.minimum is None else feature.minimum
    high = np.inf if feature.maximum is None else feature.maximum
    values = [min(max(float(np.float32(one)), low), high) for one in spread]
    if feature.type == "integer":
        values = [int(one) for one in values]
    return list(dict.fromkeys(values))
