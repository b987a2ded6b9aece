"""Scores one chunk of a table: from the bytes of the file to a part of the results."""

from collections.abc import Callable
from typing import NamedTuple

from jobs.files import Files
from jobs.tables import Format
from model.columns import ColumnCheck
from model.schema import Schema
from worker.tables.layout import Chunk, Layout
from worker.tables.read import read_rows
from worker.tables.score import Predict, score_rows
from worker.tables.write import PartWriter, write_errors


class Part(NamedTuple):
    rows: int
    failed: int


class Stopped(Exception):
    """The chunk is not wanted any more."""


class ChunkScorer:
    """Scores chunks of one table with one model. Doing a chunk again writes the same part again."""

    def __init__(self, files: Files, layout: Layout, schema: Schema, predict: Predict) -> None:
        self._files = files
        self._layout = layout
        self._features = schema.names
        self._check = ColumnCheck(schema, empty_is_null=layout.input is Format.CSV)
        self._predict = predict

    def score(self, source: Files, name: str, chunk: Chunk, part: str, wanted: Callable[[], bool]) -> Part:
        """Writes `part`, and `part`.errors if rows have failed. Raises Stopped once it is not wanted."""
        rows = failed = 0
        errors = []
        with self._files.create(part) as file, PartWriter(self._layout, file) as writer:
            for some in read_rows(source, name, self._layout, self._features, chunk):
                if not wanted():
                    raise Stopped
                scores = score_rows(self._check, self._predict, some)
                writer.write(some, scores)
                errors.append(write_errors(scores, rows))
                rows += some.number
                failed += len(scores.faults)
        if failed:
            with self._files.create(f"{part}.errors") as file:
                for lines in errors:
                    file.write(lines)
        return Part(rows, failed)
