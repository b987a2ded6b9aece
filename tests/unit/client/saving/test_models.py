"""Every kind of model on the list scores as its author saw, out of the files alone."""

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import paygrade
import pytest
import xgboost
from numpy.typing import NDArray
from sklearn.base import clone
from sklearn.calibration import CalibratedClassifierCV
from sklearn.compose import ColumnTransformer, TransformedTargetRegressor
from sklearn.frozen import FrozenEstimator
from sklearn.impute import SimpleImputer
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import (
    FunctionTransformer,
    MaxAbsScaler,
    MinMaxScaler,
    OneHotEncoder,
    PowerTransformer,
    QuantileTransformer,
    RobustScaler,
    StandardScaler,
)
from xgboost import XGBClassifier, XGBRanker, XGBRegressor, XGBRFClassifier, XGBRFRegressor

from tests.unit.client.saving.bundles import SavedBundle, rows_of
from tests.unit.client.saving.pipelines import frame, target

TABLE = frame(3)
SIZE = target(TABLE, 3)
NUMBERS = TABLE[["x", "p", "code", "month"]]
BINARY = pd.qcut(SIZE, 2, labels=False)
CLASSES = pd.qcut(SIZE, 3, labels=False)
FEW: dict[str, Any] = {"n_estimators": 8, "n_jobs": 1}


def saved(model: Any, sample: pd.DataFrame, folder: Path, **options: Any) -> SavedBundle:
    options = {"name": "m", "target": "size", **options}
    return SavedBundle(paygrade.save(model, folder / "b", sample=sample, **options))


def scores(bundle: SavedBundle, sample: pd.DataFrame) -> NDArray[Any]:
    return bundle.score(rows_of(sample, [feature["name"] for feature in bundle.features]))


def assert_same(actual: NDArray[Any], expected: NDArray[Any]) -> None:
    assert actual.dtype == expected.dtype
    assert np.array_equal(actual, expected)


@pytest.mark.parametrize(
    "model",
    [
        XGBRegressor(**FEW),
        XGBRFRegressor(**FEW),
        XGBRegressor(**FEW, base_score=3.5),
        XGBRegressor(**FEW, objective="count:poisson"),
        XGBRegressor(**FEW, booster="dart", rate_drop=0.5),
        XGBRegressor(**FEW, booster="dart", rate_drop=0.5, num_parallel_tree=2, objective="count:poisson"),
        XGBRegressor(**FEW, objective="reg:quantileerror", quantile_alpha=[0.1, 0.9]),
        make_pipeline(StandardScaler(), XGBRegressor(**FEW, missing=0)),
        make_pipeline(SimpleImputer(strategy="constant", fill_value=-1), XGBRegressor(**FEW, missing=-1)),
    ],
)
def test_a_regression(model: Any, tmp_path: Path) -> None:
    model = clone(model).fit(NUMBERS, SIZE)
    assert_same(scores(saved(model, NUMBERS, tmp_path), NUMBERS), model.predict(NUMBERS))


def test_a_linear_booster(tmp_path: Path) -> None:
    full = NUMBERS.fillna(0)
    model = XGBRegressor(**FEW, booster="gblinear").fit(full, SIZE)
    assert_same(scores(saved(model, full, tmp_path), full), model.predict(full))


def test_a_ranker(tmp_path: Path) -> None:
    model = XGBRanker(**FEW).fit(NUMBERS, CLASSES, qid=np.arange(len(NUMBERS)) // 10)
    assert_same(scores(saved(model, NUMBERS, tmp_path), NUMBERS), model.predict(NUMBERS))


@pytest.mark.parametrize(
    "model", [XGBClassifier(**FEW), XGBRFClassifier(**FEW), XGBClassifier(**FEW, booster="dart", rate_drop=1)]
)
def test_two_classes_give_the_probability_of_the_second(model: Any, tmp_path: Path) -> None:
    model = clone(model).fit(NUMBERS, BINARY)
    bundle = saved(model, NUMBERS, tmp_path)
    assert bundle.description["classes"] == ["0", "1"]
    assert_same(scores(bundle, NUMBERS), model.predict_proba(NUMBERS)[:, 1])


def test_three_classes_give_three_probabilities(tmp_path: Path) -> None:
    model = make_pipeline(StandardScaler(), XGBClassifier(**FEW)).fit(NUMBERS, CLASSES)
    bundle = saved(model, NUMBERS, tmp_path, classes=["low", "mid", "high"])
    assert bundle.description["classes"] == ["low", "mid", "high"]
    assert_same(scores(bundle, NUMBERS), model.predict_proba(NUMBERS))


@pytest.mark.parametrize("booster", ["gbtree", "dart"])
def test_the_classes_of_a_booster_may_be_named(booster: str, tmp_path: Path) -> None:
    options = {"objective": "multi:softmax", "num_class": 3, "booster": booster, "nthread": 1}
    model = xgboost.train(options, xgboost.DMatrix(NUMBERS, CLASSES), 8)
    numbers = model.predict(xgboost.DMatrix(NUMBERS))
    model.set_param({"objective": "multi:softprob"})
    bundle = saved(model, NUMBERS, tmp_path, classes=["low", "mid", "high"])
    assert bundle.description["classes"] == ["low", "mid", "high"]
    assert_same(scores(bundle, NUMBERS), model.predict(xgboost.DMatrix(NUMBERS)))
    assert np.array_equal(scores(bundle, NUMBERS).argmax(axis=1), numbers)


@pytest.mark.parametrize("strategy", ["one_output_per_tree", "multi_output_tree"])
def test_several_targets_have_a_name_each(strategy: str, tmp_path: Path) -> None:
    both = np.c_[SIZE, -SIZE * 2]
    model = make_pipeline(StandardScaler(), XGBRegressor(**FEW, multi_strategy=strategy)).fit(NUMBERS, both)
    bundle = saved(model, NUMBERS, tmp_path, target=["size", "loss"])
    assert bundle.description["targets"] == ["size", "loss"]
    assert not bundle.description["explained"]
    assert_same(scores(bundle, NUMBERS), model.predict(NUMBERS))


def test_a_booster_uses_all_its_rounds(tmp_path: Path) -> None:
    rows = xgboost.DMatrix(NUMBERS, SIZE)
    evaluated = [(xgboost.DMatrix(NUMBERS[::2], SIZE[::2].to_numpy()[::-1]), "other")]
    booster = xgboost.train(
        {"eta": 1, "nthread": 1}, rows, 30, evals=evaluated, early_stopping_rounds=3, verbose_eval=False
    )
    bundle = saved(booster, NUMBERS, tmp_path)
    assert bundle.description["trees"] == booster.num_boosted_rounds() > booster.best_iteration + 1
    assert_same(scores(bundle, NUMBERS), booster.predict(xgboost.DMatrix(NUMBERS)))


def test_an_estimator_that_stopped_early_uses_its_best_rounds(tmp_path: Path) -> None:
    model = XGBRegressor(n_estimators=100, learning_rate=1, early_stopping_rounds=3)
    model.fit(NUMBERS, SIZE, eval_set=[(NUMBERS[::2], SIZE[::2].to_numpy()[::-1])], verbose=False)
    bundle = saved(model, NUMBERS, tmp_path)
    assert bundle.description["trees"] == model.best_iteration + 1 < model.get_booster().num_boosted_rounds()
    assert_same(scores(bundle, NUMBERS), model.predict(NUMBERS))


def test_a_search_is_its_best_estimator(tmp_path: Path) -> None:
    columns = ColumnTransformer([("city", OneHotEncoder(handle_unknown="ignore"), ["city"])])
    pipeline = Pipeline([("columns", columns), ("model", XGBRegressor(**FEW))])
    search = GridSearchCV(pipeline, {"model__max_depth": [2, 3]}, cv=2).fit(TABLE, SIZE)
    assert_same(scores(saved(search, TABLE, tmp_path), TABLE), search.predict(TABLE))


def test_a_pipeline_may_begin_with_a_part_that_passes_through(tmp_path: Path) -> None:
    model = Pipeline([("scale", "passthrough"), ("model", XGBRegressor(**FEW))]).fit(NUMBERS, SIZE)
    assert_same(scores(saved(model, NUMBERS, tmp_path), NUMBERS), model.predict(NUMBERS))


def test_categories_of_pandas_go_straight_to_xgboost(tmp_path: Path) -> None:
    table = TABLE[["city", "month", "x"]].astype({"city": "category", "month": "category"})
    model = XGBRegressor(**FEW, enable_categorical=True).fit(table, SIZE)
    bundle = saved(model, table, tmp_path)
    assert [feature["type"] for feature in bundle.features] == ["category", "category", "number"]
    assert bundle.features[1]["categories"] == [str(month) for month in range(1, 13)]
    assert_same(scores(bundle, table), model.predict(table))


@pytest.mark.parametrize(
    "transformer",
    [
        FunctionTransformer(np.log, np.exp),
        FunctionTransformer(np.sqrt, np.square),
        MaxAbsScaler(),
        MinMaxScaler((2, 5)),
        PowerTransformer(),
        PowerTransformer("box-cox", standardize=False),
        QuantileTransformer(n_quantiles=50),
        QuantileTransformer(n_quantiles=50, output_distribution="normal"),
        RobustScaler(),
        StandardScaler(),
        make_pipeline(FunctionTransformer(np.log1p, np.expm1), StandardScaler()),
    ],
    ids=lambda one: type(one).__name__,
)
def test_a_transformed_target_is_converted_back(transformer: Any, tmp_path: Path) -> None:
    model = TransformedTargetRegressor(XGBRegressor(**FEW), transformer=transformer, check_inverse=False)
    model.fit(NUMBERS, SIZE)
    assert_same(scores(saved(model, NUMBERS, tmp_path), NUMBERS), model.predict(NUMBERS))


@pytest.mark.parametrize("method", ["sigmoid", "isotonic"])
@pytest.mark.parametrize("labels", [BINARY, CLASSES], ids=["two", "three"])
def test_a_calibration_keeps_its_precision(method: str, labels: Any, tmp_path: Path) -> None:
    pipeline = make_pipeline(StandardScaler(), XGBClassifier(**FEW))
    model = CalibratedClassifierCV(pipeline, method=method, cv=2, ensemble=False).fit(NUMBERS, labels)
    bundle = saved(model, NUMBERS, tmp_path)
    assert bundle.description["scores"] == "float64"
    assert bundle.after.exact == (method == "isotonic")
    expected = model.predict_proba(NUMBERS)
    assert_same(scores(bundle, NUMBERS), expected[:, 1] if labels is BINARY else expected)


def test_a_frozen_classifier_is_calibrated(tmp_path: Path) -> None:
    frozen = FrozenEstimator(XGBClassifier(**FEW).fit(NUMBERS, BINARY))
    model = CalibratedClassifierCV(frozen, method="isotonic").fit(NUMBERS, BINARY)
    assert_same(scores(saved(model, NUMBERS, tmp_path), NUMBERS), model.predict_proba(NUMBERS)[:, 1])


@pytest.mark.parametrize("threshold", [0, 1])
def test_zeros_that_a_sparse_matrix_does_not_store_are_missing(threshold: float, tmp_path: Path) -> None:
    encoder = OneHotEncoder(handle_unknown="ignore")
    columns = ColumnTransformer(
        [("city", encoder, ["city", "grade"])], remainder="passthrough", sparse_threshold=threshold
    )
    table = TABLE.assign(x=TABLE["x"].round())
    model = Pipeline([("columns", columns), ("model", XGBRegressor(n_estimators=50))]).fit(table, SIZE)
    bundle = saved(model, table, tmp_path)
    assert bundle.steps
    encoded = bundle.steps.transform(np.zeros((1, len(bundle.features))))
    assert np.isnan(encoded).any() == (threshold == 1)
    assert_same(scores(bundle, table), model.predict(table))
