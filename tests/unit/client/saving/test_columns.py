"""A bundle says of each column what callers may send, as the pipeline has it."""

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import paygrade
import pytest
from sklearn.base import clone
from sklearn.compose import ColumnTransformer, make_column_selector, make_column_transformer
from sklearn.impute import MissingIndicator, SimpleImputer
from sklearn.pipeline import FeatureUnion, make_pipeline
from sklearn.preprocessing import (
    MinMaxScaler,
    OneHotEncoder,
    OrdinalEncoder,
    PolynomialFeatures,
    StandardScaler,
)
from xgboost import XGBRegressor

from tests.unit.client.saving.bundles import SavedBundle, rows_of
from tests.unit.client.saving.pipelines import frame, target

TABLE = frame(7, 500)
SIZE = target(TABLE, 7)
XGB = XGBRegressor(n_estimators=5, n_jobs=1)


def saved(columns: Any, folder: Path, table: pd.DataFrame = TABLE) -> tuple[SavedBundle, dict[str, Any]]:
    """The bundle of a pipeline, which scores the table as the pipeline does, and its features by name."""
    model = make_pipeline(columns, clone(XGB)).fit(table, SIZE[table.index])
    bundle = SavedBundle(paygrade.save(model, folder / "b", name="m", sample=table, target="size"))
    features = {feature["name"]: feature for feature in bundle.features}
    scores = bundle.score(rows_of(table, list(features)))
    assert np.array_equal(scores, model.predict(table))
    return bundle, features


def test_a_text_that_the_encoder_does_not_know_is_its_business(tmp_path: Path) -> None:
    ignore = OneHotEncoder(handle_unknown="ignore")
    _, features = saved(make_column_transformer((ignore, ["city"])), tmp_path)
    assert features["city"]["unseen"] == "unknown"
    assert features["city"]["nullable"]


def test_a_text_that_the_encoder_refuses_is_a_fault(tmp_path: Path) -> None:
    full = TABLE.dropna()
    _, features = saved(make_column_transformer((OneHotEncoder(), ["city"])), tmp_path, full)
    assert "unseen" not in features["city"]
    assert "nullable" not in features["city"]


def test_a_number_that_the_encoder_refuses_becomes_a_category(tmp_path: Path) -> None:
    _, features = saved(make_column_transformer((OrdinalEncoder(), ["month"])), tmp_path)
    assert features["month"]["type"] == "category"
    assert features["month"]["categories"] == [str(month) for month in range(1, 13)]


def test_a_number_is_one_if_the_encoder_takes_any(tmp_path: Path) -> None:
    ignore = OneHotEncoder(handle_unknown="ignore")
    columns = make_column_transformer((ignore, ["month"]), (StandardScaler(), ["month"]))
    _, features = saved(columns, tmp_path)
    assert features["month"]["type"] == "number"
    assert features["month"]["observed"] == {"minimum": 1, "maximum": 12}


def test_a_truth_value_may_be_encoded(tmp_path: Path) -> None:
    _, features = saved(make_column_transformer((OneHotEncoder(drop="if_binary"), ["flag"])), tmp_path)
    assert features["flag"] == {"name": "flag", "type": "boolean", "dtype": "bool"}


def test_a_number_that_a_product_needs_is_not_nullable(tmp_path: Path) -> None:
    _, features = saved(make_column_transformer((PolynomialFeatures(2), ["code", "month"])), tmp_path)
    assert not any("nullable" in feature for feature in features.values())


def test_a_small_integer_keeps_its_limits(tmp_path: Path) -> None:
    table = TABLE.astype({"month": "int8"})
    _, features = saved(make_column_transformer((StandardScaler(), ["month", "z"])), tmp_path, table)
    assert features["month"] == {
        "name": "month",
        "type": "integer",
        "minimum": -128,
        "maximum": 127,
        "observed": {"minimum": 1, "maximum": 12},
        "dtype": "int8",
    }


def test_a_small_integer_that_an_encoder_knows_is_a_category(tmp_path: Path) -> None:
    _, features = saved(make_column_transformer((OneHotEncoder(), ["m"])), tmp_path, small_months())
    assert features["m"]["type"] == "category"
    assert "minimum" not in features["m"]


def small_months() -> pd.DataFrame:
    return TABLE[["month"]].astype("int8").rename(columns={"month": "m"})


@pytest.mark.parametrize("kind", ["uint32", "uint64"])
def test_an_integer_may_have_no_sign(kind: str, tmp_path: Path) -> None:
    table = TABLE.astype({"month": kind})
    _, features = saved(make_column_transformer((StandardScaler(), ["month", "z"])), tmp_path, table)
    assert features["month"]["dtype"] == kind


@pytest.mark.parametrize(
    ("name", "kind", "type_"),
    [("month", "Int64", "number"), ("x", "Float64", "number"), ("flag", "boolean", "boolean")],
)
@pytest.mark.parametrize("gaps", [False, True])
def test_types_of_pandas_own_are_read_as_those_of_numpy(
    name: str, kind: str, type_: str, gaps: bool, tmp_path: Path
) -> None:
    column = TABLE[name].fillna(0).astype(kind)
    column[:: 7 if gaps else len(column) + 1] = pd.NA
    columns = make_column_transformer((SimpleImputer(strategy="most_frequent"), [name]))
    table = TABLE.assign(**{name: column})
    _, features = saved(columns, tmp_path, table)
    assert features[name]["type"] == type_
    assert features[name].get("nullable", False) or not gaps


def test_a_text_of_which_only_the_absence_counts(tmp_path: Path) -> None:
    columns = make_column_transformer((MissingIndicator(features="all"), ["city"]))
    _, features = saved(columns, tmp_path)
    assert features["city"]["unseen"] == "unknown"
    assert len(features["city"]["categories"]) == 1


@pytest.mark.parametrize("threshold", [0, 1])
def test_weights_multiply_the_columns_of_a_part(threshold: float, tmp_path: Path) -> None:
    columns = ColumnTransformer(
        [
            ("texts", OneHotEncoder(handle_unknown="ignore"), ["city"]),
            ("single", StandardScaler(), ["z"]),
            ("union", FeatureUnion([("as is", "passthrough")], transformer_weights={"as is": 0.1}), ["x"]),
        ],
        transformer_weights={"texts": 0.3, "single": np.float64(1) / 3},
        sparse_threshold=threshold,
    )
    saved(columns, tmp_path)


def test_columns_that_the_pipeline_drops_are_no_features(tmp_path: Path) -> None:
    table = TABLE.assign(when=pd.Timestamp("2026-01-01"), note=[object() for _ in TABLE.index])
    _, features = saved(make_column_transformer((SimpleImputer(), ["x"])), tmp_path, table)
    assert list(features) == ["x"]


@pytest.mark.parametrize("missing", [None, np.nan])
def test_none_and_nan_are_what_the_encoder_saw(missing: Any, tmp_path: Path) -> None:
    city = TABLE["city"].astype(object).where(TABLE["city"].notna(), missing)
    ignore = OneHotEncoder(handle_unknown="ignore")
    bundle, _ = saved(make_column_transformer((ignore, ["city"])), tmp_path, TABLE.assign(city=city))
    assert bundle.steps
    assert "city=missing" in bundle.steps.names


def test_none_and_nan_in_one_column_are_refused(tmp_path: Path) -> None:
    city = TABLE["city"].astype(object).where(TABLE["city"].notna(), None)
    city[:5] = np.nan
    with pytest.raises(paygrade.SaveRefused, match="marks missing values in two ways"):
        saved(make_column_transformer((OneHotEncoder(), ["city"])), tmp_path, TABLE.assign(city=city))


def test_an_empty_text_is_no_missing_value(tmp_path: Path) -> None:
    table = TABLE.fillna({"city": ""})
    ignore = OneHotEncoder(handle_unknown="ignore")
    _, features = saved(make_column_transformer((ignore, ["city"])), tmp_path, table)
    assert "" in features["city"]["categories"]
    assert "nullable" not in features["city"]  # an empty field of a CSV file is refused


def test_empty_texts_beside_missing_values_are_refused(tmp_path: Path) -> None:
    table = TABLE.replace({"city": {"Bonn": ""}})
    with pytest.raises(paygrade.SaveRefused, match="which no CSV file tells apart"):
        saved(make_column_transformer((OneHotEncoder(), ["city"])), tmp_path, table)


def test_numbers_and_truth_values_may_be_objects(tmp_path: Path) -> None:
    table = TABLE.astype({"x": object, "code": object, "flag": object})
    columns = make_column_transformer(
        (SimpleImputer(), ["x"]),
        (OneHotEncoder(handle_unknown="ignore"), ["code"]),
        (OrdinalEncoder(), ["flag"]),
    )
    _, features = saved(columns, tmp_path, table)
    assert [features[name]["type"] for name in ("x", "code", "flag")] == ["number", "number", "boolean"]


def test_text_may_be_filled_in_and_a_sign_may_mean_missing(tmp_path: Path) -> None:
    table = TABLE.fillna({"city": "?"})
    sign = SimpleImputer(missing_values="?", strategy="most_frequent")
    fill = SimpleImputer(strategy="constant", fill_value="none")
    columns = make_column_transformer(
        (make_pipeline(sign, OneHotEncoder(handle_unknown="ignore")), ["city"]),
        (make_pipeline(fill, OneHotEncoder(handle_unknown="ignore")), ["grade"]),
    )
    _, features = saved(columns, tmp_path, table)
    assert "?" in features["city"]["categories"]
    assert features["grade"]["categories"] == ["high", "low", "mid", "none"]


def test_columns_by_position_by_selector_and_twice(tmp_path: Path) -> None:
    columns = ColumnTransformer(
        [
            ("positions", StandardScaler(), [5, 6]),
            ("slice", OneHotEncoder(handle_unknown="ignore"), slice(0, 2)),
            ("selector", MinMaxScaler(clip=True), make_column_selector(dtype_include=np.float32)),
            ("function", "passthrough", lambda table: ["code", "x"]),
            ("indicator", MissingIndicator(features="all"), ["x", "z"]),
        ]
    )
    bundle, features = saved(columns, tmp_path)
    assert sorted(features) == ["city", "code", "grade", "p", "x", "z"]
    assert bundle.steps
    assert len(set(bundle.steps.names)) == len(bundle.steps.names)


def test_a_union_may_pass_through(tmp_path: Path) -> None:
    numbers = TABLE[["x", "p"]]
    _, features = saved(
        FeatureUnion([("as is", "passthrough"), ("full", SimpleImputer())]), tmp_path, numbers
    )
    assert list(features) == ["x", "p"]


def test_frames_between_parts_are_as_good_as_arrays(tmp_path: Path) -> None:
    encoder = OneHotEncoder(handle_unknown="ignore", sparse_output=False)
    columns = ColumnTransformer([("city", encoder, ["city"])], remainder="passthrough")
    bundle, _ = saved(columns.set_output(transform="pandas"), tmp_path, TABLE.drop(columns="grade"))
    assert bundle.steps
    assert bundle.steps.names[0] == "city__city_ "


def test_categories_in_another_order_than_in_training_are_refused(tmp_path: Path) -> None:
    trained = TABLE[["city", "x"]].dropna().astype({"city": "category"})
    model = XGBRegressor(n_estimators=20, enable_categorical=True).fit(trained, SIZE[trained.index])
    known = list(trained["city"].cat.categories)
    reordered = pd.CategoricalDtype([known[-1], *known[:-1]])
    few = trained[trained["city"].isin(known[1:3])].astype({"city": object}).astype({"city": reordered})
    with pytest.raises(paygrade.SaveRefused, match="would score otherwise"):
        paygrade.save(model, tmp_path / "b", name="m", sample=few, target="size")


def test_a_part_may_make_no_columns(tmp_path: Path) -> None:
    crossed = make_pipeline(
        SimpleImputer(), PolynomialFeatures((2, 2), interaction_only=True, include_bias=False)
    )
    columns = make_column_transformer((crossed, ["x"]), (StandardScaler(), ["p"]))
    bundle, _ = saved(columns, tmp_path)
    assert bundle.steps
    assert bundle.steps.names == ("p",)
