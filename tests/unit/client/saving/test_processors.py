"""A bundle has the same scores on every processor, or is refused."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import paygrade
import pytest
from numpy.typing import NDArray
from sklearn.base import BaseEstimator
from sklearn.compose import ColumnTransformer, TransformedTargetRegressor
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import (
    Binarizer,
    FunctionTransformer,
    KBinsDiscretizer,
    OneHotEncoder,
    OrdinalEncoder,
    PowerTransformer,
    QuantileTransformer,
    RobustScaler,
    StandardScaler,
    TargetEncoder,
)
from xgboost import XGBRegressor

from tests.unit.client.saving.bundles import SavedBundle, rows_of

OTHER = {"NPY_DISABLE_CPU_FEATURES": "X86_V3 X86_V4 AVX512_ICL"}
ROWS = 20_000


@pytest.fixture(scope="module")
def towns() -> pd.DataFrame:
    random = np.random.default_rng(9)
    return pd.DataFrame({"pop": random.integers(100, 1_000_000, ROWS).astype(np.float64)})


def fit(part: Any, towns: pd.DataFrame, trees: int = 3) -> Pipeline:
    size = np.log(towns["pop"]) * 10 + np.random.default_rng(1).normal(size=len(towns))
    columns = ColumnTransformer([("part", part, ["pop"])], sparse_threshold=0)
    model = XGBRegressor(n_estimators=trees, n_jobs=1)
    return Pipeline([("columns", columns), ("model", model)]).fit(towns, size)


def scores_elsewhere(bundle: Path, rows: list[dict[str, Any]]) -> NDArray[Any]:
    """Scores of a process whose NumPy knows no AVX2 and no AVX-512."""
    folder = bundle.parent
    (folder / "rows.json").write_text(json.dumps(rows))
    script = [sys.executable, "-m", "tests.unit.client.saving.score_on_another_processor", str(folder)]
    environment = {**os.environ, **OTHER, "PYTHONPATH": os.pathsep.join(sys.path)}
    subprocess.run(script, env=environment, check=True, capture_output=True)
    scores: NDArray[Any] = np.load(folder / "scores.npy")
    return scores


@pytest.mark.process
@pytest.mark.parametrize(
    "part",
    [
        FunctionTransformer(np.log1p),
        PowerTransformer(),
        Pipeline([("log", FunctionTransformer(np.log)), ("scale", StandardScaler())]),
        Pipeline([("log", FunctionTransformer(np.log)), ("scale", RobustScaler(with_centering=False))]),
        QuantileTransformer(output_distribution="normal"),
    ],
    ids=["log1p", "power", "log and scale", "log and robust scale", "normal quantiles"],
)
def test_a_logarithm_of_float64_scores_the_same_elsewhere(
    part: Any, towns: pd.DataFrame, tmp_path: Path
) -> None:
    model = fit(part, towns, trees=50)
    bundle = paygrade.save(model, tmp_path / "bundle", name="towns", sample=towns, target="size")
    assert np.array_equal(scores_elsewhere(bundle, rows_of(towns, ["pop"])), model.predict(towns))


@pytest.mark.process
def test_a_logarithm_of_the_target_scores_nearly_the_same_elsewhere(
    towns: pd.DataFrame, tmp_path: Path
) -> None:
    inner = XGBRegressor(n_estimators=50, n_jobs=1)
    model = TransformedTargetRegressor(inner, func=np.log1p, inverse_func=np.expm1).fit(towns, towns["pop"])
    bundle = paygrade.save(model, tmp_path / "bundle", name="towns", sample=towns, target="size")
    here, elsewhere = model.predict(towns), scores_elsewhere(bundle, rows_of(towns, ["pop"]))
    assert not SavedBundle(bundle).after.exact
    assert np.abs(here.view(np.int32) - elsewhere.view(np.int32)).max() <= 4


@pytest.mark.parametrize("function", [np.log, np.log1p, np.exp, np.expm1, np.log2])
def test_a_logarithm_of_float32_is_refused(function: np.ufunc, towns: pd.DataFrame, tmp_path: Path) -> None:
    small = (towns / 1e5).astype(np.float32)
    with pytest.raises(paygrade.SaveRefused, match="cast the column to float64 first"):
        paygrade.save(
            fit(FunctionTransformer(function), small), tmp_path / "b", name="t", sample=small, target="size"
        )
    assert list(tmp_path.iterdir()) == []


def test_a_power_of_float32_is_refused(towns: pd.DataFrame, tmp_path: Path) -> None:
    small = towns.astype(np.float32)
    with pytest.raises(paygrade.SaveRefused, match="cast the column to float64 first"):
        paygrade.save(fit(PowerTransformer(), small), tmp_path / "b", name="t", sample=small, target="size")


@pytest.mark.parametrize(
    "comparing",
    [
        Binarizer(threshold=7.0),
        KBinsDiscretizer(5, encode="ordinal", quantile_method="averaged_inverted_cdf"),
        OneHotEncoder(max_categories=50, handle_unknown="infrequent_if_exist"),
        OrdinalEncoder(handle_unknown="use_encoded_value", unknown_value=-1),
        QuantileTransformer(n_quantiles=50),
        RobustScaler(),
        TargetEncoder(),
    ],
    ids=lambda one: type(one).__name__,
)
@pytest.mark.parametrize(
    "bent",
    [
        FunctionTransformer(np.log1p),
        PowerTransformer(),
        QuantileTransformer(n_quantiles=50, output_distribution="normal"),
    ],
    ids=["log1p", "power", "normal quantiles"],
)
def test_a_comparison_after_a_logarithm_is_refused(
    bent: BaseEstimator, comparing: BaseEstimator, towns: pd.DataFrame, tmp_path: Path
) -> None:
    part = Pipeline([("bent", bent), ("scale", StandardScaler()), ("comparing", comparing)])
    few = towns[:500]
    with pytest.raises(paygrade.SaveRefused, match="differ between processors"):
        paygrade.save(fit(part, few), tmp_path / "b", name="t", sample=few, target="size")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("missing", [False, True], ids=["whole", "with missing values"])
def test_centering_by_a_mean_that_is_a_value_is_refused(missing: bool, tmp_path: Path) -> None:
    grid = pd.DataFrame({"pop": np.tile([1.0, 10.0, 100.0], 100)})
    if missing:
        grid.loc[::50, "pop"] = np.nan
        grid.loc[1::50, "pop"] = np.nan
        grid.loc[2::50, "pop"] = np.nan
    part = Pipeline([("log", FunctionTransformer(np.log)), ("scale", StandardScaler())])
    size = np.random.default_rng(3).normal(size=len(grid))
    model = make_pipeline(part, XGBRegressor(n_estimators=3)).fit(grid, size)
    with pytest.raises(paygrade.SaveRefused, match=r"StandardScaler.* differ between processors"):
        paygrade.save(model, tmp_path / "b", name="t", sample=grid, target="size")
