"""Files to score and bundles to score them with: eight numeric features, two sizes of booster."""

import shutil
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.csv
import pyarrow.parquet
import xgboost

from benchmarks.bundle import ROOT
from model.publish import publish

NAMES = [f"f{number}" for number in range(8)]
BOOSTERS = {"small": (100, 3), "large": (300, 6)}
"""Rounds and depth."""
AT_ONCE = 1_000_000


def make_bundles(root: Path) -> Path:
    """Write a directory with the shipped bundles and one bundle for each booster."""
    shutil.copytree(ROOT / "model" / "bundles", root)
    rows = _rows(np.random.default_rng(1), 100_000)
    target = rows @ np.arange(8) + 30 * np.sin(rows[:, 0])
    for name, (rounds, depth) in BOOSTERS.items():
        matrix = xgboost.DMatrix(rows, label=target, feature_names=NAMES)
        booster = xgboost.train({"max_depth": depth}, matrix, rounds)
        features = [{"name": feature, "type": "number"} for feature in NAMES]
        described = {"name": name, "version": 1, "target": "y", "unit": "y", "features": features}
        described |= {"trees": rounds, "metrics": {}, "training": {}}
        publish(root, booster, described, [dict.fromkeys(NAMES, 50)])
    return root


def make_csv(file: Path, rows: int) -> Path:
    chance = np.random.default_rng(2)
    with file.open("wb") as written:
        for start in range(0, rows, AT_ONCE):
            table = _table(_rows(chance, min(AT_ONCE, rows - start)))
            options = pyarrow.csv.WriteOptions(include_header=start == 0, quoting_style="none")
            pyarrow.csv.write_csv(table, written, options)
    return file


def make_parquet(file: Path, rows: int) -> Path:
    chance = np.random.default_rng(2)
    pyarrow.parquet.write_table(_table(_rows(chance, rows)), file)
    return file


def _rows(chance: np.random.Generator, number: int) -> "np.ndarray[tuple[int, int], np.dtype[np.float64]]":
    return chance.normal(50, 20, (number, 8)).round(4)


def _table(rows: "np.ndarray[tuple[int, int], np.dtype[np.float64]]") -> pa.Table:
    return pa.table({name: rows[:, index] for index, name in enumerate(NAMES)})
