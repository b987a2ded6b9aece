"""Models of numbers alone, as large as people have them, and the requests that ask for one score of them."""

import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import xgboost

from benchmarks.bundle import ROOT
from benchmarks.load import PATH, WAIT, Load
from model.publish import publish

ROWS_TRAINED = 20_000
CONSTANT = "-0.7312405"
"""What a request says of each feature but the last, whose value differs from request to request."""


@dataclass(frozen=True)
class Size:
    """Of a model: its features, its rounds, and the depth of its trees."""

    features: int
    rounds: int
    depth: int

    @property
    def names(self) -> list[str]:
        return [f"f{number}" for number in range(self.features)]


SIZES = {"real": Size(features=30, rounds=500, depth=6), "wide": Size(features=500, rounds=100, depth=6)}


def make_bundles(root: Path) -> Path:
    """Write a directory with the shipped bundles and one for each size."""
    shutil.copytree(ROOT / "model" / "bundles", root)
    for name, size in SIZES.items():
        booster = _train(size)
        features = [{"name": feature, "type": "number"} for feature in size.names]
        described = {"name": name, "version": 1, "target": "y", "unit": "y", "features": features}
        described |= {"trees": size.rounds, "metrics": {}, "training": {}}
        publish(root, booster, described, [dict.fromkeys(size.names, 0.5)])
    return root


def model_file(root: Path, name: str) -> Path:
    """The booster of a bundle that `make_bundles` wrote."""
    return root / name / "1" / "model.ubj"


def _train(size: Size) -> xgboost.Booster:
    chance = np.random.default_rng(1)
    rows = chance.normal(0, 1, (ROWS_TRAINED, size.features)).astype(np.float32)
    target = (
        rows[:, 0] * 3 + np.sin(3 * rows[:, 1]) + rows[:, 2] * rows[:, -1] + chance.normal(0, 1, len(rows))
    )
    matrix = xgboost.DMatrix(rows, label=target, feature_names=size.names)
    return xgboost.train({"max_depth": size.depth, "eta": 0.05}, matrix, size.rounds)


def waited(name: str) -> Load:
    """Posted to Paygrade, and waited for."""
    return Load(
        PATH, f'{{"model":"{name}","inputs":{{{_members(name)}', "}}", '"prediction":', 200, WAIT, model=name
    )


def in_process(name: str) -> Load:
    return Load("/row", f'{{"model":"{name}","inputs":{{{_members(name)}', "}}", '"prediction":', model=name)


def article(name: str) -> Load:
    return Load("/predict", "{" + _members(name), "}", '"prediction":', model=name)


def open_inference(name: str) -> Load:
    """The protocol of MLServer: a tensor of one row."""
    count = SIZES[name].features
    before = f'{{"inputs":[{{"name":"x","datatype":"FP32","shape":[1,{count}],"data":[{_values(name)}'
    return Load(f"/v2/models/{name}/infer", before, "]}]}", '"outputs":', model=name)


def bento(name: str) -> Load:
    return Load("/predict", f'{{"rows":[[{_values(name)}', "]]}", "[", model=name)


LOADS: dict[str, Callable[[str], Load]] = {
    "article": article,
    "in_process": in_process,
    "mlserver": open_inference,
    "bentoml": bento,
}
"""How each rival is asked."""


def _members(name: str) -> str:
    *others, last = SIZES[name].names
    return "".join(f'"{feature}":{CONSTANT},' for feature in others) + f'"{last}":'


def _values(name: str) -> str:
    return f"{CONSTANT}," * (SIZES[name].features - 1)
