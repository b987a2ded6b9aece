"""Makes VERSION.tar.xz beside this file: small models of each kind, and the scores of the installed XGBoost.

It was run once with each version, in an environment of its own, with NumPy, pandas and scikit-learn:
`python make.py`. It keeps to what Python 3.7 and XGBoost 1.0 know.
"""

from __future__ import annotations

import io
import json
import tarfile
import tempfile
from pathlib import Path
from typing import Any

import numpy as np
import xgboost as xgb

VERSION = tuple(int(part) for part in xgb.__version__.split(".")[:2])
ROUNDS = 3
NAMES = ["a", "b", "c"]
CITIES = ["Ulm", "Bern", "Metz"]
TOWNS = ["Köln", "Bonn", "Łódź", "Ulm"]


def table(rows: int) -> np.ndarray:
    """Numbers that any version computes alike; some are missing."""
    number = np.arange(rows)
    values = np.stack([number * 7 % 23 / 2, number * 5 % 17, number * 11 % 29 / 8], axis=1).astype(np.float32)
    values[::6, 2] = np.nan
    return values


LEARNED, SCORED = table(90), table(14)
LABEL = (LEARNED[:, 0] * 2 + LEARNED[:, 1] ** 1.5 + np.nan_to_num(LEARNED[:, 2])).astype(np.float32)
TWO_LABELS = np.stack([LABEL, LEARNED[:, 1] - LABEL / 3], axis=1)
CLASSES = (LABEL // 20 % 3).astype(np.int32)
YES = (LABEL > 30).astype(np.int32)

# name: (first version, parameters, label)
KINDS: dict[str, tuple[tuple[int, int], dict[str, Any], Any]] = {
    "trees": ((1, 0), {"objective": "reg:squarederror", "base_score": 0.5}, LABEL),
    "average": ((1, 0), {"objective": "reg:squarederror"}, LABEL),
    "exact": ((1, 0), {"objective": "reg:squarederror", "tree_method": "exact"}, LABEL),
    "forest": ((1, 0), {"num_parallel_tree": 3, "subsample": 0.6, "colsample_bynode": 0.7}, LABEL),
    "dart": ((1, 0), {"booster": "dart", "rate_drop": 0.5, "one_drop": 1}, LABEL),
    "linear": ((1, 0), {"booster": "gblinear", "objective": "reg:squarederror"}, LABEL),
    "logistic": ((1, 0), {"objective": "binary:logistic", "base_score": 0.3}, YES),
    "linear-logistic": ((1, 0), {"booster": "gblinear", "objective": "binary:logistic"}, YES),
    "dart-softprob": ((1, 0), {"booster": "dart", "rate_drop": 0.5, "objective": "multi:softprob"}, CLASSES),
    "softprob": ((1, 0), {"objective": "multi:softprob"}, CLASSES),
    "hinge": ((1, 0), {"objective": "binary:hinge"}, YES),
    "logitraw": ((1, 0), {"objective": "binary:logitraw"}, YES),
    "reg-logistic": ((1, 0), {"objective": "reg:logistic"}, LABEL / 100),
    "squared-log": ((1, 0), {"objective": "reg:squaredlogerror"}, LABEL / 10),
    "pseudo-huber": ((1, 2), {"objective": "reg:pseudohubererror", "base_score": 20}, LABEL),
    "absolute": ((1, 7), {"objective": "reg:absoluteerror"}, LABEL),
    "gamma": ((1, 0), {"objective": "reg:gamma"}, LABEL + 1),
    "tweedie": ((1, 0), {"objective": "reg:tweedie", "tweedie_variance_power": 1.3}, LABEL),
    "poisson": ((1, 0), {"objective": "count:poisson"}, LABEL.round()),
    "cox": ((1, 0), {"objective": "survival:cox"}, LABEL + 1),
    "aft": ((1, 2), {"objective": "survival:aft"}, LABEL + 1),
    "pairwise": ((1, 0), {"objective": "rank:pairwise"}, CLASSES),
    "ndcg": ((1, 0), {"objective": "rank:ndcg"}, CLASSES),
    "quantile": ((2, 0), {"objective": "reg:quantileerror", "quantile_alpha": 0.7}, LABEL),
    "quantiles": ((2, 0), {"objective": "reg:quantileerror", "quantile_alpha": [0.4, 0.5, 0.6]}, LABEL),
    "expectile": ((3, 3), {"objective": "reg:expectileerror", "expectile_alpha": 0.7}, LABEL),
    "expectiles": ((3, 3), {"objective": "reg:expectileerror", "expectile_alpha": [0.1, 0.5, 0.9]}, LABEL),
    "targets": ((1, 6), {"objective": "reg:squarederror"}, TWO_LABELS),
    "labels": ((1, 6), {"objective": "binary:logistic"}, np.stack([YES, CLASSES > 1], axis=1)),
    "vector-leaves": ((2, 0), {"multi_strategy": "multi_output_tree"}, TWO_LABELS),
    "vector-classes": (
        (2, 0),
        {"multi_strategy": "multi_output_tree", "objective": "multi:softprob"},
        CLASSES,
    ),
}


def train(parameters: dict[str, Any], label: np.ndarray) -> xgb.Booster:
    given = {"max_depth": 2, "nthread": 1, "seed": 1, "eta": 0.5, **parameters}
    objective = given.get("objective", "")
    if objective.startswith("multi"):
        given["num_class"] = 3
    if "multi_strategy" in given:
        given["tree_method"] = "hist"
    matrix = xgb.DMatrix(LEARNED, feature_names=NAMES)
    if objective == "survival:aft":
        matrix.set_float_info("label_lower_bound", label)
        matrix.set_float_info("label_upper_bound", label + 5)
    else:
        matrix.set_label(label)
    if objective.startswith("rank"):
        matrix.set_group([30, 60])
    return xgb.train(given, matrix, ROUNDS)


def early_stopped(forest: int) -> tuple[Any, ...]:
    """A model that was stopped early, and what scikit-learn's interface predicts with it."""
    learn, stop = slice(0, 60), slice(60, 90)
    more: dict[str, Any] = {"n_estimators": 30, "learning_rate": 0.9, "max_depth": 2, "random_state": 1}
    more.update({"subsample": 0.5, "num_parallel_tree": forest, "n_jobs": 1, "objective": "reg:squarederror"})
    fit: dict[str, Any] = {"eval_set": [(LEARNED[stop], LABEL[stop] * 1.3)], "verbose": False}
    if VERSION >= (1, 6):
        more["early_stopping_rounds"] = 2
    else:
        fit["early_stopping_rounds"] = 2
    model = xgb.XGBRegressor(**more).fit(LEARNED[learn], LABEL[learn], **fit)
    return model.get_booster(), model.predict(SCORED)


def with_categories(names: list[str]) -> tuple[Any, ...]:
    import pandas as pd

    def frame(values: np.ndarray) -> pd.DataFrame:
        codes = [int(one) % len(names) for one in values[:, 1]]
        return pd.DataFrame({"city": pd.Categorical.from_codes(codes, names), "a": values[:, 0]})

    method = "approx" if VERSION < (1, 7) else "hist"
    more: dict[str, Any] = {"tree_method": method, "enable_categorical": True}
    model = xgb.XGBRegressor(n_estimators=ROUNDS, max_depth=2, n_jobs=1, **more)
    model.fit(frame(LEARNED), LABEL)
    return model.get_booster(), model.predict(frame(SCORED))


def endings(name: str) -> tuple[Any, ...]:
    if VERSION < (1, 6):
        return ("json",)
    return ("json", "ubj") if name in ("trees", "dart", "targets", "categories") else ("ubj",)


def main() -> None:
    scores, files = {}, {}

    def keep(name: str, booster: xgb.Booster, predicted: np.ndarray) -> None:
        # The shortest numbers that read back as the same float32.
        scores[name] = np.vectorize(lambda score: float(str(score)))(predicted.astype(np.float32)).tolist()
        for ending in endings(name):
            with tempfile.TemporaryDirectory() as folder:
                file = Path(folder) / f"m.{ending}"
                booster.save_model(str(file))
                files[f"{name}.{ending}"] = file.read_bytes()

    rows = xgb.DMatrix(SCORED, feature_names=NAMES)
    for name, (first, parameters, label) in KINDS.items():
        if first <= VERSION:
            booster = train(parameters, label)
            keep(name, booster, booster.predict(rows))
    keep("stopped", *early_stopped(1))
    keep("stopped-forest", *early_stopped(3))
    if VERSION >= (1, 6):
        keep("categories", *with_categories(CITIES))
        keep("towns", *with_categories(TOWNS))
    files["scores.json"] = json.dumps(scores).encode()
    with tarfile.open(str(Path(__file__).with_name(xgb.__version__ + ".tar.xz")), "w:xz") as kept:
        for name, content in sorted(files.items()):
            member = tarfile.TarInfo(name)
            member.size = len(content)
            kept.addfile(member, io.BytesIO(content))


if __name__ == "__main__":
    main()
