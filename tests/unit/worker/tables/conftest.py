"""A small model, and tables scored with it from bytes to bytes."""

import csv
from collections.abc import Callable
from io import BytesIO, StringIO
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import orjson
import pyarrow as pa
import pyarrow.parquet
import pytest
import xgboost

from jobs.files import Files, files_at
from jobs.tables import Format
from model.feature import Feature
from model.schema import Schema
from worker.tables.chunks import ChunkScorer
from worker.tables.cut import CHUNK
from worker.tables.join import join_errors, join_results
from worker.tables.plan import Wanted, plan

FEATURES = Schema(
    [
        Feature("years", "number"),
        Feature("age", "integer", nullable=True, minimum=16),
        Feature("town", "category", categories=("Bern", "Gent")),
    ]
)
OURS = ("prediction", "error")


class Scored(NamedTuple):
    result: bytes
    errors: list[dict[str, Any]]
    rows: int
    failed: int
    chunks: int


ScoreTable = Callable[..., Scored]


@pytest.fixture(scope="session")
def booster() -> xgboost.Booster:
    """Every row has a score of its own, so that one given to the wrong row shows."""
    chance = np.random.default_rng(5)
    rows = np.column_stack(
        [chance.uniform(0, 50, 4000), chance.integers(16, 80, 4000), chance.integers(0, 2, 4000)]
    )
    matrix = xgboost.DMatrix(rows, label=rows[:, 0] * 100 + rows[:, 1], nthread=1)
    return xgboost.train({"max_depth": 8, "nthread": 1}, matrix, 30)


@pytest.fixture
def files(tmp_path: Path) -> Files:
    return files_at(str(tmp_path))


@pytest.fixture
def score_table(files: Files, booster: xgboost.Booster) -> ScoreTable:
    """Scores a whole file, chunk by chunk, as workers do."""

    def score(
        data: bytes, kind: Format, results: Format | None = None, chunk: int = CHUNK, **asked: Any
    ) -> Scored:
        with files.create("input") as file:
            file.write(data)
        wanted = Wanted(kind, results or kind, FEATURES.names, asked.pop("scored", OURS), **asked)
        planned = plan(files, "input", wanted, chunk)
        scorer = ChunkScorer(files, planned.layout, FEATURES, predict, ["prediction"])
        parts, with_errors, rows, failed = [], [], 0, 0
        for number, one in enumerate(planned.chunks):
            part = scorer.score(files, "input", one, f"parts/{number}", wanted=lambda: True)
            parts.append(f"parts/{number}")
            with_errors += [(f"parts/{number}.errors", rows)] if part.failed else []
            rows, failed = rows + part.rows, failed + part.failed
        join_results(files, parts, planned.layout, files, "result")
        join_errors(files, with_errors, files, "errors")
        errors = [orjson.loads(line) for line in files.read("errors").splitlines()]
        return Scored(files.read("result"), errors, rows, failed, len(parts))

    def predict(matrix: Any) -> Any:
        return {"prediction": booster.inplace_predict(matrix, validate_features=False)}

    return score


class Sample(NamedTuple):
    """Rows to score, with a column that is passed through, and what XGBoost itself gives for them."""

    rows: list[dict[str, Any]]
    scores: list[float]


@pytest.fixture(scope="session")
def sample(booster: xgboost.Booster) -> Sample:
    chance = np.random.default_rng(7)
    rows = [
        {
            "id": f"n° {number}",
            "age": int(chance.integers(16, 80)) if number % 7 else None,
            "years": round(float(chance.uniform(0, 50)), 4),
            "town": ("Bern", "Gent")[number % 2],
        }
        for number in range(500)
    ]
    matrix = np.array(
        [[row["years"], np.nan if row["age"] is None else row["age"], row["town"] == "Gent"] for row in rows],
        dtype=np.float32,
    )
    scores = booster.predict(xgboost.DMatrix(matrix, nthread=1))
    return Sample(rows, [float(str(score)) for score in scores])


def as_csv(rows: list[dict[str, Any]], end: str = "\n") -> bytes:
    text = StringIO()
    writer = csv.DictWriter(text, list(rows[0]), lineterminator=end)
    writer.writeheader()
    writer.writerows(rows)
    return text.getvalue().removesuffix(end).encode()


def as_ndjson(rows: list[dict[str, Any]]) -> bytes:
    return b"\n".join(map(orjson.dumps, rows))


def as_parquet(rows: list[dict[str, Any]], **options: Any) -> bytes:
    written = BytesIO()
    pyarrow.parquet.write_table(pa.Table.from_pylist(rows), written, **options)
    return written.getvalue()


WRITERS: dict[Format, Callable[[list[dict[str, Any]]], bytes]] = {
    Format.CSV: as_csv,
    Format.NDJSON: as_ndjson,
    Format.PARQUET: as_parquet,
}
