"""Scores one chunk of a table: from the bytes of the file to a part of the results."""

import time
from collections.abc import Callable, Iterator, Sequence
from typing import NamedTuple

import pyarrow as pa

from jobs.errors import FilesUnavailable, InvalidTable
from jobs.files.store import FileStore
from jobs.files.tables import Format
from model.description.schema import Schema
from model.tables.columns import ColumnCheck
from worker.measurements import Pace
from worker.stopping import ScoringStopped
from worker.tables.bisect import Slices, all_at_once
from worker.tables.columns import Columns, joined
from worker.tables.layout import Chunk, Layout
from worker.tables.read import Rows, read_rows
from worker.tables.score import Matrix, Predict, score_rows
from worker.tables.warnings import Warn
from worker.tables.write import PartWriter, write_errors

SLICE_SECONDS = 0.01
"""How long a call of the model may take, so that nobody waits long for the processor, or for it to stop."""
FIRST_ROWS = 100
"""In the first call, by which the others are measured."""


class Part(NamedTuple):
    rows: int
    failed: int


class ChunkScorer:
    """Scores chunks of one table with one model. Doing a chunk again writes the same part again."""

    def __init__(
        self,
        files: FileStore,
        layout: Layout,
        schema: Schema,
        predict: Predict,
        names: Sequence[str],
        warn: Warn | None = None,
    ) -> None:
        self._files = files
        self._layout = layout
        self._features = schema.names
        self._check = ColumnCheck(schema, empty_is_null=layout.input is Format.CSV)
        self._predict = predict
        self._names = names
        self._warn = warn if layout.warns else None
        self._pace = Pace(FIRST_ROWS)

    def score(
        self,
        source: FileStore,
        name: str,
        chunk: Chunk,
        part: str,
        wanted: Callable[[], bool],
        slices: Slices = all_at_once,
    ) -> Part:
        """Writes `part`, and `part`.errors if rows have failed.

        Raises ScoringStopped once the chunk is not wanted, and InvalidTable if the file is damaged.
        """
        rows = failed = 0
        errors = []
        with self._files.create(part) as file, PartWriter(self._layout, file) as writer:
            for some in _intact(read_rows(source, name, self._layout, self._features, chunk), chunk):
                predict = _while_wanted(self._predict, wanted, self._pace)
                tried = slices(rows, some.number)
                scores = score_rows(self._check, predict, self._names, some, tried, self._warn)
                writer.write(some, scores)
                errors.append(write_errors(scores, rows))
                rows += some.number
                failed += len(scores.faults)
        if failed:
            with self._files.create(f"{part}.errors") as file:
                for lines in errors:
                    file.write(lines)
        return Part(rows, failed)


def _while_wanted(predict: Predict, wanted: Callable[[], bool], pace: Pace) -> Predict:
    def predict_slices(matrix: Matrix) -> Columns:
        pieces: list[tuple[int, Columns | None]] = []
        at = 0
        while at < len(matrix):
            if not wanted():
                raise ScoringStopped
            some = matrix[at : at + pace.within(SLICE_SECONDS)]
            started = time.perf_counter()
            pieces.append((len(some), predict(some)))
            pace.measured(len(some), time.perf_counter() - started)
            at += len(some)
        return joined(pieces, list(pieces[0][1] or ()))

    return predict_slices


def _intact(read: Iterator[Rows], chunk: Chunk) -> Iterator[Rows]:
    """pyarrow says in many ways that the pages of a row group cannot be read."""
    try:
        yield from read
    except FilesUnavailable:
        raise
    except (pa.ArrowException, OSError) as error:
        raise InvalidTable(f"row group {chunk.group} cannot be read: the file is damaged") from error
