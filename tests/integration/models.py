"""A model whose every row has a score of its own, so that an answer given to the wrong row shows."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import xgboost

from model.bundle import Bundle
from model.description.catalog import Catalog
from model.publish import publish
from tests.integration.stack import BUNDLES

LADDER = "ladder"
STEPS = 1_000


def publish_ladder(root: Path) -> None:
    """`ladder`: one feature, `step`, and about as many scores as there are steps."""
    steps = np.arange(STEPS, dtype=np.float32).reshape(-1, 1)
    heights = steps.ravel() * 3.25
    matrix = xgboost.DMatrix(steps, label=heights, feature_names=["step"], nthread=1)
    parameters = {
        "tree_method": "exact",
        "max_depth": 10,
        "eta": 1.0,
        "min_child_weight": 0,
        "lambda": 0,
        "nthread": 1,
    }
    booster = xgboost.train(parameters, matrix, 3)
    description = {
        "name": LADDER,
        "version": 1,
        "target": "height",
        "unit": "steps",
        "features": [{"name": "step", "type": "number"}],
        "trees": 3,
        "metrics": {},
        "training": {},
    }
    publish(root, booster, description, [{"step": 1}, {"step": 500}])


FOREST = "forest"


def publish_forest(root: Path) -> None:
    """`forest`: two features, and trees so many and so deep that it takes long to explain a row."""
    chance = np.random.default_rng(11)
    values = chance.uniform(0, 100, (3_000, 2)).astype(np.float32)
    matrix = xgboost.DMatrix(
        values, values[:, 0] * values[:, 1], feature_names=["width", "height"], nthread=1
    )
    booster = xgboost.train({"max_depth": 9, "nthread": 1}, matrix, 100)
    description = {
        "name": FOREST,
        "version": 1,
        "target": "area",
        "unit": "square metres",
        "features": [{"name": name, "type": "number"} for name in ("width", "height")],
        "trees": 100,
        "metrics": {},
        "training": {},
    }
    publish(root, booster, description, [{"width": 1, "height": 2}, {"width": 50, "height": 60}])


def step(number: int) -> dict[str, Any]:
    return {"step": number % STEPS}


def score_in_process(
    rows: Sequence[dict[str, Any]], root: Path = BUNDLES, name: str | None = None
) -> list[float]:
    """What XGBoost itself gives, as JSON writes it."""
    manifest = Catalog(root, "salary").find(name)
    bundle = Bundle.load(manifest)
    scores = bundle.predict(manifest.schema.check_rows(list(rows)))
    return [float(str(score)) for score in scores]
