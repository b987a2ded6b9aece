"""Small models of every objective, trained on random values, and rows that are hard for their trees."""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
import xgboost
from numpy.typing import NDArray

from model.importing.probes import thresholds
from model.versions import parse

Floats = NDArray[np.float32]
Random = np.random.Generator

ROWS = 400
ROUNDS = 6
FEATURES = 5
WIDE = 300
CATEGORIES = 12
HAS_EXPECTILES = parse(xgboost.__version__) >= (3, 3)


class Trained(NamedTuple):
    """A booster, the file that it is saved to, and how many of its rounds are used."""

    booster: xgboost.Booster
    model: bytes
    trees: int
    features: int
    categories: tuple[int, ...] = ()
    """The features that are categories."""


KINDS: Mapping[str, dict[str, Any]] = {
    **{
        objective: {"objective": objective}
        for objective in (
            "reg:squarederror",
            "reg:linear",
            "reg:pseudohubererror",
            "reg:absoluteerror",
            "reg:squaredlogerror",
            "reg:logistic",
            "reg:gamma",
            "reg:tweedie",
            "count:poisson",
            "binary:logistic",
            "binary:logitraw",
            "binary:hinge",
            "rank:pairwise",
            "rank:ndcg",
            "rank:map",
            "survival:cox",
            "survival:aft",
        )
    },
    "softprob": {"objective": "multi:softprob", "num_class": 4},
    "softmax": {"objective": "multi:softmax", "num_class": 4},
    "classes in a leaf": {
        "objective": "multi:softprob",
        "num_class": 4,
        "multi_strategy": "multi_output_tree",
    },
    "quantile": {"objective": "reg:quantileerror", "quantile_alpha": 0.8},
    "quantiles": {"objective": "reg:quantileerror", "quantile_alpha": [0.1, 0.5, 0.9]},
    "targets": {"objective": "reg:squarederror"},
    "targets in a leaf": {"objective": "reg:squarederror", "multi_strategy": "multi_output_tree"},
    "forest": {"objective": "binary:logistic", "num_parallel_tree": 3, "subsample": 0.7},
    "exact": {"objective": "reg:squarederror", "tree_method": "exact"},
    "dart": {"objective": "reg:squarederror", "booster": "dart", "rate_drop": 0.5},
    "dart of classes": {
        "objective": "multi:softprob",
        "num_class": 4,
        "booster": "dart",
        "rate_drop": 0.5,
        "normalize_type": "forest",
    },
    "linear": {"objective": "reg:squarederror", "booster": "gblinear"},
    "linear classes": {"objective": "multi:softprob", "num_class": 4, "booster": "gblinear"},
    "categories": {"objective": "reg:squarederror", "max_cat_to_onehot": 1},
    "categories one by one": {"objective": "binary:logistic", "max_cat_to_onehot": 100},
    "categories with names": {"objective": "reg:squarederror", "max_cat_to_onehot": 1},
    "wide": {"objective": "reg:squarederror", "colsample_bynode": 0.2},
    "base margin": {"objective": "count:poisson"},
    **(
        {
            "expectile": {"objective": "reg:expectileerror", "expectile_alpha": 0.3},
            "expectiles": {"objective": "reg:expectileerror", "expectile_alpha": [0.2, 0.5, 0.8]},
        }
        if HAS_EXPECTILES
        else {}
    ),
}


def train(kind: str, seed: int = 0) -> Trained:
    """Train a model of such a kind, and leave out its last round."""
    chance, options = np.random.default_rng(seed), dict(KINDS[kind])
    features = WIDE if kind == "wide" else FEATURES
    categories = (0, 3) if kind.startswith("categories") else ()
    values = chance.normal(0, 3, (ROWS, features)).astype(np.float32)
    values[:, 1] = chance.integers(-2, 3, ROWS)
    for column in categories:
        values[:, column] = chance.integers(0, CATEGORIES, ROWS)
    values[chance.random(values.shape) < 0.2] = np.nan
    matrix = _named(values, categories) if kind.endswith("names") else _numbered(values, categories)
    _label(matrix, options["objective"], kind, values, chance)
    depth = {} if options.get("booster") == "gblinear" else {"max_depth": int(chance.integers(2, 8))}
    with xgboost.config_context(verbosity=0):
        booster = xgboost.train({"nthread": 1, "seed": seed, **depth, **options}, matrix, ROUNDS)
    return Trained(booster, bytes(booster.save_raw("ubj")), ROUNDS - 1, features, categories)


def _numbered(values: Floats, categories: Sequence[int]) -> xgboost.DMatrix:
    types = ["c" if column in categories else "q" for column in range(values.shape[1])]
    return xgboost.DMatrix(
        values, nthread=1, feature_types=types if categories else None, enable_categorical=True
    )


def _named(values: Floats, categories: Sequence[int]) -> xgboost.DMatrix:
    """Give the categories names, which XGBoost saves with the model, and which are not ASCII."""
    table = pd.DataFrame(values)
    for column in categories:
        codes = np.nan_to_num(values[:, column], nan=-1).astype(int)
        table[column] = pd.Categorical.from_codes(codes, [f"Zürich {code}" for code in range(CATEGORIES)])
    return xgboost.DMatrix(table, nthread=1, enable_categorical=True)


def _label(matrix: xgboost.DMatrix, objective: str, kind: str, values: Floats, chance: Random) -> None:
    signal = np.nan_to_num(values[:, :4]) @ np.array([1, 2, -1, 0.5]) + chance.normal(0, 1, ROWS)
    if kind.startswith("targets"):
        matrix.set_label(np.stack([signal, -signal, chance.normal(0, 1, ROWS)], axis=1))
        return
    if objective.startswith("rank"):
        matrix.set_group([ROWS // 2, ROWS - ROWS // 2])
    if objective == "survival:aft":
        matrix.set_float_info("label_lower_bound", np.abs(signal) + 1)
        matrix.set_float_info("label_upper_bound", np.abs(signal) + 2)
    if objective.startswith("multi"):
        matrix.set_label(np.digitize(signal, np.quantile(signal, [0.25, 0.5, 0.75])))
    elif objective == "reg:logistic" or objective.startswith(("binary", "rank")):
        matrix.set_label((signal > 0).astype(np.float32))
    else:
        matrix.set_label(np.abs(signal) / 4 + 0.5)


def hard_rows(trained: Trained, rows: int, seed: int) -> Floats:
    """Make rows of thresholds, their neighbours, missing and extreme values, and random numbers."""
    chance, found = np.random.default_rng(seed), thresholds(trained.booster)
    largest = np.finfo(np.float32).max
    extreme = [np.nan, np.nan, 0.0, -0.0, 1e-45, -1e-45, largest, -largest]
    matrix = np.empty((rows, trained.features), dtype=np.float32)
    for column in range(trained.features):
        edges = np.unique(np.array(found.get(column, [0.0]), dtype=np.float32))
        usual = chance.normal(0, 3, 2 * len(edges)).astype(np.float32)
        if column in trained.categories:  # with some that training did not see, or that are none
            pool = np.array([*range(CATEGORIES + 3), -1, 2**24, 2.5, *extreme[:4]], dtype=np.float32)
        else:
            low, high = np.nextafter(edges, -np.inf), np.nextafter(edges, np.inf)
            pool = np.concatenate([edges, low, high, usual, np.array(extreme, dtype=np.float32)])
        matrix[:, column] = chance.choice(pool, rows)
    return matrix
