"""A bundle as the service reads it: the files alone, without scikit-learn or pandas."""

import json
import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import xgboost
from numpy.typing import NDArray
from paygrade.steps import After, Steps


class SavedBundle:
    """Scores rows as JSON holds them."""

    def __init__(self, directory: Path) -> None:
        self.description: dict[str, Any] = json.loads((directory / "bundle.json").read_text(encoding="utf-8"))
        self.features: list[dict[str, Any]] = self.description["features"]
        steps = self.description.get("steps")
        self.steps = Steps.from_dict(steps, self.features) if steps else None
        self.after = After.from_list(self.description.get("after", []))
        self._booster = xgboost.Booster({"nthread": 1}, model_file=directory / "model.ubj")
        self._kind = json.loads(self._booster.save_config())["learner"]["gradient_booster"]["name"]

    def score(self, rows: Sequence[Mapping[str, Any]]) -> NDArray[Any]:
        """Return the scores of rows: (rows,), or (rows, classes)."""
        raw = np.array([[_number(row[one["name"]], one) for one in self.features] for row in rows])
        encoded = self.steps.transform(raw) if self.steps else raw.astype(np.float32)
        missing = self.description.get("missing", math.nan)
        rounds = (0, self.description["trees"])
        if self._kind == "gbtree":
            scores = self._booster.inplace_predict(
                encoded, iteration_range=rounds, missing=missing, validate_features=False
            )
        else:
            matrix = xgboost.DMatrix(encoded, missing=missing)
            scores = self._booster.predict(matrix, validate_features=False)
        return self.after.apply(scores)


def rows_of(frame: Any, names: Sequence[str]) -> list[dict[str, Any]]:
    """The rows of a pandas frame as JSON holds them: null for missing values."""
    columns = {name: [_plain(value) for value in frame[name].tolist()] for name in names}
    return [dict(zip(names, values, strict=True)) for values in zip(*columns.values(), strict=True)]


def _plain(value: Any) -> Any:
    if value is None or type(value).__name__ == "NAType" or (isinstance(value, float) and math.isnan(value)):
        return None
    return value


def _number(value: Any, feature: Mapping[str, Any]) -> float:
    """One value as the service encodes it; raises AssertionError for what it refuses."""
    if value is None:
        assert feature.get("nullable"), f"{feature['name']} must not be null"
        return math.nan
    if feature["type"] == "category":
        text = (
            value if isinstance(value, str) else str(int(value)) if float(value).is_integer() else repr(value)
        )
        if text in feature["categories"]:
            return float(feature["categories"].index(text))
        assert feature.get("unseen") == "unknown", f"{feature['name']} must be one of its categories"
        return -1.0
    return float(value)
