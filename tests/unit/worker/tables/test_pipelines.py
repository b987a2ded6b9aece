"""A file scores with the steps of a bundle as in the pipeline, to the last bit, in every format."""

import json
from collections.abc import Callable
from io import BytesIO
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from jobs.files.tables import Format
from model.bundle import Bundle
from model.description.files import MODEL_FILE
from model.description.manifest import Manifest
from tests.pipelines import Saved, calibrated, flats, regression, rows_of, save
from tests.unit.model.conftest import rewrite
from tests.unit.worker.conftest import claim
from tests.unit.worker.tables.conftest import Scored, as_ndjson, read
from worker.bundles import scorer
from worker.predictions import score_together

ScoreBundle = Callable[..., Scored]


@pytest.fixture(scope="module")
def saved(tmp_path_factory: pytest.TempPathFactory) -> Saved:
    table = flats(1500)
    return save(regression(table), table, tmp_path_factory.mktemp("saved"))


@pytest.fixture(scope="module")
def bundle(saved: Saved) -> Bundle:
    return Bundle.load(Manifest.read(saved.bundle))


@pytest.fixture(scope="module")
def doubles(tmp_path_factory: pytest.TempPathFactory) -> Saved:
    """A classifier that is calibrated in double precision."""
    table = flats(1500)
    return save(calibrated(table), table, tmp_path_factory.mktemp("doubles"), classes=["low", "high"])


@pytest.fixture
def strict(saved: Saved, tmp_path: Path) -> Bundle:
    """The same bundle with an encoder that raises for texts that it does not know."""
    for name in ("bundle.json", MODEL_FILE):
        (tmp_path / name).write_bytes((saved.bundle / name).read_bytes())
    steps = json.loads((tmp_path / "bundle.json").read_text())["steps"]
    for step in steps["steps"]:
        step.pop("unknown", None)
    rewrite(tmp_path, steps=steps)
    return Bundle.load(Manifest.read(tmp_path))


def table_as(table: pd.DataFrame, kind: Format) -> bytes:
    """Write the table as data scientists do."""
    if kind is Format.CSV:
        text: str = table.assign(lift=table.lift.map({True: "true", False: "false"})).to_csv(index=False)
        return text.encode()
    if kind is Format.NDJSON:
        return as_ndjson(rows_of(table))
    written = BytesIO()
    table.to_parquet(written)
    return written.getvalue()


@pytest.mark.parametrize("results", Format)
@pytest.mark.parametrize("kind", Format)
def test_a_file_scores_as_the_pipeline_scores_it(
    score_bundle: ScoreBundle, saved: Saved, bundle: Bundle, kind: Format, results: Format
) -> None:
    table = flats(400, seed=8).assign(grade=["a", "b", "c", "unknown to training"] * 100)
    scored = score_bundle(bundle, table_as(table, kind), kind, results)
    given = [np.float32(line["prediction"]) for line in read(scored.result, results)]
    assert given == saved.pipeline.predict(table).tolist()
    assert (scored.rows, scored.failed) == (400, 0)


@pytest.mark.parametrize("results", Format)
def test_scores_in_double_precision_are_written_with_all_their_bits(
    score_bundle: ScoreBundle, doubles: Saved, results: Format
) -> None:
    table, bundle = flats(300, seed=9), Bundle.load(Manifest.read(doubles.bundle))
    scored = score_bundle(bundle, table_as(table, Format.PARQUET), Format.PARQUET, results)
    expected = doubles.pipeline.predict_proba(table)[:, 1]
    assert expected.dtype == np.float64
    assert (expected != expected.astype(np.float32)).any()
    assert [float(line["probability"]) for line in read(scored.result, results)] == expected.tolist()


def test_posted_rows_get_scores_in_double_precision(doubles: Saved) -> None:
    table, bundle = flats(50, seed=10), Bundle.load(Manifest.read(doubles.bundle))
    outputs = [json.loads(text) for text in scorer(bundle)(bundle.manifest.schema.check_rows(rows_of(table)))]
    expected = doubles.pipeline.predict_proba(table)[:, 1]
    assert [output["probability"] for output in outputs] == expected.tolist()
    assert [output["prediction"] for output in outputs] == doubles.pipeline.predict(table).tolist()


@pytest.mark.parametrize("results", Format)
def test_explanations_have_a_column_for_each_column_of_the_caller(
    score_bundle: ScoreBundle, bundle: Bundle, results: Format
) -> None:
    table = flats(20, seed=11)
    scored = score_bundle(bundle, table_as(table, Format.CSV), Format.CSV, results, explain=True)
    for line in read(scored.result, results):
        contributions = [float(line[f"contribution_{name}"]) for name in table.columns]
        assert sum(contributions) + float(line["base"]) == pytest.approx(float(line["prediction"]), rel=1e-5)


@pytest.mark.parametrize("results", Format)
def test_a_row_of_a_file_that_the_steps_raise_for_fails_alone(
    score_bundle: ScoreBundle, saved: Saved, strict: Bundle, results: Format
) -> None:
    table = flats(40, seed=12)
    unknown = table.copy()
    unknown.loc[17, "city"] = "Aachen"
    scored = score_bundle(strict, table_as(unknown, Format.CSV), Format.CSV, results)
    expected = saved.pipeline.predict(table).tolist()
    lines = read(scored.result, results)
    assert lines[17]["error"] == "the model could not score this row"
    assert [row for row, line in enumerate(lines) if line["error"]] == [17]
    given = [np.float32(line["prediction"]) for row, line in enumerate(lines) if row != 17]
    assert given == expected[:17] + expected[18:]


@pytest.mark.parametrize("results", Format)
def test_a_file_whose_rows_all_raise_has_a_result_for_each_of_them(
    score_bundle: ScoreBundle, strict: Bundle, results: Format
) -> None:
    table = flats(150, seed=13).assign(city=["Ulm, an der Donau"] * 75 + ["Aachen"] * 75)
    scored = score_bundle(strict, table_as(table, Format.CSV), Format.CSV, results)
    assert scored.chunks > 1
    lines = read(scored.result, results)
    assert [bool(line["error"]) for line in lines] == [False] * 75 + [True] * 75


def test_a_posted_row_that_the_steps_raise_for_fails_alone(saved: Saved, strict: Bundle) -> None:
    table = flats(3, seed=14)
    rows = strict.manifest.schema.check_rows(rows_of(table))
    rows[1][strict.manifest.schema.names.index("city")] = "Aachen"
    [outcome] = score_together(scorer(strict), [claim(*rows)])
    first, second, third = json.loads(outcome.outputs)
    assert second == {"error": {"type": "not_scored", "detail": "the model could not score this row"}}
    given = [np.float32(output["prediction"]) for output in (first, third)]
    assert given == saved.pipeline.predict(table)[[0, 2]].tolist()
