"""Scores the chunks of batches: reads the bytes of each, writes a part of the results, and records it."""

import logging
import time
from collections.abc import Callable, Iterable, Iterator
from functools import lru_cache, partial
from typing import NamedTuple

from jobs.batches.consumer import BatchConsumer
from jobs.batches.record import corrected_of, part_of
from jobs.batches.tasks import BatchTask, ChunkDone
from jobs.errors import FileMissing
from jobs.files.store import FOR_WORKERS, FileRange, FileStore, Writable
from jobs.files.tables import Format
from jobs.queues.script_calls import patiently
from model.bundle import Bundle
from worker.batch_files import BatchFiles
from worker.limits import LimitedPart
from worker.measurements import Measurements, Pace
from worker.stopping import ScoringStopped
from worker.tables.cut import Chunk
from worker.tables.mend import Mend, PartDiffers, ScoreRows, old_part, read_corrected, read_mend
from worker.tables.plan import Layout
from worker.tables.read import Rows, read_rows, unread_rows
from worker.tables.score import (
    Columns,
    Matrix,
    Predict,
    RowScorer,
    Scores,
    Slice,
    Slices,
    all_at_once,
    give_up_all,
    joined,
)
from worker.tables.write import PartWriter, features_of, write_errors

log = logging.getLogger(__name__)

CALL_SECONDS = 0.01
"""About how long one call of the model takes: a prediction or a stop never waits longer for it."""
FIRST_CALL_ROWS = 100
"""Rows of the first call; later calls follow the measured pace."""


class Part(NamedTuple):
    """The rows of a part, those of them that failed, and the bytes of its results and its errors."""

    rows: int
    failed: int
    size: int
    errors_size: int


class ChunkScoring:
    """Scores the chunk of a task. That may be repeated, also by another child, with the same result."""

    def __init__(self, consumer: BatchConsumer, files: BatchFiles, measurements: Measurements) -> None:
        self._consumer = consumer
        self._files = files
        self.measurements = measurements
        self.pace = Pace()
        self._rows = lru_cache(maxsize=1)(RowScorer.of)

    def score(self, task: BatchTask, bundle: Bundle, wanted: Callable[[], bool], slices: Slices) -> None:
        """Raises what ChunkScorer.score raises, but PartDiffers."""
        own = self._files.own
        own.check_room(FOR_WORKERS)
        started = time.monotonic()
        chunk = Chunk.from_text(task.chunk)
        source, name, where = self._files.find_chunk(task, chunk)
        scorer, part_name = self._scorer(task, bundle), part_of(task.id, int(task.task))
        score = partial(scorer.score, source, name, where, part_name, wanted, slices)
        part = score() if task.kept is None else _score_retried(task, task.kept, own, score)
        done = ChunkDone(*part, expected=chunk.rows, bytes=chunk.size)
        counts = patiently(self._consumer.done, task, done)
        seconds = time.monotonic() - started
        self.pace.worked(part.rows, seconds)
        if counts:
            self.measurements.chunk_done(task.model, seconds)

    def _scorer(self, task: BatchTask, bundle: Bundle) -> "ChunkScorer":
        layout = self._files.read_layout(task, task.file) if task.file else task.layout
        rows = self._rows(bundle, task.options.explain, task.options.missing)
        return ChunkScorer(self._files.own, Layout.from_json(layout), rows, task.options.error_inputs)


def _score_retried(task: BatchTask, kept: ChunkDone, files: FileStore, score: Callable[..., Part]) -> Part:
    """Copies the part of a chunk in which no row failed, and mends the others.

    `kept` is what the batch that is tried again has recorded of the chunk. If its part is not as it was
    recorded, the whole chunk is scored.
    """
    number = int(task.task)
    old = part_of(task.options.kept_from, number)
    corrected = read_corrected(files, corrected_of(task.id, number)) if kept.failed else {}
    try:
        if not kept.failed:
            return _copied(files, old, part_of(task.id, number), kept)
        return score(mend=read_mend(files, old, kept, corrected))
    except (PartDiffers, FileMissing):
        log.warning("kept_part_differs", extra={"job_id": task.id, "chunk": number})
        return score(mend=Mend(None, None, corrected))


def _copied(files: FileStore, old: str, part: str, kept: ChunkDone) -> Part:
    if files.size(old) != kept.size:
        raise PartDiffers
    with files.create(part) as file:
        while file.at < kept.size:
            file.copy(files, FileRange(old, file.at, kept.size))
    return Part(kept.rows, 0, kept.size, 0)


class _Measured:
    """A file that counts the bytes that are written to it."""

    def __init__(self, file: Writable) -> None:
        self._file = file
        self.size = 0

    def write(self, data: bytes | memoryview) -> None:
        self._file.write(data)
        self.size += len(data)


class ChunkScorer:
    """Scores chunks of one table with one model. Scoring a chunk again writes the same part."""

    def __init__(
        self,
        files: FileStore,
        layout: Layout,
        rows: RowScorer,
        error_inputs: bool = False,
    ) -> None:
        self._files = files
        self._layout = layout
        self._rows = rows
        self._error_inputs = error_inputs
        self._pace = Pace(FIRST_CALL_ROWS)

    def score(
        self,
        source: FileStore,
        name: str,
        chunk: Chunk,
        part: str,
        should_continue: Callable[[], bool],
        slices: Slices = all_at_once,
        mend: Mend | None = None,
    ) -> Part:
        """Writes the file `part`, and `part`.errors if rows have failed.

        Raises ScoringStopped once `should_continue` returns False, InvalidTable if the file is damaged, and
        OverLimit if its results are out of proportion. Raises PartDiffers if what is to be mended does.
        """
        rows = failed = 0
        errors: list[bytes] = []
        score = self._scoring(should_continue)
        old = old_part(self._layout, mend) if mend else None
        with self._files.create(part) as created:
            results = _Measured(LimitedPart(created, chunk.size))
            with PartWriter(self._layout, results) as writer:
                for block in self._read(source, name, chunk, slices):
                    if mend and old:
                        scores = mend.scores(block, rows, slices, score)
                        old.write(writer, block, scores, rows)
                        scores = mend.without_kept(scores, rows)
                    else:
                        scores = score(block, slices(rows, block.number), False)
                        writer.write(block, scores)
                    errors.append(write_errors(scores, rows, self._inputs(block, rows, mend)))
                    rows += block.number
                    failed += len(scores.faults)
            if old:
                old.check_end()
        if failed:
            with self._files.create(f"{part}.errors") as file:
                for lines in errors:
                    file.write(lines)
        return Part(rows, failed, results.size, sum(map(len, errors)))

    def _inputs(self, block: Rows, first: int, mend: Mend | None) -> Callable[[int], bytes] | None:
        if not self._error_inputs:
            return None
        corrected = mend.corrected if mend else {}
        return lambda row: corrected.get(first + row) or features_of(block, row)

    def _scoring(self, should_continue: Callable[[], bool]) -> ScoreRows:
        predict = _in_short_calls(self._rows.predict, should_continue, self._pace)

        def score(rows: Rows, slices: Iterable[Slice], corrected: bool) -> Scores:
            of_csv = self._layout.input is Format.CSV and not corrected
            return self._rows.score(rows, slices, of_csv, predict)

        return score

    def _read(self, source: FileStore, name: str, chunk: Chunk, slices: Slices) -> Iterator[Rows]:
        if slices is give_up_all and self._layout.input is Format.PARQUET:
            return unread_rows(source, name, self._layout, self._rows.features, chunk)
        return read_rows(source, name, self._layout, self._rows.features, chunk)


def _in_short_calls(predict: Predict, should_continue: Callable[[], bool], pace: Pace) -> Predict:
    """Predicts with calls of about CALL_SECONDS; raises ScoringStopped between two of them."""

    def predict_in_short_calls(matrix: Matrix) -> Columns:
        pieces: list[tuple[int, Columns | None]] = []
        at = 0
        while at < len(matrix):
            if not should_continue():
                raise ScoringStopped
            rows = matrix[at : at + pace.within(CALL_SECONDS)]
            started = time.perf_counter()
            pieces.append((len(rows), predict(rows)))
            pace.measured(len(rows), time.perf_counter() - started)
            at += len(rows)
        return joined(pieces, {name: column.dtype for name, column in (pieces[0][1] or {}).items()})

    return predict_in_short_calls
