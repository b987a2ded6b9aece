"""An import gives its author's scores to the last bit, or is refused with what explains the difference."""

import re
from typing import Any

import numpy as np
import pandas as pd
import pytest
import xgboost
from sklearn.compose import ColumnTransformer
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import OneHotEncoder

from tests.unit.model.command import refusal, run
from tests.unit.model.importing.conftest import Attempt, Save, features, regressor, served

SCORES = ("--scores", "score")


def shown(manifest: Any) -> Any:
    return manifest.proof["kind"], manifest.proof.get("rows")


def test_scores_that_are_equal_prove_the_model(save: Save, flats: pd.DataFrame) -> None:
    table = features(flats)
    model = regressor().fit(table, flats["y"])
    attempt = save(model)
    manifest = attempt.made("--sample", attempt.sample(table, score=model.predict(table)), *SCORES)
    assert manifest.proof == {"kind": "scores", "rows": len(flats), "scores": "score of sample.csv"}
    assert np.array_equal(served(manifest, table), model.predict(table))
    assert set(manifest.schema.names) == set(table.columns)


def test_the_commands_say_how_a_bundle_was_proved(save: Save, flats: pd.DataFrame) -> None:
    table = features(flats)
    model = regressor().fit(table, flats["y"])
    attempt = save(model)
    proved = attempt.made("--sample", attempt.sample(table, score=model.predict(table)), *SCORES)
    measured = attempt.made("--name", "measured", "--sample", attempt.sample(flats))
    attempt.made("--name", "quick")
    assert "proved by its author's scores of 300 rows" in run("show", proved.directory).out
    assert "measured on 300 rows, but not compared" in run("show", measured.directory).out
    listed = run("list", "--bundles", attempt.folder / "out").out
    assert re.findall("proved by scores|measured on its target|not proved", listed) == [
        "proved by scores",
        "measured on its target",
        "not proved",
    ]


def test_one_score_that_differs_in_its_last_bit_is_found(save: Save, flats: pd.DataFrame) -> None:
    table = features(flats)
    model = regressor().fit(table, flats["y"])
    scores = model.predict(table)
    scores[4] = np.nextafter(scores[4], np.float32(np.inf))
    attempt = save(model)
    line = attempt.refused("--sample", attempt.sample(table, score=scores), *SCORES)
    assert "m.ubj: 1 of 300 scores differ from score of sample.csv" in line
    assert "(row 5: " in line


def sparse_pipeline() -> tuple[pd.DataFrame, Any, Any]:
    """Return the encoded rows, the booster of a pipeline over a sparse matrix, and the pipeline's scores."""
    chance = np.random.default_rng(3)
    cities, grades = chance.choice(list("abcdef"), 400), chance.choice(list("xyz"), 400)
    table = pd.DataFrame({"city": cities, "grade": grades, "size": chance.integers(0, 9, 400)})
    encoder = ColumnTransformer(
        [("oh", OneHotEncoder(handle_unknown="ignore"), ["city", "grade"])],
        remainder="passthrough",
        sparse_threshold=1.0,
    )
    pipeline = Pipeline([("encode", encoder), ("model", regressor(n_estimators=50))])
    pipeline.fit(table, table["size"] * 2 + 9 * (table["city"] == "a") + 5 * (table["grade"] == "x"))
    booster = pipeline["model"].get_booster()
    booster.feature_names = list(encoder.get_feature_names_out())
    encoded = pd.DataFrame(encoder.transform(table).toarray(), columns=booster.feature_names)
    return encoded, booster, pipeline.predict(table)


def test_the_booster_of_a_sparse_pipeline_needs_its_zeros_as_missing(save: Save) -> None:
    encoded, booster, scores = sparse_pipeline()
    attempt = save(booster)
    sample = attempt.sample(encoded, score=scores)
    line = attempt.refused("--sample", sample, *SCORES)
    assert line.endswith("zeros are missing, as in a sparse matrix; add --zero-is-missing")
    manifest = attempt.made("--sample", sample, *SCORES, "--zero-is-missing")
    assert all(feature.zero_is_missing for feature in manifest.schema.features)
    assert np.array_equal(served(manifest, encoded), scores)


def test_a_sparse_pipeline_is_recognised_without_scores(save: Save) -> None:
    encoded, booster, scores = sparse_pipeline()
    attempt = save(booster)
    by_target = attempt.refused("--sample", attempt.sample(encoded, y=scores))
    assert "if zeros are missing, as in a sparse matrix; add --zero-is-missing; --unproved" in by_target
    by_trees = attempt.refused("--sample", attempt.sample(encoded))
    assert "the trees never split 'oh__city_a' between 0 and 1" in by_trees
    assert attempt.refused() == by_trees
    assert attempt.made("--unproved").proof == {"kind": "none"}


def test_a_number_that_stands_for_missing_values_is_found_and_kept(save: Save, flats: pd.DataFrame) -> None:
    table = features(flats).fillna(-999)
    model = regressor(missing=-999).fit(table, flats["y"])
    attempt = save(model)
    sample = attempt.sample(table, score=model.predict(table))
    line = attempt.refused("--sample", sample, *SCORES)
    assert line.endswith("; -999 stands for a missing value; add --missing-value -999")
    manifest = attempt.made("--sample", sample, *SCORES, "--missing-value", "-999")
    assert manifest.missing == -999
    assert np.array_equal(served(manifest, table), model.predict(table))
    assert np.array_equal(served(manifest, features(flats)), model.predict(table))  # null is missing as well
    observed = manifest.schema.features[0].observed
    assert observed is not None
    assert observed["minimum"] == features(flats)["area"].min()


def test_such_a_number_is_questioned_where_nothing_tells(save: Save, flats: pd.DataFrame) -> None:
    table = features(flats).fillna(-999)
    attempt = save(regressor(missing=-999).fit(table, flats["y"]))
    assert "the sample has -999" in attempt.refused("--sample", attempt.sample(table))
    by_target = attempt.refused("--sample", attempt.sample(table, y=flats["y"]))
    assert "if -999 stands for a missing value; add --missing-value -999" in by_target


def test_early_stopping_is_said_and_all_rounds_are_found(save: Save, flats: pd.DataFrame) -> None:
    table, target = features(flats), flats["y"]
    model = regressor(n_estimators=300, early_stopping_rounds=3, learning_rate=0.5)
    model.fit(table[:200], target[:200], eval_set=[(table[200:], target[200:])], verbose=False)
    booster, best = model.get_booster(), model.best_iteration + 1
    rounds = booster.num_boosted_rounds()
    native = booster.predict(xgboost.DMatrix(table))
    assert best < rounds
    attempt = save(model)
    sample = attempt.sample(table, score=native)
    line = attempt.refused("--sample", sample, *SCORES)
    assert line.endswith(f"all {rounds} rounds of trees are used; add --trees {rounds}")
    told = run("import", attempt.model, "--output", attempt.folder / "best").out
    assert f"{best} of {rounds} rounds of trees are used: training stopped early" in told
    assert np.array_equal(
        served(attempt.made("--sample", sample, *SCORES, "--trees", str(rounds)), table), native
    )


def test_a_number_of_rounds_of_the_authors_own_is_found(save: Save, flats: pd.DataFrame) -> None:
    table = features(flats)
    model = regressor().fit(table, flats["y"])
    attempt = save(model)
    sample = attempt.sample(table, score=model.predict(table, iteration_range=(0, 6)))
    assert attempt.refused("--sample", sample, *SCORES).endswith("the first 6 rounds are used; add --trees 6")
    assert attempt.made("--sample", sample, *SCORES, "--trees", "6").trees == 6


@pytest.mark.parametrize(
    ("transform", "forward", "inverse"),
    [
        ("log", np.log, np.exp),
        ("log1p", np.log1p, np.expm1),
        ("sqrt", np.sqrt, np.square),
        ("logit", lambda y: np.log(y / 100 / (1 - y / 100)), lambda s: 1 / (1 + np.exp(-s))),
    ],
)
@pytest.mark.parametrize("computed_in", ["float32", "float64"])
def test_a_transform_of_the_target_is_found_in_the_type_of_the_notebook(
    save: Save, flats: pd.DataFrame, transform: str, forward: Any, inverse: Any, computed_in: str
) -> None:
    table = features(flats)
    model = regressor().fit(table, forward(flats["y"].clip(1, 99)))
    scores = inverse(model.predict(table).astype(computed_in))
    attempt = save(model)
    sample = attempt.sample(table, score=scores)
    assert attempt.refused("--sample", sample, *SCORES).endswith(f"; add --transform {transform}")
    manifest = attempt.made("--sample", sample, *SCORES, "--transform", transform)
    assert np.array_equal(served(manifest, table), scores.astype(np.float32))


def test_dart_is_served_as_its_booster_predicts(save: Save, flats: pd.DataFrame) -> None:
    table = features(flats)
    model = regressor(n_estimators=30, booster="dart", rate_drop=0.3, random_state=1).fit(table, flats["y"])
    attempt = save(model)
    native, own = model.get_booster().predict(xgboost.DMatrix(table)), model.predict(table)
    if not np.array_equal(native, own):  # before XGBoost 3.4
        line = attempt.refused("--sample", attempt.sample(table, score=own), *SCORES)
        assert "adds up the trees of DART in another order; give what Booster.predict returns" in line
    assert attempt.made("--sample", attempt.sample(table, score=native), *SCORES).proof["kind"] == "scores"


def test_two_causes_are_found_together(save: Save, flats: pd.DataFrame) -> None:
    table = features(flats).fillna(-999)
    model = regressor(missing=-999).fit(table, np.log1p(flats["y"].clip(0)))
    attempt = save(model)
    sample = attempt.sample(table, score=np.expm1(model.predict(table)))
    line = attempt.refused("--sample", sample, *SCORES)
    assert line.endswith("; add --missing-value -999, and add --transform log1p")


def test_features_that_the_booster_names_otherwise_are_taken_by_position(
    save: Save, flats: pd.DataFrame
) -> None:
    table = features(flats)
    model = regressor().fit(table.to_numpy(), flats["y"])
    model.get_booster().feature_names = ["age", "floor", "area"]
    attempt = save(model)
    sample = attempt.sample(table, score=model.predict(table.to_numpy()))
    assert attempt.refused("--sample", sample, *SCORES).endswith("in their order; add --by-position")
    manifest = attempt.made("--sample", sample, *SCORES, "--by-position")
    assert manifest.schema.names == ("area", "floor", "age")
    assert np.array_equal(served(manifest, table), model.predict(table.to_numpy()))


def counts(flats: pd.DataFrame) -> tuple[pd.DataFrame, Any]:
    """Return a table with an exposure, and a Poisson model that starts from its logarithm."""
    chance = np.random.default_rng(5)
    exposure = chance.uniform(1, 9, len(flats)).astype(np.float32)
    table = features(flats).assign(exposure=exposure, offset=np.log(exposure))
    matrix = xgboost.DMatrix(
        features(flats), chance.poisson(exposure), base_margin=table["offset"], nthread=1
    )
    booster = xgboost.train({"objective": "count:poisson", "nthread": 1}, matrix, 8)
    return table.assign(score=booster.predict(matrix)), booster


def test_a_base_margin_in_the_sample_is_found(save: Save, flats: pd.DataFrame) -> None:
    table, booster = counts(flats)
    attempt = save(booster)
    with_offset = attempt.sample(table.drop(columns="exposure"))
    assert attempt.refused("--sample", with_offset, *SCORES).endswith("add --base-margin offset")
    manifest = attempt.made("--sample", with_offset, *SCORES, "--base-margin", "offset")
    assert np.array_equal(served(manifest, table), table["score"].to_numpy(np.float32))


def test_a_logarithm_as_base_margin_is_found(save: Save, flats: pd.DataFrame) -> None:
    table, booster = counts(flats)
    attempt = save(booster)
    sample = attempt.sample(table.drop(columns="offset"))
    assert "the logarithm of 'exposure' is the base margin" in attempt.refused("--sample", sample, *SCORES)


def test_a_constant_base_margin_and_a_scaled_target_are_recognised(save: Save, flats: pd.DataFrame) -> None:
    table = features(flats)
    attempt = save(regressor().fit(table, flats["y"]))
    scores = regressor().fit(table, flats["y"]).predict(table)
    shifted = attempt.refused("--sample", attempt.sample(table, score=scores + 7), *SCORES)
    assert "every margin differs by 7, as with a base margin" in shifted
    scaled = attempt.refused("--sample", attempt.sample(table, score=scores * 4.5 + 7), *SCORES)
    assert "they are the model's scores times 4.5 plus 7: the target was scaled" in scaled


@pytest.fixture
def classifier(save: Save, flats: pd.DataFrame) -> tuple[Attempt, xgboost.XGBClassifier]:
    model = xgboost.XGBClassifier(n_estimators=9, n_jobs=1).fit(features(flats), flats["y"] > 8)
    return save(model), model


@pytest.mark.parametrize(
    ("written", "message"),
    [
        (lambda model, table: model.predict_proba(table)[:, 0], "the probabilities of the other class"),
        (lambda model, table: model.predict(table), "the numbers of the predicted classes"),
        (lambda model, table: np.where(model.predict(table), "yes", "no"), "the names of the predicted"),
        (lambda model, table: model.predict(table, output_margin=True), "they are margins"),
    ],
)
def test_scores_of_another_kind_are_recognised(
    classifier: tuple[Attempt, Any], flats: pd.DataFrame, written: Any, message: str
) -> None:
    attempt, model = classifier
    sample = attempt.sample(features(flats), score=written(model, features(flats)))
    assert message in attempt.refused("--sample", sample, *SCORES, "--classes", "no,yes")


def test_probabilities_of_one_class_or_of_both_prove_a_binary_model(
    classifier: tuple[Attempt, Any], flats: pd.DataFrame
) -> None:
    attempt, model = classifier
    no, yes = model.predict_proba(features(flats)).T
    sample = attempt.sample(features(flats), no=no, yes=yes)
    for columns in ("yes", "no,yes"):
        assert shown(attempt.made("--sample", sample, "--scores", columns)) == ("scores", 300)


def test_names_of_classes_in_the_wrong_order_are_found(
    classifier: tuple[Attempt, Any], flats: pd.DataFrame
) -> None:
    attempt, model = classifier
    table, target = features(flats), np.where(flats["y"] > 8, "yes", "no")
    sample = attempt.sample(table, score=model.predict_proba(table)[:, 1], y=target)
    line = attempt.refused("--sample", sample, *SCORES, "--classes", "yes,no")
    assert "check the order of --classes" in line
    assert attempt.made("--sample", sample, *SCORES, "--classes", "no,yes").classes == ["no", "yes"]


def test_scores_of_several_classes_are_given_as_columns(save: Save, flats: pd.DataFrame) -> None:
    table = features(flats)
    model = xgboost.XGBClassifier(n_estimators=5, n_jobs=1).fit(table, np.digitize(flats["y"], [4, 9]))
    attempt = save(model)
    low, middle, high = model.predict_proba(table).T
    sample = attempt.sample(table, low=low, middle=middle, high=high)
    assert shown(attempt.made("--sample", sample, "--scores", "low,middle,high")) == ("scores", 300)
    labels = attempt.sample(table, score=model.predict(table))
    (attempt.folder / "out").rename(attempt.folder / "made")
    line = attempt.refused("--sample", labels, *SCORES)
    assert "the model gives 3 scores for each row, but score of sample.csv has 1" in line
    assert line.endswith("predict_proba(X), one column for each class or target")


def test_labels_of_several_targets_and_margins_of_a_hinge_are_recognised(
    save: Save, flats: pd.DataFrame
) -> None:
    table, above = features(flats), np.column_stack([flats["y"] > 4, flats["y"] > 8])
    model = xgboost.XGBClassifier(n_estimators=5, n_jobs=1).fit(table, above)
    first, second = model.predict(table).T
    attempt = save(model)
    sample = attempt.sample(table, first=first, second=second)
    columns = ("--scores", "first,second", "--targets", "four,eight")
    line = refusal("import", attempt.model, "--sample", sample, *columns)
    assert "they are the numbers of the predicted classes" in line
    hinge = regressor(objective="binary:hinge").fit(table, above[:, 0])
    sample = attempt.sample(table, score=hinge.predict(table, output_margin=True))
    assert "they are margins" in save(hinge).refused("--sample", sample, *SCORES)


def test_a_parquet_sample_with_missing_numbers_proves_a_model(save: Save, flats: pd.DataFrame) -> None:
    table = features(flats)
    model = regressor().fit(table, flats["y"])
    attempt = save(model)
    sample = attempt.folder / "sample.parquet"
    table.assign(score=model.predict(table)).to_parquet(sample)
    manifest = attempt.made("--sample", sample, *SCORES)
    assert np.array_equal(served(manifest, table), model.predict(table))


def test_a_text_for_missing_values_is_named_with_its_option(save: Save, flats: pd.DataFrame) -> None:
    table = features(flats)
    model = regressor().fit(table, flats["y"])
    attempt = save(model)
    table.assign(score=model.predict(table)).to_csv(attempt.folder / "r.csv", index=False, na_rep="NA")
    line = attempt.refused("--sample", attempt.folder / "r.csv", *SCORES)
    assert line.endswith("if NA is a missing value, add --missing NA")
    assert attempt.made("--sample", attempt.folder / "r.csv", *SCORES, "--missing", "NA").missing_texts == [
        "NA"
    ]


@pytest.mark.parametrize(("option", "said"), [("--trees", "--trees 99"), ("best", "its best round is 99")])
def test_more_rounds_than_the_model_has_are_refused(
    save: Save, flats: pd.DataFrame, option: str, said: str
) -> None:
    booster = regressor().fit(features(flats), flats["y"]).get_booster()
    if option == "best":
        booster.set_attr(best_iteration="98")
    line = save(booster).refused(*(["--trees", "99"] if option == "--trees" else []))
    assert line.endswith(f"m.ubj: {said}, but the model has 15 rounds of trees")


def test_rounded_scores_are_refused_with_how_to_write_them(save: Save, flats: pd.DataFrame) -> None:
    table = features(flats)
    model = regressor().fit(table, flats["y"])
    attempt = save(model)
    for text, digits in (
        (model.predict(table).round(3), "3 decimals"),
        (_six(model, table), "6 significant"),
    ):
        line = attempt.refused("--sample", attempt.sample(table, score=text), *SCORES)
        assert f"they are rounded to {digits}" in line
        assert "write them exactly: DataFrame.to_csv without float_format" in line


def _six(model: Any, table: pd.DataFrame) -> list[str]:
    return [f"{score:.6g}" for score in model.predict(table)]


def test_last_bits_of_a_transform_are_accepted_on_request_only(save: Save, flats: pd.DataFrame) -> None:
    table = features(flats)
    model = regressor().fit(table, np.log(flats["y"].clip(1)))
    scores = np.nextafter(np.exp(model.predict(table)), np.float32(np.inf))  # as another processor might
    attempt = save(model)
    given = ("--sample", attempt.sample(table, score=scores), *SCORES, "--transform", "log")
    assert "--inexact accepts that" in attempt.refused(*given)
    assert attempt.made(*given, "--inexact").proof["ulps"] in (1, 2)


def test_last_bits_of_a_sum_of_leaves_are_never_accepted(save: Save, flats: pd.DataFrame) -> None:
    table = features(flats)
    model = regressor().fit(table, flats["y"])
    attempt = save(model)
    sample = attempt.sample(table, score=np.nextafter(model.predict(table), np.float32(np.inf)))
    assert "on a CPU" in attempt.refused("--sample", sample, *SCORES, "--inexact")


def test_scores_that_nothing_explains_are_refused(save: Save, flats: pd.DataFrame) -> None:
    table = features(flats)
    model = regressor().fit(table, flats["y"])
    attempt = save(model)
    line = attempt.refused("--sample", attempt.sample(table, score=model.predict(table)[::-1]), *SCORES)
    assert line.endswith("check that they are the scores of these rows, by this model")


def test_a_model_no_better_than_a_constant_is_refused(save: Save, flats: pd.DataFrame) -> None:
    table = features(flats)
    attempt = save(regressor().fit(table, flats["y"]))
    noise = np.random.default_rng(1).normal(size=len(flats))
    line = attempt.refused("--sample", attempt.sample(table, y=noise))
    assert "the model is no better than a constant: root mean squared error " in line
    manifest = attempt.made("--sample", attempt.sample(table, y=noise), "--unproved")
    assert manifest.proof["kind"] == "target"


def test_without_scores_the_error_is_recorded_beside_that_of_a_constant(
    save: Save, flats: pd.DataFrame
) -> None:
    table = features(flats)
    model = regressor().fit(table, flats["y"])
    attempt = save(model)
    proof = attempt.made("--sample", attempt.sample(flats)).proof
    error = float(np.sqrt(np.mean((model.predict(table) - flats["y"]) ** 2)))
    assert proof["kind"] == "target"
    assert proof["model"]["root_mean_squared_error"] == pytest.approx(error, abs=1e-5)
    assert proof["constant"]["root_mean_squared_error"] == pytest.approx(flats["y"].std(ddof=0), abs=1e-5)


def test_an_error_of_classes_is_their_log_loss(classifier: tuple[Attempt, Any], flats: pd.DataFrame) -> None:
    attempt, model = classifier
    sample = attempt.sample(features(flats), y=np.where(flats["y"] > 8, "yes", "no"))
    proof = attempt.made("--sample", sample, "--classes", "no,yes").proof
    chances = model.predict_proba(features(flats)).astype(float)
    expected = -np.log(chances[np.arange(len(flats)), (flats["y"] > 8).astype(int)]).mean()
    assert proof["model"]["log_loss"] == pytest.approx(expected, abs=1e-5)
    assert proof["model"]["log_loss"] < proof["constant"]["log_loss"]


def test_a_transformed_target_is_suspected_without_scores(save: Save, flats: pd.DataFrame) -> None:
    table, target = features(flats), np.exp(flats["y"] / 2)
    attempt = save(regressor().fit(table, np.log(target)))
    assert "say with --transform" in attempt.refused("--sample", attempt.sample(table, y=target))
