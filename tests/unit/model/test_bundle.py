"""A bundle scores as XGBoost does, to the bit, or does not load."""

from pathlib import Path

import numpy as np
import pytest
import xgboost

from model.bundle import Bundle
from model.description.errors import BundleError, GoldenMismatch
from model.description.manifest import DESCRIPTION_FILE, MODEL_FILE, Manifest
from model.description.schema import Schema
from model.golden import shortest
from model.publish import publish
from tests.unit.model.conftest import Describe, Publish, rewrite


def resign(directory: Path, **fields: object) -> Manifest:
    rewrite(directory, **fields)
    return Manifest.read(directory)


def test_a_thousand_rows_score_as_xgboost_scores_them(
    publish_rent: Publish, booster: xgboost.Booster
) -> None:
    bundle = Bundle.load(publish_rent())
    rooms = np.random.default_rng(7).uniform(0, 10, 1000).astype(np.float32)
    rows = bundle.manifest.schema.check_rows([{"rooms": float(room)} for room in rooms])
    expected = booster.predict(xgboost.DMatrix(rooms.reshape(-1, 1), feature_names=["rooms"], nthread=1))
    scores = bundle.predict(rows)
    assert scores.dtype == np.float32
    assert len(set(scores)) > 20
    assert np.array_equal(scores, expected)
    assert [bundle.predict([row])[0] for row in rows] == list(expected)


def test_only_the_trees_to_use_are_used(publish_rent: Publish, booster: xgboost.Booster) -> None:
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


def test_a_golden_row_that_scores_otherwise_stops_the_load(publish_rent: Publish) -> None:
    manifest = publish_rent()
    rows = [{"rooms": rooms} for rooms in (1, 2.5, 4)]
    right = shortest(Bundle.load(manifest).predict([[1.0], [2.5], [4.0]]))
    last_bit = float(np.nextafter(np.float32(right[1]), np.float32(0)))
    changed = resign(
        manifest.directory, golden={"rows": rows, "predictions": [right[0], last_bit, right[2] + 1]}
    )
    with pytest.raises(GoldenMismatch, match=r"rent@1: 2 of 3 golden rows .* the first is row 1"):
        Bundle.load(changed)


@pytest.mark.parametrize(
    ("model", "message"),
    [
        (b"\x80\x04.", "is a pickle, and a pickle can run code"),
        (b"", "is no whole XGBoost model"),
        (b"binf....", "is no whole XGBoost model"),
        (b"{Z\xb0\0}", "is no whole XGBoost model"),
        (b"{}", "is no whole XGBoost model"),
        (b'{"learner": 1}', "is no whole XGBoost model"),
    ],
)
def test_a_file_that_is_no_model_is_refused(publish_rent: Publish, model: bytes, message: str) -> None:
    directory = publish_rent().directory
    (directory / MODEL_FILE).write_bytes(model)
    with pytest.raises(BundleError, match=message) as refusal:
        Bundle.load(resign(directory))
    assert "\n" not in str(refusal.value)


def test_a_model_cut_short_is_refused(publish_rent: Publish) -> None:
    manifest = publish_rent()
    file = manifest.directory / MODEL_FILE
    whole = file.read_bytes()
    file.write_bytes(whole[: len(whole) // 2])
    with pytest.raises(BundleError, match="sha256 does not match"):
        Bundle.load(manifest)
    with pytest.raises(BundleError, match="is no whole XGBoost model"):
        Bundle.load(resign(manifest.directory))


def test_a_bundle_replaced_since_it_was_found_is_refused(publish_rent: Publish) -> None:
    found = publish_rent()
    resign(found.directory, unit="dollars")
    with pytest.raises(BundleError, match="was replaced after it was published"):
        Bundle.load(found)


ROOMS = {"name": "rooms", "type": "number"}
FLOOR = {"name": "floor", "type": "number"}


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"features": [ROOMS, FLOOR], "row": {"rooms": 1, "floor": 1}}, "has 1 features, its description 2"),
        ({"features": [FLOOR], "row": {"floor": 1}}, "names its features otherwise"),
        ({"trees": 21}, "fewer than 21 rounds"),
        ({"objective": "reg:tweedie"}, "objective is reg:squarederror, not reg:tweedie"),
    ],
)
def test_a_model_that_does_not_fit_its_description_is_refused(
    publish_rent: Publish, changes: dict[str, object], message: str
) -> None:
    row = changes.pop("row", {"rooms": 1})
    manifest = resign(publish_rent().directory, golden={"rows": [row], "predictions": [1]}, **changes)
    with pytest.raises(BundleError, match=message):
        Bundle.load(manifest)


def test_a_model_of_several_targets_is_refused(tmp_path: Path, describe: Describe) -> None:
    matrix = xgboost.DMatrix(np.array([[0.0], [1.0]]), label=np.array([[0, 1], [1, 0]]), nthread=1)
    booster = xgboost.train({"nthread": 1}, matrix, 2)
    with pytest.raises(BundleError, match="a model of 2 targets is not served"):
        publish(tmp_path, booster, describe(trees=2), [{"rooms": 1}])
    assert list(tmp_path.iterdir()) == []


def test_scores_are_written_in_the_fewest_digits() -> None:
    assert shortest(np.array([260.00012, 0.1, 1e-30, 16777216], dtype=np.float32)) == [
        260.00012,
        0.1,
        1e-30,
        16777216,
    ]


def test_a_description_written_by_publish_holds_no_word_of_the_machine(publish_rent: Publish) -> None:
    manifest = publish_rent()
    assert str(manifest.directory.parent) not in (manifest.directory / DESCRIPTION_FILE).read_text()
