"""A model of each objective, on the real tables that scikit-learn ships."""

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

import numpy as np
import xgboost
from numpy.typing import NDArray
from sklearn.datasets import load_breast_cancer, load_diabetes, load_wine

ROUNDS = 12
Floats = NDArray[np.float32]


class Table(NamedTuple):
    """A table as scikit-learn ships it, with every ninth value gone."""

    names: list[str]
    values: Floats
    target: NDArray[np.float64]

    @property
    def rows(self) -> list[dict[str, float | None]]:
        return [
            {name: None if np.isnan(one) else float(one) for name, one in zip(self.names, row, strict=True)}
            for row in self.values
        ]

    @property
    def features(self) -> list[dict[str, Any]]:
        return [{"name": name, "type": "number", "nullable": True} for name in self.names]

    def matrix(self, **more: Any) -> xgboost.DMatrix:
        return xgboost.DMatrix(self.values, feature_names=self.names, nthread=1, **more)


def table(load: Callable[[], Any]) -> Table:
    read = load()
    values = np.asarray(read.data, dtype=np.float32)
    values.ravel()[::9] = np.nan
    return Table([str(name) for name in read.feature_names], values, np.asarray(read.target, dtype=float))


DIABETES, CANCER, WINE = table(load_diabetes), table(load_breast_cancer), table(load_wine)
SMALL = DIABETES._replace(target=DIABETES.target / 100)
QUANTILES = [0.05, 0.5, 0.95]
MODELS: Mapping[str, tuple[Table, dict[str, Any]]] = {
    "reg:squarederror": (DIABETES, {}),
    "reg:squaredlogerror": (SMALL, {"min_child_weight": 0}),
    "reg:pseudohubererror": (SMALL, {"min_child_weight": 0}),
    "reg:absoluteerror": (DIABETES, {}),
    "reg:logistic": (CANCER, {}),
    "reg:gamma": (DIABETES, {}),
    "reg:tweedie": (DIABETES, {}),
    "reg:quantileerror": (DIABETES, {"quantile_alpha": 0.9}),
    "three quantiles": (DIABETES, {"objective": "reg:quantileerror", "quantile_alpha": QUANTILES}),
    "count:poisson": (DIABETES, {}),
    "binary:logistic": (CANCER, {}),
    "binary:logitraw": (CANCER, {}),
    "binary:hinge": (CANCER, {}),
    "multi:softprob": (WINE, {"num_class": 3}),
    "rank:pairwise": (WINE, {}),
    "rank:ndcg": (WINE, {}),
    "rank:map": (CANCER, {}),
    "survival:cox": (DIABETES, {}),
    "survival:aft": (DIABETES, {}),
    "dart": (DIABETES, {"objective": "reg:squarederror", "booster": "dart", "rate_drop": 0.3, "seed": 1}),
    "gblinear": (CANCER, {"objective": "binary:logistic", "booster": "gblinear"}),
    "forest": (DIABETES, {"objective": "reg:squarederror", "num_parallel_tree": 3, "subsample": 0.7}),
}


def train(name: str) -> tuple[Table, xgboost.Booster]:
    data, more = MODELS[name]
    matrix = data.matrix(label=data.target)
    if name.startswith("rank"):
        matrix.set_group([100, len(data.target) - 100])
    if name == "survival:aft":
        matrix = data.matrix(label_lower_bound=data.target, label_upper_bound=data.target + 20)
    with xgboost.config_context(verbosity=0):  # XGBoost 3.4 warns that dart and gblinear may go
        booster = xgboost.train({"objective": name, "nthread": 1, **more}, matrix, ROUNDS)
        booster.save_config()
    return data, booster
