"""An imported booster gives the scores of its author; the command asks for what it does not know."""

import json
import pickle
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import joblib
import numpy as np
import pandas as pd
import pytest
import xgboost
from sklearn.datasets import load_diabetes, load_wine
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from model.bundle import Bundle
from model.description.manifest import Manifest
from tests.unit.model.command import made, refusal, run, write_csv

SAVED = Path(__file__).parent / "saved"
DIABETES, WINE = load_diabetes(as_frame=True), load_wine()


def scores(manifest: Manifest, rows: list[dict[str, Any]]) -> Any:
    return Bundle.load(manifest).predict(manifest.schema.check_rows(rows))


def records(table: pd.DataFrame) -> list[dict[str, Any]]:
    return json.loads(table.to_json(orient="records", double_precision=15))  # type: ignore[no-any-return]


@pytest.fixture
def import_model(tmp_path: Path) -> Callable[..., Manifest]:
    """Save a model as its author would, and import it."""

    def import_saved(model: Any, *arguments: str | Path, ending: str = "ubj") -> Manifest:
        model.save_model(tmp_path / f"model.{ending}")
        where = ("--output", tmp_path / "out")
        return made("import", tmp_path / f"model.{ending}", "--target", "y", *where, *arguments)

    return import_saved


Import = Callable[..., Manifest]


@pytest.mark.parametrize("ending", ["ubj", "json"])
def test_an_early_stopped_model_is_served_with_its_best_iteration(import_model: Import, ending: str) -> None:
    learn, stop = DIABETES.data[:300], DIABETES.data[300:]
    wrapper = xgboost.XGBRegressor(n_estimators=200, early_stopping_rounds=5, n_jobs=1)
    wrapper.fit(learn, DIABETES.target[:300], eval_set=[(stop, DIABETES.target[300:])], verbose=False)
    manifest = import_model(wrapper, ending=ending)
    found = scores(manifest, records(DIABETES.data))
    assert manifest.trees == wrapper.best_iteration + 1 < wrapper.get_booster().num_boosted_rounds()
    assert np.array_equal(found, wrapper.predict(DIABETES.data))
    rounds = wrapper.get_booster().num_boosted_rounds()
    assert f", {manifest.trees} of {rounds} rounds of trees, " in run("show", manifest.directory).out
    native = wrapper.get_booster().predict(xgboost.DMatrix(DIABETES.data))
    assert not np.array_equal(found, native)  # the native call uses all rounds


def test_the_number_of_rounds_can_be_chosen(import_model: Import) -> None:
    wrapper = xgboost.XGBRegressor(n_estimators=20, n_jobs=1).fit(DIABETES.data, DIABETES.target)
    expected = wrapper.predict(DIABETES.data, iteration_range=(0, 4))
    assert np.array_equal(scores(import_model(wrapper, "--trees", "4"), records(DIABETES.data)), expected)


def test_categories_that_the_booster_knows_need_not_be_given(import_model: Import) -> None:
    table = pd.DataFrame(
        {
            "heating": pd.Categorical(["oil", "gas", "wood", None] * 30, categories=["wood", "gas", "oil"]),
            "rooms": np.arange(120) % 6,
            "lift": np.arange(120) % 2 == 0,
        }
    )
    wrapper = xgboost.XGBRegressor(n_estimators=20, n_jobs=1, enable_categorical=True)
    wrapper.fit(table, np.arange(120) % 24)
    manifest = import_model(wrapper)
    assert [(one.type, one.categories) for one in manifest.schema.features] == [
        ("category", ("wood", "gas", "oil")),
        ("number", ()),  # an integer restricts only where the owner says so
        ("boolean", ()),
    ]
    assert np.array_equal(scores(manifest, records(table)), wrapper.predict(table))


def test_a_sample_is_read_as_rows_are_that_are_scored(import_model: Import, tmp_path: Path) -> None:
    table = pd.DataFrame({"size": [1.5, 2, np.nan] * 20, "lift": [True, False, True] * 20})
    wrapper = xgboost.XGBRegressor(n_estimators=5, n_jobs=1).fit(table, np.arange(60))
    table.to_csv(tmp_path / "sample.csv", na_rep="NA")
    manifest = import_model(wrapper, "--sample", tmp_path / "sample.csv", "--missing", "NA")
    assert manifest.missing_texts == ["NA"]
    assert manifest.golden.rows[0] == [1.5, True]
    rows: list[dict[str, object]] = [{"size": "NA", "lift": "TRUE"}, {"lift": 1}]
    assert len(set(scores(manifest, rows).tolist())) == 1
    table.drop(columns="size").to_parquet(tmp_path / "sample.parquet")
    assert import_model(wrapper, "--sample", tmp_path / "sample.parquet").golden.rows[0] == [None, True]


def test_categories_named_by_numbers_are_texts_in_rows_and_numbers_in_a_sample(
    import_model: Import, tmp_path: Path
) -> None:
    floors = pd.Series([1, 2, 3] * 20, dtype="category")
    table = pd.DataFrame({"floor": floors, "size": range(60)})
    wrapper = xgboost.XGBRegressor(n_estimators=5, enable_categorical=True, n_jobs=1)
    wrapper.fit(table, np.arange(60))
    table.to_parquet(tmp_path / "sample.parquet")
    manifest = import_model(wrapper, "--sample", tmp_path / "sample.parquet")
    assert manifest.schema.features[0].categories == ("1", "2", "3")
    rows = [{**row, "floor": str(row["floor"])} for row in records(table)]
    assert np.array_equal(scores(manifest, rows), wrapper.predict(table))


def test_the_command_asks_for_unknown_categories(import_model: Import, tmp_path: Path) -> None:
    coded = np.column_stack([np.arange(90) % 3, np.arange(90)]).astype(np.float32)
    matrix = xgboost.DMatrix(
        coded,
        label=coded[:, 0] * 9 + coded[:, 1],
        feature_names=["heating", "size"],
        feature_types=["c", "float"],
        enable_categorical=True,
        nthread=1,
    )
    booster = xgboost.train({"nthread": 1}, matrix, 9)
    booster.save_model(tmp_path / "m.ubj")
    error = refusal("import", tmp_path / "m.ubj", "--target", "y", "--output", tmp_path)
    assert (
        "does not know the names of the categories of 'heating'; give them in the model's order: --schema"
        in error
    )
    schema = tmp_path / "schema.json"
    schema.write_text('[{"name": "heating", "categories": ["oil", "gas", "wood"]}]')
    manifest = import_model(booster, "--schema", schema)
    rows = [{"heating": ["oil", "gas", "wood"][int(kind)], "size": float(size)} for kind, size in coded]
    assert np.array_equal(scores(manifest, rows), booster.predict(matrix))


def test_the_command_asks_for_unknown_names(import_model: Import, tmp_path: Path) -> None:
    model = xgboost.XGBClassifier(n_estimators=9, n_jobs=1).fit(WINE.data, WINE.target)
    model.save_model(tmp_path / "m.json")
    error = refusal("import", tmp_path / "m.json", "--target", "y", "--output", tmp_path)
    assert "the model has 13 features and does not know their names" in error
    assert "--schema FILE" in error
    (tmp_path / "names.json").write_text(json.dumps(WINE.feature_names))
    manifest = import_model(model, "--schema", tmp_path / "names.json", "--classes", "a,b,c")
    assert manifest.schema.names == tuple(WINE.feature_names)
    rows = [dict(zip(WINE.feature_names, row, strict=True)) for row in WINE.data.tolist()]
    assert np.array_equal(scores(manifest, rows), model.predict_proba(WINE.data))
    assert manifest.classes == ["a", "b", "c"]


def test_a_sample_gives_names_golden_rows_and_observed_ranges(import_model: Import, tmp_path: Path) -> None:
    model = xgboost.XGBRegressor(n_estimators=9, n_jobs=1).fit(WINE.data, WINE.target)
    rows = [[*row, kind] for row, kind in zip(WINE.data.tolist(), WINE.target.tolist(), strict=True)]
    sample = write_csv(tmp_path / "sample.csv", [*WINE.feature_names, "y"], rows)
    manifest = import_model(model, "--sample", sample)
    alcohol = manifest.schema.features[0]
    assert alcohol.observed == {"minimum": WINE.data[:, 0].min(), "maximum": WINE.data[:, 0].max()}
    assert manifest.golden.rows[0] == WINE.data[0].tolist()
    assert manifest.training["sample"] == "sample.csv"


def test_golden_rows_without_a_sample_lie_on_both_sides_of_the_splits(import_model: Import) -> None:
    model = xgboost.XGBRegressor(n_estimators=20, n_jobs=1).fit(DIABETES.data, DIABETES.target)
    assert len(set(import_model(model).golden.predictions)) == 12


@pytest.mark.parametrize(
    ("file", "expected"),
    [
        ("xgboost-1.5.json", [5.145574, 27.36551, 65.31784]),
        ("xgboost-1.7.ubj", [5.145574, 27.36551, 65.31784]),
        ("xgboost-2.1.json", [10.332976, 31.667997, 71.7408]),
        ("xgboost-3.0.ubj", [10.332976, 31.667997, 71.7408]),
    ],
)
def test_models_of_older_versions_give_their_original_scores(
    tmp_path: Path, file: str, expected: list[float]
) -> None:
    manifest = made("import", SAVED / file, "--name", "m", "--target", "y", "--output", tmp_path)
    rows = [{"years": years, "weekday": years % 7} for years in (0, 13, 39)]
    assert [float(str(one)) for one in scores(manifest, rows)] == expected
    assert manifest.trees == 4
    assert manifest.xgboost.startswith(file[8:11])


COMPLETE = (SAVED / "xgboost-2.1.json").read_bytes()


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (
            b"",
            "is not a complete XGBoost model: it does not begin with {; save the model with booster",
        ),
        (COMPLETE[:-200], "is not a complete XGBoost model"),
        (COMPLETE[:2000] + b"}", "is not a complete XGBoost model"),
        (
            COMPLETE.replace(b'"version":[2,1,4]', b'"version":[9,0,0]'),
            "was saved by XGBoost 9.0",
        ),
        (COMPLETE.replace(b"reg:squarederror", b"reg:expectile"), "is not a complete XGBoost model"),
    ],
)
def test_a_file_that_is_not_an_xgboost_model_is_refused_with_advice(
    tmp_path: Path, content: bytes, message: str
) -> None:
    (tmp_path / "model.ubj").write_bytes(content)
    error = refusal("import", tmp_path / "model.ubj", "--target", "y", "--output", tmp_path / "out")
    assert message in error
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("compress", [0, 3, ("gzip", 3), ("bz2", 3), ("xz", 3)])
def test_a_pickled_pipeline_is_named_with_the_way_that_works(tmp_path: Path, compress: Any) -> None:
    model = make_pipeline(StandardScaler(), xgboost.XGBRegressor(n_estimators=2, n_jobs=1))
    joblib.dump(model.fit(DIABETES.data, DIABETES.target), tmp_path / "m.joblib", compress=compress)
    error = refusal("import", tmp_path / "m.joblib", "--target", "y", "--output", tmp_path / "out")
    assert "m.joblib: is a pickled scikit-learn model, and reading a pickle can run code;" in error
    assert error.endswith('load it and run paygrade.save(pipeline, "bundle/", name=…, sample=…)')


def test_a_pickled_model_of_xgboost_is_told_from_others(tmp_path: Path) -> None:
    model = xgboost.XGBRegressor(n_estimators=2, n_jobs=1).fit(DIABETES.data, DIABETES.target)
    (tmp_path / "m.pkl").write_bytes(pickle.dumps(model))
    error = refusal("import", tmp_path / "m.pkl", "--target", "y", "--output", tmp_path / "out")
    assert "is a pickled XGBoost model" in error
    assert "save the model with booster.save_model" in error


@pytest.mark.parametrize(
    "start",
    [
        b"\x80\x04\x95\xf0\x8c\x10lightgbm.sklearn\x94\x8c\rLGBMRegressor",
        b"\x80\x04\x95\xf0\x8c\x10sklearn.pipeline\x94\x8c\x08Pipeline\x8c\x10lightgbm.sklearn",
    ],
)
def test_a_pickled_model_of_lightgbm_is_named(tmp_path: Path, start: bytes) -> None:
    (tmp_path / "m.joblib").write_bytes(zlib.compress(start))
    error = refusal("import", tmp_path / "m.joblib", "--target", "y", "--output", tmp_path / "out")
    assert error.endswith(
        "is a pickled LightGBM model, and only XGBoost models are supported; train it again with xgboost"
    )


@pytest.mark.parametrize("name", ["Bc-2", "-a", "a b", "x" * 64])
def test_an_invalid_name_is_refused_before_anything_is_read(tmp_path: Path, name: str) -> None:
    error = refusal("import", SAVED / "xgboost-3.0.ubj", f"--name={name}", "--output", tmp_path / "out")
    assert f"--name {name!r}: a name has 1 to 63 characters of a-z, 0-9, _ and -" in error
    assert "/tmp" not in error  # noqa: S108 (none is named)


def test_a_name_that_would_do_is_proposed() -> None:
    error = refusal("import", SAVED / "xgboost-3.0.ubj", "--name", "Bc-2")
    assert error.endswith("; --name bc-2 would do")


def test_a_model_without_trees_is_refused(tmp_path: Path) -> None:
    matrix = xgboost.DMatrix(DIABETES.data, DIABETES.target)
    xgboost.train({"nthread": 1}, matrix, 0).save_model(tmp_path / "model.ubj")
    error = refusal("import", tmp_path / "model.ubj", "--target", "y", "--output", tmp_path / "out")
    assert error == "python -m model: model.ubj: the model has no trees; train it first"


@pytest.mark.parametrize(
    ("classes", "message"),
    [("a,b", "3 classes, but --classes names 2"), ("a,b,a", "names a class twice")],
)
def test_names_that_do_not_fit_the_classes_are_refused(tmp_path: Path, classes: str, message: str) -> None:
    wrapper = xgboost.XGBClassifier(n_estimators=2, n_jobs=1).fit(WINE.data, WINE.target)
    wrapper.get_booster().feature_names = list(WINE.feature_names)
    wrapper.save_model(tmp_path / "model.ubj")
    out = ("--output", tmp_path / "out", "--classes", classes)
    assert message in refusal("import", tmp_path / "model.ubj", "--target", "y", *out)


@pytest.mark.parametrize(
    ("schema", "message"),
    [
        ("{", "is not JSON"),
        ("[1]", "must hold a list of features"),
        ('["years", "weekday", "more"]', "the model has no feature 'more'"),
        ('[{"name": "years", "type": "date"}]', "'years' must have one of the types"),
    ],
)
def test_a_schema_that_does_not_fit_is_refused(tmp_path: Path, schema: str, message: str) -> None:
    (tmp_path / "s.json").write_text(schema)
    file = SAVED / "xgboost-3.0.ubj"
    error = refusal("import", file, "--target", "y", "--name", "m", "--schema", tmp_path / "s.json")
    assert message in error


def test_a_sample_that_does_not_fit_is_refused_without_repeating_values(tmp_path: Path) -> None:
    sample = write_csv(tmp_path / "s.csv", ["years", "weekday"], [[1, 2], ["secret", 3]])
    file = SAVED / "xgboost-3.0.ubj"
    error = refusal("import", file, "--target", "y", "--name", "m", "--sample", sample)
    assert "s.csv: row 2: years must be a number (faults in total: 1)" in error
    assert "secret" not in error
