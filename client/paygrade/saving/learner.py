"""XGBoost's own description of a booster."""

import json
from typing import Any


def read_learner(booster: Any) -> dict[str, Any]:
    """Return what the booster was trained for, and how: objective, kind of booster, parameters."""
    learner: dict[str, Any] = json.loads(booster.save_config())["learner"]
    return learner
