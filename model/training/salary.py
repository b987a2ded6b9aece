"""The default model: the salary to expect after a number of years of work."""

import csv
import hashlib
from collections.abc import Mapping
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
import xgboost
from pyarrow.csv import read_csv

from model.description.manifest import Manifest
from model.publish import publish
from model.tables.table import Table

DATA = """\
years,salary
1,150
2,260
5.5,375
6,400
8,700
12,750
"""

# The defaults of XGBoost 1.7, which give the figures first published for this model.
PARAMETERS: Mapping[str, Any] = {
    "objective": "reg:squarederror",
    "tree_method": "exact",
    "base_score": 0.5,
    "nthread": 1,
}
ROUNDS = 100
GOLDEN_YEARS = (2.5, 4.5, 12.5, 0, 0.5, 1, 3.7, 7, 20)


def salary_table() -> Table:
    """The six rows, as a file of them would be read."""
    return Table("six salaries", hashlib.sha256(DATA.encode()).hexdigest(), read_csv(BytesIO(DATA.encode())))


def publish_salary(root: Path) -> Manifest:
    """Train the salary model and write it to `<root>/salary/1/`."""
    matrix = _training_matrix()
    booster = xgboost.train(dict(PARAMETERS), matrix, ROUNDS)
    description = {
        "name": "salary",
        "version": 1,
        "target": "salary",
        "unit": "thousands of dollars",
        "features": [
            {
                "name": "years",
                "type": "number",
                "description": "Years of experience",
                "observed": {"minimum": 1, "maximum": 12},
            }
        ],
        "trees": ROUNDS,
        "metrics": {"training_mean_absolute_error": _mean_absolute_error(booster, matrix)},
        "training": {
            "data": "six salaries by years of experience",
            "rows": matrix.num_row(),
            "sha256": hashlib.sha256(DATA.encode()).hexdigest(),
            "parameters": dict(PARAMETERS),
            "rounds": ROUNDS,
        },
    }
    return publish(root, booster, description, [{"years": years} for years in GOLDEN_YEARS])


def _training_matrix() -> xgboost.DMatrix:
    rows = list(csv.DictReader(DATA.splitlines()))
    years = np.array([[row["years"]] for row in rows], dtype=np.float32)
    salaries = np.array([row["salary"] for row in rows], dtype=np.float32)
    return xgboost.DMatrix(years, label=salaries, feature_names=["years"], nthread=1)


def _mean_absolute_error(booster: xgboost.Booster, matrix: xgboost.DMatrix) -> float:
    return round(float(np.abs(booster.predict(matrix) - matrix.get_label()).mean()), 6)
