"""A bundle gives XGBoost's scores bit for bit, or does not load."""

from pathlib import Path

import numpy as np
import pytest
import xgboost

from model.bundle import Bundle
from model.description.errors import BundleError, GoldenMismatch
from model.description.files import DESCRIPTION_FILE, MODEL_FILE
from model.description.manifest import Manifest
from model.description.schema import Schema
from model.publish import publish, shortest
from tests.unit.model.conftest import Describe, Publish, rewrite


def rewrite_and_read(directory: Path, **fields: object) -> Manifest:
    rewrite(directory, **fields)
    return Manifest.read(directory)


def test_a_thousand_rows_get_the_scores_of_xgboost(publish_rent: Publish, booster: xgboost.Booster) -> None:
    bundle = Bundle.load(publish_rent())
    rooms = np.random.default_rng(7).uniform(0, 10, 1000).astype(np.float32)
    rows = bundle.manifest.schema.check_rows([{"rooms": float(room)} for room in rooms])
    expected = booster.predict(xgboost.DMatrix(rooms.reshape(-1, 1), feature_names=["rooms"], nthread=1))
    scores = bundle.predict(rows)
    assert scores.dtype == np.float32
    assert len(set(scores)) > 20
    assert np.array_equal(scores, expected)
    assert [bundle.predict([row])[0] for row in rows] == list(expected)


def test_only_the_described_number_of_trees_is_used(publish_rent: Publish, booster: xgboost.Booster) -> None:
    rooms = xgboost.DMatrix(np.array([[3]], dtype=np.float32), feature_names=["rooms"], nthread=1)
    expected = booster.predict(rooms, iteration_range=(0, 5))
    assert Bundle.load(publish_rent(trees=5)).predict([[3.0]]) == expected
    assert expected != booster.predict(rooms)


def test_no_rows_give_no_scores(publish_rent: Publish) -> None:
    assert Bundle.load(publish_rent()).predict([]).shape == (0,)


def test_missing_values_booleans_and_categories_reach_the_model(tmp_path: Path, describe: Describe) -> None:
    features = [
        {"name": "rooms", "type": "integer", "nullable": True},
        {"name": "heating", "type": "category", "nullable": True, "categories": ["gas", "oil", "none"]},
        {"name": "lift", "type": "boolean"},
    ]
    coded = np.array(
        [[r, h, b] for r in (1, 2, np.nan) for h in (0, 1, 2, np.nan) for b in (0, 1)], dtype=np.float32
    )
    matrix = xgboost.DMatrix(
        coded,
        label=np.arange(len(coded)),
        feature_names=["rooms", "heating", "lift"],
        feature_types=["int", "c", "i"],
        enable_categorical=True,
        nthread=1,
    )
    booster = xgboost.train({"nthread": 1, "min_child_weight": 0}, matrix, 30)
    rows = [
        {"rooms": rooms, "heating": heating, "lift": lift}
        for rooms in (1, 2, None)
        for heating in ("gas", "oil", "none", None)
        for lift in (False, True)
    ]
    bundle = Bundle.load(publish(tmp_path, booster, describe(features=features, trees=30), rows[:1]))
    scores = bundle.predict(Schema.from_list(features).check_rows(rows))
    assert len(set(scores)) == len(rows)
    assert np.array_equal(scores, booster.predict(matrix))


def test_a_bundle_with_different_golden_scores_does_not_load(publish_rent: Publish) -> None:
    manifest = publish_rent()
    rows = [{"rooms": rooms} for rooms in (1, 2.5, 4)]
    right = shortest(Bundle.load(manifest).predict([[1.0], [2.5], [4.0]]))
    last_bit = float(np.nextafter(np.float32(right[1]), np.float32(0)))
    changed = rewrite_and_read(
        manifest.directory, golden={"rows": rows, "predictions": [right[0], last_bit, right[2] + 1]}
    )
    with pytest.raises(GoldenMismatch, match=r"rent@1: 2 of 3 golden rows .* the first is row 1"):
        Bundle.load(changed)


@pytest.mark.parametrize(
    ("model", "message"),
    [
        (b"\x80\x04.", "is a pickle, and reading a pickle can run code"),
        (b"", "is not a complete XGBoost model"),
        (b"binf....", "is not a complete XGBoost model"),
        (b"{Z\xb0\0}", "is not a complete XGBoost model"),
        (b"{}", "is not a complete XGBoost model"),
        (b'{"learner": 1}', "is not a complete XGBoost model"),
    ],
)
def test_a_file_that_is_not_a_model_is_refused(publish_rent: Publish, model: bytes, message: str) -> None:
    directory = publish_rent().directory
    (directory / MODEL_FILE).write_bytes(model)
    with pytest.raises(BundleError, match=message) as refusal:
        Bundle.load(rewrite_and_read(directory))
    assert "\n" not in str(refusal.value)


def test_a_truncated_model_is_refused(publish_rent: Publish) -> None:
    manifest = publish_rent()
    file = manifest.directory / MODEL_FILE
    whole = file.read_bytes()
    file.write_bytes(whole[: len(whole) // 2])
    with pytest.raises(BundleError, match="sha256 does not match"):
        Bundle.load(manifest)
    with pytest.raises(BundleError, match="is not a complete XGBoost model"):
        Bundle.load(rewrite_and_read(manifest.directory))


def test_a_bundle_that_was_replaced_after_the_catalog_read_it_is_refused(publish_rent: Publish) -> None:
    found = publish_rent()
    rewrite_and_read(found.directory, unit="dollars")
    with pytest.raises(BundleError, match="was replaced after it was published"):
        Bundle.load(found)


ROOMS = {"name": "rooms", "type": "number"}
FLOOR = {"name": "floor", "type": "number"}


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        (
            {"features": [ROOMS, FLOOR], "row": {"rooms": 1, "floor": 1}},
            "its description has 2",
        ),
        ({"features": [FLOOR], "row": {"floor": 1}}, "features have other names than its description"),
        ({"trees": 21}, "has 20 rounds of trees, fewer than the 21"),
        ({"objective": "reg:tweedie"}, "objective is reg:squarederror, not reg:tweedie"),
    ],
)
def test_a_model_that_does_not_fit_its_description_is_refused(
    publish_rent: Publish, changes: dict[str, object], message: str
) -> None:
    directory, row = publish_rent().directory, changes.pop("row", {"rooms": 1})
    manifest = rewrite_and_read(directory, golden={"rows": [row], "predictions": [1]}, **changes)
    with pytest.raises(BundleError, match=message):
        Bundle.load(manifest)


def test_a_model_with_several_targets_is_refused_unless_all_are_named(
    tmp_path: Path, describe: Describe
) -> None:
    matrix = xgboost.DMatrix(np.array([[0.0], [1.0]]), label=np.array([[0, 1], [1, 0]]), nthread=1)
    booster = xgboost.train({"nthread": 1}, matrix, 2)
    with pytest.raises(BundleError, match="predicts 2 targets, but its description names 0"):
        publish(tmp_path, booster, describe(trees=2), [{"rooms": 1}])
    with pytest.raises(BundleError, match="targets must be texts, each different"):
        publish(tmp_path, booster, describe(trees=2, targets=["rent", "rent"]), [{"rooms": 1}])
    assert list(tmp_path.iterdir()) == []


def test_scores_are_written_with_the_fewest_digits() -> None:
    assert shortest(np.array([260.00012, 0.1, 1e-30, 16777216], dtype=np.float32)) == [
        260.00012,
        0.1,
        1e-30,
        16777216,
    ]


def test_a_published_description_does_not_contain_local_paths(publish_rent: Publish) -> None:
    manifest = publish_rent()
    assert str(manifest.directory.parent) not in (manifest.directory / DESCRIPTION_FILE).read_text()


def test_a_number_that_stands_for_a_missing_value_is_one_and_gives_no_warning(
    publish_rent: Publish,
) -> None:
    feature = {"name": "rooms", "type": "number", "nullable": True, "observed": {"minimum": 0, "maximum": 9}}
    bundle = Bundle.load(publish_rent(missing=-999, features=[feature]))
    matrix = bundle.encode(bundle.manifest.schema.check_rows([{"rooms": -999}, {"rooms": None}]))
    sentinel, missing = bundle.score(matrix)
    assert sentinel == missing
    assert bundle.warnings(matrix) == {}
    assert np.array_equal(bundle.explain(matrix).contributions[0], bundle.explain(matrix).contributions[1])


def test_a_zero_is_missing_where_the_feature_says_so(publish_rent: Publish) -> None:
    plain = Bundle.load(publish_rent())
    feature = {"name": "rooms", "type": "number", "nullable": True, "zero_is_missing": True}
    sparse = Bundle.load(publish_rent(features=[feature], version=2))
    rows = plain.manifest.schema.check_rows([{"rooms": 0}, {"rooms": None}, {"rooms": 3}])
    assert sparse.predict(rows)[0] == sparse.predict(rows)[1] == plain.predict(rows)[1]
    assert plain.predict(rows)[0] != plain.predict(rows)[1]
    assert sparse.predict(rows)[2] == plain.predict(rows)[2]
