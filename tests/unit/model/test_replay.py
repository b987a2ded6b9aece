"""A bundle that `paygrade.save` wrote scores as the pipeline does, to the last bit, or does not load."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from model.bundle import Bundle
from model.description.errors import BundleError, GoldenMismatch
from model.description.files import DESCRIPTION_FILE
from model.description.manifest import Manifest
from model.tables.columns import ColumnCheck
from tests.pipelines import LEVELS, Saved, classification, flats, regression, rows_of, save
from tests.unit.model.conftest import rewrite


@pytest.fixture(scope="module")
def saved(tmp_path_factory: pytest.TempPathFactory) -> Saved:
    table = flats(2000)
    return save(regression(table), table, tmp_path_factory.mktemp("saved"))


@pytest.fixture
def copied(saved: Saved, tmp_path: Path) -> Path:
    for name in ("bundle.json", "model.ubj"):
        (tmp_path / name).write_bytes((saved.bundle / name).read_bytes())
    return tmp_path


def load(directory: Path) -> Bundle:
    return Bundle.load(Manifest.read(directory))


def test_rows_score_as_the_pipeline_scores_them(saved: Saved) -> None:
    bundle, table = load(saved.bundle), flats(1000, seed=4)
    scores = bundle.predict(bundle.manifest.schema.check_rows(rows_of(table)))
    assert scores.dtype == np.float32
    assert len(set(scores.tolist())) > 900
    assert np.array_equal(scores, saved.pipeline.predict(table))


def test_one_row_scores_as_it_does_among_others(saved: Saved) -> None:
    bundle, table = load(saved.bundle), flats(50, seed=5)
    rows = bundle.manifest.schema.check_rows(rows_of(table))
    assert [bundle.predict([row])[0] for row in rows] == saved.pipeline.predict(table).tolist()


def test_a_text_that_training_did_not_know_scores_as_in_the_pipeline(saved: Saved) -> None:
    bundle, table = load(saved.bundle), flats(20).assign(city="Aachen")
    scores = bundle.predict(bundle.manifest.schema.check_rows(rows_of(table)))
    assert np.array_equal(scores, saved.pipeline.predict(table))


def test_the_matrix_read_by_column_is_that_read_by_row(saved: Saved) -> None:
    bundle, rows = load(saved.bundle), rows_of(flats(200, seed=6).assign(grade=["a", "new"] * 100))
    columns = {name: [row[name] for row in rows] for name in bundle.manifest.schema.names}
    by_column = ColumnCheck(bundle.manifest.schema, False, bundle.matrix_type).read(columns, len(rows))
    by_row = bundle.encode(bundle.manifest.schema.check_rows(rows))
    assert by_column.faults == {}
    assert by_column.matrix.dtype == by_row.dtype == np.float64
    assert np.array_equal(by_column.matrix, by_row, equal_nan=True)
    assert -1 in by_row[:, bundle.manifest.schema.names.index("grade")]


def test_a_classifier_gives_the_probabilities_of_its_pipeline(tmp_path: Path) -> None:
    table = flats(900)
    pipeline = classification(table)
    bundle = load(save(pipeline, table, tmp_path, classes=list(LEVELS)).bundle)
    outputs = bundle.outputs(bundle.encode(bundle.manifest.schema.check_rows(rows_of(table))))
    assert outputs.probabilities is not None
    assert np.array_equal(outputs.probabilities, pipeline.predict_proba(table))
    assert outputs.labels == [LEVELS[number] for number in pipeline.predict(table)]


def test_contributions_are_those_of_the_callers_columns_and_sum_to_the_score(saved: Saved) -> None:
    bundle, table = load(saved.bundle), flats(100, seed=7)
    matrix = bundle.encode(bundle.manifest.schema.check_rows(rows_of(table)))
    contributions, base = bundle.explain(matrix)
    assert contributions.shape == (100, len(table.columns))
    assert (np.abs(contributions).max(axis=0) > 1).all()
    assert np.allclose(contributions.sum(axis=1) + base, saved.pipeline.predict(table), rtol=1e-5)


def test_warnings_name_the_callers_columns(saved: Saved) -> None:
    bundle = load(saved.bundle)
    [row] = bundle.manifest.schema.check_rows([rows_of(flats(1))[0] | {"area": 9_000}])
    [[warning]] = bundle.warnings(bundle.encode([row])).values()
    assert warning.startswith("area is above what training saw")


def test_a_value_that_is_the_observed_limit_has_no_warning(saved: Saved) -> None:
    bundle, table = load(saved.bundle), saved.table
    limits = table[table.area.isin([table.area.min(), table.area.max()])]
    assert bundle.warnings(bundle.encode(bundle.manifest.schema.check_rows(rows_of(limits)))) == {}


def test_golden_rows_that_differ_in_the_last_bit_do_not_load(copied: Path) -> None:
    description = json.loads((copied / DESCRIPTION_FILE).read_text())
    golden = description["golden"]
    golden["predictions"][1] = float(np.nextafter(np.float32(golden["predictions"][1]), np.float32(0)))
    rewrite(copied, golden=golden)
    with pytest.raises(GoldenMismatch, match="flats@1: 1 of 12 golden rows"):
        load(copied)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"scores": "float64"}, "the scores are float32, but its description says float64"),
        ({"steps": {}}, "flats@1: steps"),
        ({"after": [{"kind": "pickle"}]}, "flats@1: after 0"),
        ({"after": ["exp"]}, "after must be a list of objects"),
        ({"after": [{"kind": "expm1"}], "transform": "log"}, "transform and after exclude each other"),
        ({"scores": "float16"}, "scores must be one of float32, float64"),
        ({"missing": "NA"}, "missing must be a number"),
    ],
)
def test_steps_that_cannot_be_replayed_are_refused(
    copied: Path, changes: dict[str, Any], message: str
) -> None:
    rewrite(copied, **changes)
    with pytest.raises(BundleError, match=message) as refusal:
        load(copied)
    assert "\n" not in str(refusal.value)


@pytest.mark.parametrize("field", ["zero_is_missing", "base_margin"])
def test_what_steps_would_have_to_know_of_is_refused_beside_them(copied: Path, field: str) -> None:
    features = json.loads((copied / DESCRIPTION_FILE).read_text())["features"]
    rooms = next(feature for feature in features if feature["name"] == "rooms")
    rooms |= {field: True, "nullable": False}
    rewrite(copied, features=features)
    with pytest.raises(BundleError, match=f"'rooms' must not have {field} beside steps"):
        Manifest.read(copied)
