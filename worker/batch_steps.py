"""The steps of a batch: it is planned, its chunks are scored, its parts are joined."""

import logging
import time
from collections.abc import Callable, Iterator
from functools import lru_cache

import orjson

from jobs.batches.consumer import BatchConsumer, BatchTask, ChunkDone
from jobs.batches.record import FileRef, folder_of, input_of, output_of, source_of
from jobs.batches.status import BatchStatus
from jobs.errors import JobsError
from jobs.files.location import files_at
from jobs.files.store import FOR_WORKERS, FileStore
from jobs.files.tables import Format, added_names
from jobs.queues.queue import SendWakeUp, try_wake_up
from model.bundle import Bundle
from model.tables.dialect import Dialect
from worker.measurements import Pace, Report
from worker.tables.chunks import ChunkScorer
from worker.tables.cut import Chunk
from worker.tables.limits import check_values, unpacked_limit
from worker.tables.plan import Layout, Plan, TableRequest, plan
from worker.tables.prepare import RawFile, prepare
from worker.tables.preview import preview
from worker.tables.score import Slices, predict_with, types_of, warn_by
from worker.tables.write import MissingRows, join_errors, join_results

log = logging.getLogger(__name__)

ALL_FAILED = orjson.dumps(
    {"type": "rows_failed", "detail": "no row could be scored; the errors say why for each row"}
)
NO_ROWS = orjson.dumps({"type": "invalid_table", "detail": "the file has no rows"})


class BatchSteps:
    """The steps. Each may be repeated, also by another child, with the same result.

    `max_file` is the most bytes that an unpacked file may have.
    """

    def __init__(
        self,
        consumer: BatchConsumer,
        files: FileStore,
        report: Report,
        send_wake_up: SendWakeUp,
        most_wake_ups: int,
        max_file: int,
    ) -> None:
        self._consumer = consumer
        self._files = files
        self.report = report
        self._send_wake_up = send_wake_up
        self._most_wake_ups = most_wake_ups
        self._max_file = max_file
        self.pace = Pace()

    def plan(self, task: BatchTask, bundle: Bundle, wanted: Callable[[], bool]) -> None:
        planned = self._plan(task, bundle, wanted)
        chunks = [chunk.to_text() for chunk in planned.chunks]
        total = sum(chunk.rows for chunk in planned.chunks)
        size = sum(chunk.size for chunk in planned.chunks)
        layout = planned.layout.to_json()
        self._wake_up(self._consumer.planned(task, layout, total, size, chunks, self._most_wake_ups))
        log.info("planned", extra={"job_id": task.id, "chunks": len(chunks)})

    def score(self, task: BatchTask, bundle: Bundle, wanted: Callable[[], bool], slices: Slices) -> None:
        self._files.check_room(FOR_WORKERS)
        started = time.monotonic()
        chunk, layout = Chunk.from_text(task.chunk), Layout.from_json(task.layout)
        source, name = input_of(task.id, task.options), _part(task.id, int(task.task))
        explain, manifest = task.options.explain, bundle.manifest
        scorer = ChunkScorer(
            self._files,
            layout,
            manifest.schema.with_missing(task.options.missing),
            predict_with(bundle, explain),
            types_of(bundle, explain),
            warn_by(bundle.observed),
            bundle.matrix_type,
        )
        part = scorer.score(self._store_of(source), source.name, chunk, name, wanted, slices)
        done = ChunkDone(part.rows, part.failed, chunk.size, chunk.rows)
        counts, wake_ups = self._consumer.done(task, done, self._most_wake_ups)
        seconds = time.monotonic() - started
        self.pace.worked(part.rows, seconds)
        if counts:
            self.report.chunk_done(task.model, seconds)
        self._wake_up(wake_ups)

    def fail(self, task: BatchTask, error: bytes, last: bool) -> None:
        """Records that a chunk cannot be scored. With `last`, no further chunk is added to the queue."""
        self._wake_up(self._consumer.fail(task, error, last, self._most_wake_ups))

    def join(self, task: BatchTask) -> None:
        rows = sum(its_rows for its_rows, _ in task.done.values())
        failed = sum(its_failed for _, its_failed in task.done.values())
        if task.done:
            self._join(task)
        status, error = _ending(rows, failed)
        if ended := self._consumer.finish(task, status, error):
            extra = {"job_id": task.id, "status": ended, "rows": rows, "failed": failed}
            log.info("ended", extra=extra)
        self._clean(task)

    def preview(self, task: BatchTask, bundle: Bundle, wanted: Callable[[], bool]) -> None:
        """Writes what a dry run finds to a file."""
        planned = self._plan(task, bundle, wanted)
        source = input_of(task.id, task.options)
        found = preview(self._store_of(source), source.name, planned, bundle, task.options)
        with self._files.create(f"{folder_of(task.id)}/preview") as file:
            file.write(orjson.dumps(found))
        self._consumer.finish(task, BatchStatus.SUCCEEDED)

    def _join(self, task: BatchTask) -> None:
        result, errors = (output_of(task.id, task.options, name) for name in ("result", "errors"))
        parts = [_part(task.id, number) for number in sorted(task.done)]
        layout = Layout.from_json(task.layout)
        join_results(self._files, parts, layout, self._store_of(result), result.name)
        join_errors(self._files, list(_errors(task)), self._store_of(errors), errors.name)

    def _plan(self, task: BatchTask, bundle: Bundle, wanted: Callable[[], bool]) -> Plan:
        self._files.check_room(FOR_WORKERS)
        options, manifest = task.options, bundle.manifest
        source = input_of(task.id, options)
        if options.raw:
            self._prepare(task, source, wanted)
        request = TableRequest(
            input=options.input,
            results=options.results,
            schema=manifest.schema,
            scored=added_names(manifest.columns[options.explain], manifest.warns, options.prefix),
            include_inputs=options.include_inputs,
            dialect=Dialect(options.delimiter, options.decimal),
            warns=manifest.warns,
            explain=options.explain,
            escapes=options.escape_formulas,
        )
        planned = plan(self._store_of(source), source.name, request)
        check_values(sum(chunk.rows for chunk in planned.chunks), planned.layout.width, task.size)
        return planned

    def _prepare(self, task: BatchTask, plain: FileRef, wanted: Callable[[], bool]) -> None:
        source, options = source_of(task.id, task.options), task.options
        encoding = None if options.input is Format.PARQUET else options.encoding
        raw = RawFile(self._store_of(source), source.name, encoding)
        prepare(raw, self._files, plain.name, min(self._max_file, unpacked_limit(task.size)), wanted)

    def _store_of(self, file: FileRef) -> FileStore:
        return _files_at(file.store) if file.store else self._files

    def _wake_up(self, names: list[str]) -> None:
        for name in names:
            try_wake_up(self._send_wake_up, name)

    def _clean(self, task: BatchTask) -> None:
        """Removes the parts and the input. If that fails, the sweeper removes them when the batch expires."""
        files = {input_of(task.id, task.options), source_of(task.id, task.options)}
        try:
            self._files.remove(f"{folder_of(task.id)}/parts")
            for file in files:
                if not file.store:
                    self._files.remove_file(file.name)
        except JobsError as error:
            log.warning("files_unavailable", extra={"error": str(error)})


def _part(job_id: str, number: int) -> str:
    return f"{folder_of(job_id)}/parts/{number:06}"


def _errors(task: BatchTask) -> Iterator[tuple[str, int] | MissingRows]:
    """The errors file of each part with the number of its first row, and the rows that are missing."""
    first = missing = 0
    for number, chunk in enumerate(task.plan):
        if number not in task.done:
            missing += Chunk.from_text(chunk).rows
            continue
        if missing:
            yield MissingRows(first, missing)
            first, missing = first + missing, 0
        rows, failed = task.done[number]
        if failed:
            yield f"{_part(task.id, number)}.errors", first
        first += rows
    if missing:
        yield MissingRows(first, missing)


def _ending(rows: int, failed: int) -> tuple[BatchStatus, bytes]:
    if not rows:
        return BatchStatus.FAILED, NO_ROWS
    if failed == rows:
        return BatchStatus.FAILED, ALL_FAILED
    return (BatchStatus.PARTIALLY_SUCCEEDED if failed else BatchStatus.SUCCEEDED), b""


@lru_cache(maxsize=8)
def _files_at(address: str) -> FileStore:
    return files_at(address)
