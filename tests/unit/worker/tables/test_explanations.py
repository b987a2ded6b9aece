"""The contribution of each feature has a column of its own, as XGBoost computes it, in every format."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import xgboost
from sklearn.datasets import load_wine

from jobs.errors import FileMissing
from jobs.files.store import FileStore
from jobs.files.tables import Format
from model.bundle import Bundle
from model.description.features import Feature
from model.description.files import MODEL_FILE
from model.description.manifest import Manifest
from model.publish import publish
from model.tables.columns import MISSING
from tests.unit.worker.tables.conftest import (
    FEATURES,
    OURS,
    PREDICTION,
    WRITERS,
    Scored,
    as_csv,
    as_parquet,
    planned,
    read,
)
from worker.chunks import ChunkScorer
from worker.stopping import ScoringStopped
from worker.tables.passthrough import CsvColumns
from worker.tables.plan import TableRequest
from worker.tables.read import Rows
from worker.tables.score import RowScorer

ScoreBundle = Callable[..., Scored]
ROWS = 250
"""More than the first call takes."""


def publish_wine(root: Path) -> Manifest:
    wine = load_wine()
    matrix = xgboost.DMatrix(wine.data, wine.target, feature_names=wine.feature_names, nthread=1)
    booster = xgboost.train({"objective": "multi:softprob", "num_class": 3, "nthread": 1}, matrix, 10)
    features = [{"name": name, "type": "number"} for name in wine.feature_names]
    described = {"name": "wine", "version": 1, "target": "maker", "unit": "maker", "features": features}
    described |= {"classes": ["x", "y, or so", "z"], "trees": 10, "metrics": {}, "training": {}}
    rows = [dict(zip(wine.feature_names, map(float, row), strict=True)) for row in wine.data[::20]]
    return publish(root, booster, described, rows)


@pytest.fixture(scope="module", params=["salary", "wages", "wine"])
def bundle(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Bundle:
    """A regression; categories, missing values and an interval; several classes."""
    if request.param == "wine":
        return Bundle.load(publish_wine(tmp_path_factory.mktemp("bundles")))
    return Bundle.load(Manifest.read(Path("model/bundles", request.param, "1")))


def rows_of(bundle: Bundle) -> list[dict[str, Any]]:
    """Each feature has the value of a random golden row."""
    chance, golden = np.random.default_rng(3), bundle.manifest.examples
    return [
        {name: golden[chance.integers(len(golden))][name] for name in bundle.manifest.schema.names}
        for _ in range(ROWS)
    ]


def code(feature: Feature, value: Any) -> float:
    if value is None:
        return np.nan
    return float(feature.categories.index(value) if feature.type == "category" else value)


def computed_directly(bundle: Bundle, rows: list[dict[str, Any]]) -> tuple[Any, Any]:
    """Contributions and margins of the class, or of the quantile, that each prediction is about."""
    manifest = bundle.manifest
    booster = xgboost.Booster(model_file=manifest.directory / MODEL_FILE)
    values = [[code(feature, row[feature.name]) for feature in manifest.schema.features] for row in rows]
    matrix = xgboost.DMatrix(np.array(values, np.float32), nthread=1)
    options = {"iteration_range": (0, manifest.trees), "validate_features": False}
    added = booster.predict(matrix, pred_contribs=True, **options)
    margins = booster.predict(matrix, output_margin=True, **options)
    if added.ndim == 2:
        return added[:, :-1], margins
    which = manifest.quantiles.index(0.5) if manifest.quantiles else margins.argmax(axis=1)
    return added[np.arange(len(rows)), which, :-1], margins[np.arange(len(rows)), which]


@pytest.mark.parametrize(
    ("kind", "results"),
    [*((kind, kind) for kind in Format), (Format.NDJSON, Format.PARQUET), (Format.PARQUET, Format.CSV)],
)
def test_each_row_has_xgboosts_contributions_and_they_sum_to_the_margin(
    score_bundle: ScoreBundle, bundle: Bundle, kind: Format, results: Format
) -> None:
    rows = rows_of(bundle)
    scored = score_bundle(bundle, WRITERS[kind](rows), kind, results, explain=True)
    lines = read(scored.result, results)
    assert (scored.rows, scored.failed) == (ROWS, 0)
    plain, names = bundle.manifest.columns[False], bundle.manifest.schema.names
    contributions = [f"contribution_{name}" for name in names]
    warnings = ["warnings"] if bundle.manifest.warns else []
    assert list(lines[0]) == [*plain, *contributions, "base", *warnings, "error"]
    added, margins = computed_directly(bundle, rows)
    given = np.array([[line[name] for name in contributions] for line in lines]).astype(np.float32)
    assert np.array_equal(given, added)
    sums = given.astype(np.float64).sum(axis=1) + [float(line["base"]) for line in lines]
    assert np.abs(sums - margins).max() < 1e-4


def test_scores_are_the_same_whether_explained_or_not(score_bundle: ScoreBundle, bundle: Bundle) -> None:
    data = as_csv(rows_of(bundle))
    explained, plain = (
        read(score_bundle(bundle, data, Format.CSV, explain=explain).result, Format.CSV)
        for explain in (True, False)
    )
    assert [{name: line[name] for name in plain[0]} for line in explained] == plain


@pytest.mark.parametrize("results", Format)
def test_a_bad_row_has_no_explanation_and_harms_no_other(
    score_bundle: ScoreBundle, bundle: Bundle, results: Format
) -> None:
    rows = rows_of(bundle)
    name = bundle.manifest.schema.names[0]
    rows[7] = {**rows[7], name: "many"}
    scored = score_bundle(bundle, as_csv(rows), Format.CSV, results, explain=True)
    assert [error["row"] for error in scored.errors] == [7]
    lines = read(scored.result, results)
    assert lines[7].pop("error").startswith(f"{name} must be")
    assert set(lines[7].values()) <= {None, ""}
    assert all(line["base"] not in (None, "") for line in lines[:7] + lines[8:])


def test_first_keeps_no_more_rows_than_requested() -> None:
    rows = Rows(5, {"years": [1, 2, MISSING, 4, 5]}, CsvColumns({}), {1: "why", 3: "why"})
    first = rows.first(3)
    assert (first.number, first.features, first.broken) == (3, {"years": [1, 2, MISSING]}, {1: "why"})
    assert rows.first(9).number == 5


def test_scoring_stops_between_two_calls_of_the_model(files: FileStore) -> None:
    data = as_parquet([{"years": 1.5, "age": 20, "town": "Bern"}] * ROWS)
    with files.create("input") as file:
        file.write(data)
    layout, chunks = planned(files, TableRequest(Format.PARQUET, Format.CSV, FEATURES, OURS))
    calls: list[int] = []

    def predict(matrix: Any) -> Any:
        calls.append(len(matrix))
        return {"prediction": matrix[:, 0]}

    scorer = ChunkScorer(files, layout, RowScorer(FEATURES, predict, PREDICTION))
    with pytest.raises(ScoringStopped):
        scorer.score(files, "input", chunks[0], "part", should_continue=lambda: not calls)
    assert len(calls) == 1
    assert calls[0] < ROWS
    with pytest.raises(FileMissing):
        files.size("part")


def test_the_sizes_of_chunks_add_up_to_the_size_of_the_file(files: FileStore) -> None:
    data = as_parquet([{"years": 1.5, "age": 20, "town": "Bern"}] * 60_000, row_group_size=30_000)
    with files.create("input") as file:
        file.write(data)
    request = TableRequest(Format.PARQUET, Format.CSV, FEATURES, OURS)
    for explain in (False, True):
        _, chunks = planned(files, request._replace(explain=explain))
        assert 0.99 < sum(chunk.size for chunk in chunks) / len(data) <= 1
        assert sum(chunk.rows for chunk in chunks) == 60_000
    assert len(chunks) > 2
