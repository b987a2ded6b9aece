"""The models of the browser's service: the shipped ones, another version, an alias, and a hostile model."""

import json
from pathlib import Path

import numpy as np
import xgboost

from model.publish import publish, publish_copy
from model.registry.directory import DirectoryRegistry
from tests.integration.stack import BUNDLES, copy_of_bundles

MARKUP = "<img src=x onerror=alert(1)>\"'&{{7777777*7}}"
"""Stands wherever a bundle may have a text of its own."""


def make_bundles(root: Path) -> Path:
    copy_of_bundles(root)
    publish_copy(BUNDLES / "salary" / "1", DirectoryRegistry(root), 2)
    lifecycle = {"aliases": {"champion": [1]}, "retired": [], "deleted": []}
    (root / "salary" / "lifecycle.json").write_text(json.dumps(lifecycle))
    publish_hostile(root)
    return root


def publish_hostile(root: Path) -> None:
    values = np.arange(40, dtype=np.float32).reshape(-1, 2)
    matrix = xgboost.DMatrix(values, values[:, 0] > 20, nthread=1)
    booster = xgboost.train({"objective": "binary:logistic", "nthread": 1}, matrix, 5)
    features = [{"name": f"{number}{MARKUP}", "type": "number", "description": MARKUP} for number in range(2)]
    description = {
        "name": "hostile",
        "version": 1,
        "target": MARKUP,
        "unit": MARKUP,
        "features": features,
        "classes": [f"no{MARKUP}", f"yes{MARKUP}"],
        "trees": 5,
        "metrics": {MARKUP: 0.5},
        "training": {},
    }
    publish(root, booster, description, [{feature["name"]: 3 for feature in features}])
