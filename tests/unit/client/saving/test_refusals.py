"""What cannot be proved is refused by name, in one line, and nothing is written."""

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import paygrade
import pytest
from sklearn.base import clone
from sklearn.calibration import CalibratedClassifierCV
from sklearn.compose import ColumnTransformer, TransformedTargetRegressor, make_column_transformer
from sklearn.decomposition import PCA
from sklearn.ensemble import VotingRegressor
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LinearRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import (
    FunctionTransformer,
    OneHotEncoder,
    OrdinalEncoder,
    StandardScaler,
)
from xgboost import XGBClassifier, XGBRegressor

from tests.unit.client.saving.pipelines import frame, target

TABLE = frame(5, 300)
SIZE = target(TABLE, 5)
NUMBERS = TABLE[["x", "p", "code"]]
XGB = XGBRegressor(n_estimators=3, n_jobs=1)
CLASSIFIER = XGBClassifier(n_estimators=3, n_jobs=1)


class Doubler(StandardScaler):  # type: ignore[misc] # scikit-learn has no types
    """A class of the author's own."""


def double(values: Any) -> Any:
    return values * 2


def refusal(model: Any, folder: Path, sample: Any = TABLE, **options: Any) -> str:
    """The one line with which `save` refuses."""
    arguments: dict[str, Any] = {"name": "sizes", "target": "size", **options}
    with pytest.raises(paygrade.SaveRefused) as refused:
        paygrade.save(model, folder / "b", sample=sample, **arguments)
    assert list(folder.iterdir()) == []
    message = str(refused.value)
    assert "\n" not in message
    return message


def on_p(part: Any) -> Any:
    return make_pipeline(make_column_transformer((part, ["p"])), clone(XGB)).fit(TABLE, SIZE)


@pytest.mark.parametrize(
    ("part", "words"),
    [
        (FunctionTransformer(lambda values: values), "FunctionTransformer of <lambda> cannot be written"),
        (FunctionTransformer(double), "FunctionTransformer of double cannot be written as data"),
        (FunctionTransformer(np.log, kw_args={"where": True}), "FunctionTransformer of log with where"),
        (Doubler(), "Doubler is not among the steps"),
        (make_pipeline(SimpleImputer(), make_pipeline(PCA(1))), "PCA is not among the steps"),
    ],
)
def test_a_step_that_is_not_on_the_list(part: Any, words: str, tmp_path: Path) -> None:
    assert words in refusal(on_p(part), tmp_path)


def test_a_square_that_may_overflow(tmp_path: Path) -> None:
    columns = make_column_transformer((FunctionTransformer(np.square), ["code"]))
    model = make_pipeline(columns, clone(XGB)).fit(TABLE, SIZE)
    message = refusal(model, tmp_path)
    assert "square of 'code' is calculated with values of type int64; cast the column to float64" in message


def test_a_model_that_is_not_on_the_list(tmp_path: Path) -> None:
    voting = VotingRegressor([("a", clone(XGB)), ("b", clone(XGB))]).fit(NUMBERS, SIZE)
    assert "VotingRegressor is not among the models" in refusal(voting, tmp_path)
    linear = make_pipeline(SimpleImputer(), LinearRegression()).fit(NUMBERS, SIZE)
    assert "LinearRegression is not among the models" in refusal(linear, tmp_path)


@pytest.mark.parametrize("model", [XGB, make_pipeline(StandardScaler(), clone(XGB))])
def test_a_model_that_is_not_fitted(model: Any, tmp_path: Path) -> None:
    assert "is not fitted" in refusal(model, tmp_path)


def test_a_pipeline_fitted_on_arrays(tmp_path: Path) -> None:
    model = make_pipeline(SimpleImputer(), clone(XGB)).fit(NUMBERS.to_numpy(), SIZE)
    assert "was fitted on an array; fit it on a pandas DataFrame" in refusal(model, tmp_path)


def test_a_sparse_matrix_in_a_step_that_needs_a_dense_one(tmp_path: Path) -> None:
    encoder = OneHotEncoder(handle_unknown="ignore")
    columns = ColumnTransformer([("a", encoder, ["city", "grade"])], sparse_threshold=1)
    model = make_pipeline(columns, SimpleImputer(), clone(XGB)).fit(TABLE, SIZE)
    assert "SimpleImputer is given a sparse matrix" in refusal(model, tmp_path)


def test_parts_that_were_fitted_again(tmp_path: Path) -> None:
    model = on_p(StandardScaler())
    model[0].named_transformers_["standardscaler"].fit(TABLE[["x", "p"]])
    assert "the model itself cannot score the sample" in refusal(model, tmp_path)
    encoder = OneHotEncoder(handle_unknown="ignore")
    model = make_pipeline(make_column_transformer((encoder, ["city"])), clone(XGB)).fit(TABLE, SIZE)
    model[0].fit(TABLE[TABLE["city"] == "Bonn"])
    assert "the model itself cannot score the sample" in refusal(model, tmp_path)


def test_several_boosters_behind_a_calibration(tmp_path: Path) -> None:
    labels = SIZE.median() < SIZE
    model = CalibratedClassifierCV(clone(CLASSIFIER), cv=2).fit(NUMBERS, labels)
    assert "holds 2 boosters; fit it with ensemble=False" in refusal(model, tmp_path)


def test_a_calibration_in_float32(tmp_path: Path) -> None:
    model = CalibratedClassifierCV(clone(CLASSIFIER), cv=2, ensemble=False, method="temperature")
    assert "calculated in float32" in refusal(model.fit(NUMBERS, SIZE.median() < SIZE), tmp_path)


def test_several_targets(tmp_path: Path) -> None:
    model = clone(XGB).fit(NUMBERS, np.c_[SIZE, SIZE])
    assert "the model has 2 targets, and target names 1: size; give the list" in refusal(model, tmp_path)
    named = refusal(model, tmp_path, target=["a", "b", "c"])
    assert "the model has 2 targets, and target names 3: a, b, c" in named
    scaled = TransformedTargetRegressor(clone(XGB), transformer=StandardScaler())
    scaled.fit(NUMBERS, np.c_[SIZE, SIZE])
    assert "a transform of several targets" in refusal(scaled, tmp_path, target=["a", "b"])
    classifier = clone(CLASSIFIER).fit(NUMBERS, np.c_[SIZE > 1, SIZE.median() < SIZE].astype(int))
    assert "the classifier has several targets" in refusal(classifier, tmp_path, target=["a", "b"])


@pytest.mark.parametrize("objective", ["binary:hinge", "binary:logitraw", "reg:logistic"])
def test_a_classifier_whose_scores_are_no_probabilities(objective: str, tmp_path: Path) -> None:
    model = XGBClassifier(n_estimators=3, objective=objective).fit(NUMBERS, SIZE.median() < SIZE)
    assert "train it with binary:logistic or multi:softprob" in refusal(model, tmp_path)


def test_a_classifier_that_gives_classes_alone(tmp_path: Path) -> None:
    model = XGBClassifier(n_estimators=3, objective="multi:softmax")
    model.fit(NUMBERS, pd.qcut(SIZE, 3, labels=False))
    assert 'with objective="multi:softprob"' in refusal(model, tmp_path)


def test_a_classifier_of_one_class(tmp_path: Path) -> None:
    model = clone(CLASSIFIER).fit(NUMBERS, np.zeros(len(NUMBERS), dtype=int))
    assert "knows only the class 0" in refusal(model, tmp_path)


def test_infinity_as_a_sign_of_missing_values(tmp_path: Path) -> None:
    model = XGBRegressor(n_estimators=3, missing=np.inf).fit(NUMBERS, SIZE)
    assert "missing=inf; train it with NaN or a finite number" in refusal(model, tmp_path)


@pytest.mark.parametrize("rows", [0, 1])
def test_a_sample_that_proves_nothing(rows: int, tmp_path: Path) -> None:
    message = refusal(on_p(SimpleImputer()), tmp_path, TABLE[:rows])
    assert f"the sample has {rows} rows, which prove nothing" in message


@pytest.mark.parametrize(
    ("sample", "words"),
    [
        (TABLE.to_numpy(), "sample must be a pandas DataFrame, not ndarray"),
        (TABLE.drop(columns="p"), "columns are missing: {'p'}"),
        (TABLE.rename(columns={"x": "p"}), "the sample has two columns named 'p'"),
        (TABLE.rename(columns={"x": 1}), "must have texts as names, not 1"),
        (TABLE.rename(columns={"x": ""}), "must have texts as names, not ''"),
        (TABLE.assign(p=pd.Timestamp("2026-01-01")), "column 'p' is of type datetime64[us]"),
    ],
)
def test_a_sample_of_another_kind(sample: Any, words: str, tmp_path: Path) -> None:
    assert words in refusal(on_p(SimpleImputer()), tmp_path, sample)


def test_scores_that_are_no_numbers(tmp_path: Path) -> None:
    model = TransformedTargetRegressor(clone(XGB), func=np.negative, inverse_func=np.log, check_inverse=False)
    model.fit(NUMBERS, SIZE)
    assert "is no number" in refusal(model, tmp_path)


def test_a_number_that_an_encoder_and_a_scaler_use(tmp_path: Path) -> None:
    columns = make_column_transformer((OrdinalEncoder(), ["code"]), (StandardScaler(), ["code"]))
    model = make_pipeline(columns, clone(XGB)).fit(TABLE, SIZE)
    assert "raises for values that it does not know, and other steps use" in refusal(model, tmp_path)


def test_text_that_reaches_xgboost(tmp_path: Path) -> None:
    table = TABLE.assign(code=TABLE["code"].astype(str).astype(object))
    model = make_pipeline(make_column_transformer(("passthrough", ["code"])), clone(XGB)).fit(table, SIZE)
    assert "column 'code' holds text, and reaches XGBoost" in refusal(model, tmp_path, table)


def test_weights_of_whole_numbers(tmp_path: Path) -> None:
    encoder = OneHotEncoder(handle_unknown="ignore", sparse_output=False, dtype=np.int8)
    columns = ColumnTransformer([("a", encoder, ["city"])], transformer_weights={"a": 2})
    model = make_pipeline(columns, clone(XGB)).fit(TABLE, SIZE)
    assert "give its encoder dtype=float, or leave out transformer_weights" in refusal(model, tmp_path)


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"name": "My Model"}, "name must have 1 to 63 characters"),
        ({"target": None}, "target must be the target's name, or a list of the targets' names, not None"),
        ({"target": ["size", "size"]}, "target names 1"),
        ({"unit": 3}, "unit must be text, not int"),
        ({"version": 0}, "version must be a whole number from 1, not 0"),
        ({"version": "2"}, "version must be a whole number from 1, not '2'"),
        ({"classes": ["a", "b"]}, "classes are named, and the model is no classifier"),
        ({"metrics": {"mae": float("nan")}}, "metrics must be numbers"),
    ],
)
def test_arguments_that_no_bundle_can_hold(options: dict[str, Any], words: str, tmp_path: Path) -> None:
    assert words in refusal(on_p(SimpleImputer()), tmp_path, **options)


def test_classes_that_do_not_fit(tmp_path: Path) -> None:
    model = clone(CLASSIFIER).fit(NUMBERS, SIZE.median() < SIZE)
    assert "the model has 2 classes, and 3 are named" in refusal(model, tmp_path, classes=["a", "b", "c"])


@pytest.mark.parametrize("number", [np.inf, -np.inf, 1e39])
def test_a_number_that_no_caller_can_send_is_refused(tmp_path: Path, number: float) -> None:
    model = clone(XGB).fit(NUMBERS, SIZE)
    sample = NUMBERS.astype({"p": "float64"})
    sample.loc[3, "p"] = number
    assert "leave these rows out of the sample" in refusal(model, tmp_path, sample)


def test_a_column_may_have_any_name(tmp_path: Path) -> None:
    table = TABLE[["x"]].rename(columns={"x": "self"})
    model = make_pipeline(StandardScaler(), clone(XGB)).fit(table, SIZE)
    assert paygrade.save(model, tmp_path / "b", name="sizes", target="size", sample=table).is_dir()


@pytest.mark.filterwarnings("ignore")  # scikit-learn's own
def test_a_scaler_of_a_column_without_values(tmp_path: Path) -> None:
    table = NUMBERS.assign(empty=np.nan)
    model = make_pipeline(StandardScaler(), clone(XGB)).fit(table, SIZE)
    assert "fitted on a column without a single finite value" in refusal(model, tmp_path, table)
