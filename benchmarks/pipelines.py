"""A pipeline of scikit-learn as a bundle, its booster alone as another, and tables to score with them."""

import pickle
import shutil
from pathlib import Path

import numpy as np
import pandas as pd
import paygrade
from sklearn.compose import ColumnTransformer
from sklearn.impute import SimpleImputer
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler
from xgboost import XGBRegressor

from benchmarks.bundle import ROOT
from model.publish import publish

PIPELINE, BARE = "flats", "bare"
"""The names of the two bundles."""
CITIES = [f"city {number}" for number in range(12)]
ROWS_FITTED = 20_000


def make_table(rows: int, seed: int) -> pd.DataFrame:
    """Half of the columns are texts, and some numbers are missing."""
    chance = np.random.default_rng(seed)
    area = chance.normal(80, 25, rows).round(2)
    area[chance.random(rows) < 0.05] = np.nan
    return pd.DataFrame(
        {
            "city": chance.choice(CITIES, rows),
            "grade": chance.choice(["a", "b", "c"], rows),
            "heating": chance.choice(["gas", "oil", "none"], rows),
            "area": area,
            "rooms": chance.integers(1, 7, rows),
            "year": chance.integers(1900, 2025, rows),
        }
    )


def make_bundles(root: Path, pickled: Path) -> Path:
    """Write a directory with the shipped bundles, the pipeline and its booster alone; and a pickle."""
    shutil.copytree(ROOT / "model" / "bundles", root)
    table = make_table(ROWS_FITTED, seed=1)
    target = table.area.fillna(60) * 9 + table.rooms * 30 + table.city.str.len() * 20 + table.year * 2
    numbers = make_pipeline(SimpleImputer(strategy="median"), StandardScaler())
    texts = OneHotEncoder(handle_unknown="ignore")
    encode = ColumnTransformer(
        [("texts", texts, ["city", "grade", "heating"]), ("numbers", numbers, ["area", "rooms", "year"])]
    )
    pipeline = Pipeline([("encode", encode), ("model", XGBRegressor(n_estimators=100, max_depth=4))])
    pipeline.fit(table, target)
    paygrade.save(pipeline, root / PIPELINE / "1", name=PIPELINE, sample=table[:1000], target="rent")
    pickled.write_bytes(pickle.dumps(pipeline))
    booster = pipeline[-1].get_booster()
    names = [f"f{number}" for number in range(booster.num_features())]
    features = [{"name": name, "type": "number"} for name in names]
    described = {"name": BARE, "version": 1, "target": "rent", "unit": "", "features": features}
    described |= {"trees": booster.num_boosted_rounds(), "metrics": {}, "training": {}}
    publish(root, booster, described, [dict.fromkeys(names, 1)])
    return root
