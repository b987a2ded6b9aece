"""A small model, and fixtures that score whole files with it."""

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

from jobs.files.location import files_at
from jobs.files.store import FileRange, FileStore
from jobs.files.tables import Format, added_names
from model.bundle import Bundle
from model.description.features import Feature
from model.description.schema import Schema
from worker.chunks import ChunkScorer
from worker.tables.cut import Chunk, EndlessRecord, TextFile, endless_record
from worker.tables.join import PartFile, error_pieces, result_pieces
from worker.tables.plan import Layout, TableRequest, plan_parquet, plan_text
from worker.tables.score import RowScorer

FEATURES = Schema(
    [
        Feature("years", "number"),
        Feature("age", "integer", nullable=True, minimum=16),
        Feature("town", "category", categories=("Bern", "Gent")),
    ]
)
OURS = ("prediction", "error")
PREDICTION = {"prediction": np.dtype(np.float32)}


class Scored(NamedTuple):
    result: bytes
    errors: list[dict[str, Any]]
    rows: int
    failed: int
    chunks: int


ScoreTable = Callable[..., Scored]


@pytest.fixture(scope="session")
def booster() -> xgboost.Booster:
    """Each row has a different score, so that a score at the wrong row is found."""
    chance = np.random.default_rng(5)
    rows = np.column_stack(
        [chance.uniform(0, 50, 4000), chance.integers(16, 80, 4000), chance.integers(0, 2, 4000)]
    )
    matrix = xgboost.DMatrix(rows, label=rows[:, 0] * 100 + rows[:, 1], nthread=1)
    return xgboost.train({"max_depth": 8, "nthread": 1}, matrix, 30)


@pytest.fixture
def files(tmp_path: Path) -> FileStore:
    return files_at(str(tmp_path))


@pytest.fixture
def score_table(files: FileStore, booster: xgboost.Booster) -> ScoreTable:
    """Scores a whole file, chunk by chunk, as workers do."""

    def score(
        data: bytes, kind: Format, results: Format | None = None, chunk: int | None = None, **options: Any
    ) -> Scored:
        with files.create("input") as file:
            file.write(data)
        request = TableRequest(kind, results or kind, FEATURES, options.pop("scored", OURS), **options)
        layout, chunks = planned(files, request, chunk)
        return score_chunks(
            files, layout, chunks, ChunkScorer(files, layout, RowScorer(FEATURES, predict, PREDICTION))
        )

    def predict(matrix: Any) -> Any:
        return {"prediction": booster.inplace_predict(matrix, validate_features=False)}

    return score


@pytest.fixture
def score_bundle(files: FileStore) -> Callable[..., Scored]:
    """Scores a whole file with a bundle, which may explain and warn."""

    def score(
        bundle: Bundle, data: bytes, kind: Format, results: Format | None = None, explain: bool = False
    ) -> Scored:
        with files.create("input") as file:
            file.write(data)
        manifest = bundle.manifest
        scored = added_names(manifest.columns[explain], manifest.warns, prefix="")
        request = TableRequest(
            kind, results or kind, manifest.schema, scored, warns=manifest.warns, explain=explain
        )
        layout, chunks = planned(files, request, chunk=2000)
        scorer = ChunkScorer(files, layout, RowScorer.of(bundle, explain))
        return score_chunks(files, layout, chunks, scorer)

    return score


def planned(files: FileStore, request: TableRequest, chunk: int | None = None) -> tuple[Layout, list[Chunk]]:
    """The layout and all chunks of the file "input"."""
    size = files.size("input")
    with files.open("input") as file:
        text = TextFile(file, size, check=lambda: None)
        try:
            if request.input is Format.PARQUET:
                plan = plan_parquet(file, size, request, chunk)
            else:
                plan = plan_text(text, request, chunk)
            return plan.layout, [cut.chunk for cuts in plan.cuts for cut in cuts]
        except EndlessRecord as error:
            raise endless_record(text, error.offset) from None


def score_chunks(files: FileStore, layout: Layout, chunks: list[Chunk], scorer: ChunkScorer) -> Scored:
    parts, with_errors, rows, failed = [], [], 0, 0
    for number, chunk in enumerate(chunks):
        name = f"parts/{number}"
        part = scorer.score(files, "input", chunk, name, should_continue=lambda: True)
        parts.append(PartFile(name, part.size))
        with_errors += [(PartFile(f"{name}.errors", part.errors_size), rows)] if part.failed else []
        rows, failed = rows + part.rows, failed + part.failed
    result = b"".join(
        b"".join(files.read_range(piece)) if isinstance(piece, FileRange) else piece
        for piece in result_pieces(files, parts, layout)
    )
    errors = b"".join(error_pieces(files, with_errors))
    return Scored(result, [orjson.loads(line) for line in errors.splitlines()], rows, failed, len(parts))


class Sample(NamedTuple):
    """Rows to score, with a passthrough column, and the scores that XGBoost gives for them."""

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
    writer.writerows({name: _field(value) for name, value in row.items()} for row in rows)
    return text.getvalue().removesuffix(end).encode()


def _field(value: Any) -> Any:
    return str(value).lower() if isinstance(value, bool) else value


def as_ndjson(rows: list[dict[str, Any]]) -> bytes:
    return b"\n".join(map(orjson.dumps, rows))


def as_parquet(rows: list[dict[str, Any]], **options: Any) -> bytes:
    written = BytesIO()
    pyarrow.parquet.write_table(pa.Table.from_pylist(rows), written, **options)
    return written.getvalue()


def read(result: bytes, kind: Format) -> list[dict[str, Any]]:
    if kind is Format.CSV:
        return list(csv.DictReader(StringIO(result.decode(), newline="")))
    if kind is Format.NDJSON:
        return [orjson.loads(line) for line in result.splitlines()]
    return pyarrow.parquet.read_table(BytesIO(result)).to_pylist()  # type: ignore[no-any-return]


WRITERS: dict[Format, Callable[[list[dict[str, Any]]], bytes]] = {
    Format.CSV: as_csv,
    Format.NDJSON: as_ndjson,
    Format.PARQUET: as_parquet,
}
