"""The steps of a batch: it is planned, its chunks are scored, its parts are joined."""

import logging
import time
from collections.abc import Callable, Iterator
from functools import lru_cache

import orjson

from jobs.batches.consumer import BatchConsumer, Done, Parts, Task
from jobs.batches.record import FileRef, folder_of, input_of, output_of, source_of
from jobs.batches.status import BatchStatus
from jobs.broker import SendWakeUp, try_wake_up
from jobs.errors import InvalidTable, JobsError
from jobs.files.gunzip import gunzip
from jobs.files.store import Files, files_at
from jobs.files.tables import added_names
from jobs.metrics import CHUNK_SECONDS, Metrics
from model.bundle import Bundle
from worker.pace import Pace
from worker.tables.bisect import Slices
from worker.tables.chunks import ChunkScorer
from worker.tables.columns import predict_with
from worker.tables.join import Missing, join_errors, join_results
from worker.tables.layout import Chunk, Layout
from worker.tables.plan import Plan, Wanted, plan
from worker.tables.preview import preview
from worker.tables.score import Stopped
from worker.tables.warnings import warn_by

log = logging.getLogger(__name__)

ALL_FAILED = orjson.dumps({"type": "rows_failed", "detail": "no row could be scored; its errors say why"})
NO_ROWS = orjson.dumps({"type": "no_table", "detail": "the file has no rows"})


class BatchSteps:
    """Each step may be done again, by another child too, and then comes to the same.

    `most` is how many bytes a file may have once it is unpacked.
    """

    def __init__(
        self, line: BatchConsumer, files: Files, metrics: Metrics, ring: SendWakeUp, wake_ups: int, most: int
    ) -> None:
        self._line = line
        self._files = files
        self._metrics = metrics
        self._ring = ring
        self._bells = wake_ups
        self._most = most
        self.pace = Pace()

    def plan(self, task: Task, bundle: Bundle, wanted: Callable[[], bool]) -> None:
        planned = self._plan(task, bundle, wanted)
        chunks = [chunk.to_text() for chunk in planned.chunks]
        total = sum(chunk.rows for chunk in planned.chunks)
        size = sum(chunk.size for chunk in planned.chunks)
        layout = planned.layout.to_json()
        self._ring_all(self._line.planned(task, layout, total, size, chunks, self._bells))
        log.info("planned", extra={"id": task.id, "chunks": len(chunks)})

    def score(self, task: Task, bundle: Bundle, wanted: Callable[[], bool], slices: Slices) -> None:
        started = time.monotonic()
        chunk, layout = Chunk.from_text(task.chunk), Layout.from_json(task.layout)
        source, name = input_of(task.id, task.asked), _part(task.id, int(task.task))
        explain, manifest = task.asked.explain, bundle.manifest
        scorer = ChunkScorer(
            self._files,
            layout,
            manifest.schema,
            predict_with(bundle, explain),
            manifest.columns(explain),
            warn_by(bundle.observed),
        )
        part = scorer.score(self._at(source), source.name, chunk, name, wanted, slices)
        done = Done(part.rows, part.failed, chunk.size, chunk.rows)
        counts, wake_ups = self._line.done(task, done, self._bells)
        seconds = time.monotonic() - started
        self.pace.worked(part.rows, seconds)
        if counts:
            self._metrics.observe(CHUNK_SECONDS, [seconds], task.model)
        self._ring_all(wake_ups)

    def fail(self, task: Task, error: bytes, last: bool) -> None:
        """A chunk cannot be scored; `last` if no other is to be begun."""
        self._ring_all(self._line.fail(task, error, last, self._bells))

    def join(self, task: Task) -> None:
        parts = self._line.parts(task)
        if parts is None:
            return  # another child has joined them meanwhile
        rows = sum(its_rows for its_rows, _ in parts.done.values())
        failed = sum(its_failed for _, its_failed in parts.done.values())
        if parts.done:
            self._join(task, sorted(parts.done), list(_errors(task.id, parts)))
        status, error = _ending(rows, failed)
        if ended := self._line.finish(task, status, error):
            log.info("ended", extra={"id": task.id, "status": ended, "rows": rows, "failed": failed})
        self._clean(task)

    def _join(self, task: Task, numbers: list[int], with_errors: list[tuple[str, int] | Missing]) -> None:
        result, errors = (output_of(task.id, task.asked, name) for name in ("result", "errors"))
        names = [_part(task.id, number) for number in numbers]
        join_results(self._files, names, Layout.from_json(task.layout), self._at(result), result.name)
        join_errors(self._files, with_errors, self._at(errors), errors.name)

    def look(self, task: Task, bundle: Bundle, wanted: Callable[[], bool]) -> None:
        """What a dry run is to tell, as a file."""
        planned = self._plan(task, bundle, wanted)
        source = input_of(task.id, task.asked)
        found = preview(self._at(source), source.name, planned, bundle, task.asked.explain)
        with self._files.create(f"{folder_of(task.id)}/look") as file:
            file.write(orjson.dumps(found))
        self._line.finish(task, BatchStatus.SUCCEEDED)

    def _plan(self, task: Task, bundle: Bundle, wanted: Callable[[], bool]) -> Plan:
        asked, manifest = task.asked, bundle.manifest
        if asked.packed:
            self._unpack(task, wanted)
        source = input_of(task.id, asked)
        table = Wanted(
            input=asked.input,
            results=asked.results,
            features=manifest.schema.names,
            scored=added_names(manifest.columns(asked.explain), manifest.warns, asked.prefix),
            include_inputs=asked.include_inputs,
            encoding=asked.encoding,
            warns=manifest.warns,
            explain=asked.explain,
        )
        return plan(self._at(source), source.name, table)

    def _unpack(self, task: Task, wanted: Callable[[], bool]) -> None:
        """Raises InvalidTable, and Stopped once it is not wanted any more."""
        source, size = source_of(task.asked), 0
        with self._files.create(input_of(task.id, task.asked).name) as file:
            for piece in gunzip(self._at(source).pieces(source.name)):
                if not wanted():
                    raise Stopped
                size += len(piece)
                if size > self._most:
                    raise InvalidTable(
                        f"the file is longer than {self._most} bytes, unpacked; send it in parts"
                    )
                file.write(piece)

    def _at(self, place: FileRef) -> Files:
        return _store(place.store) if place.store else self._files

    def _ring_all(self, wake_ups: list[str]) -> None:
        for wake_up in wake_ups:
            try_wake_up(self._ring, wake_up)

    def _clean(self, task: Task) -> None:
        """What is not needed any more. What is left here goes when the batch expires."""
        source = input_of(task.id, task.asked)
        try:
            self._files.remove(f"{folder_of(task.id)}/parts")
            if not source.store:
                self._files.remove_file(source.name)
        except JobsError as error:
            log.warning("files_away", extra={"error": str(error)})


def _part(job_id: str, number: int) -> str:
    return f"{folder_of(job_id)}/parts/{number:06}"


def _errors(job_id: str, parts: Parts) -> Iterator[tuple[str, int] | Missing]:
    """Of each part that has errors its first row in the input; and what is missing."""
    first = missing = 0
    for number, chunk in enumerate(parts.chunks):
        if number not in parts.done:
            missing += Chunk.from_text(chunk).rows
            continue
        if missing:
            yield Missing(first, missing)
            first, missing = first + missing, 0
        rows, failed = parts.done[number]
        if failed:
            yield f"{_part(job_id, number)}.errors", first
        first += rows
    if missing:
        yield Missing(first, missing)


def _ending(rows: int, failed: int) -> tuple[BatchStatus, bytes]:
    if not rows:
        return BatchStatus.FAILED, NO_ROWS
    if failed == rows:
        return BatchStatus.FAILED, ALL_FAILED
    return (BatchStatus.PARTIALLY_SUCCEEDED if failed else BatchStatus.SUCCEEDED), b""


@lru_cache(maxsize=8)
def _store(place: str) -> Files:
    return files_at(place)
