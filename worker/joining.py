"""Joins the parts of a batch, step by step, and ends it."""

import hashlib
import logging
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from typing import NamedTuple

import orjson

from jobs import RELEASE
from jobs.batches.consumer import BatchConsumer
from jobs.batches.record import output_of, part_of, parts_folder, plain_folder, source_of
from jobs.batches.status import BatchStatus
from jobs.batches.tasks import BatchTask
from jobs.errors import FileMissing, FilesUnavailable, JobsError
from jobs.files.store import Draft
from worker.file_stores import FileStores
from worker.patience import patiently
from worker.stopping import ScoringStopped
from worker.tables.cut import Chunk
from worker.tables.join import MissingRows, PartFile, error_pieces, result_pieces
from worker.tables.plan import Layout

log = logging.getLogger(__name__)

STEP_SECONDS = 1

SPENT = frozenset({BatchStatus.SUCCEEDED, BatchStatus.CANCELED})
"""The ends after which no row is tried again. After others, input and parts stay until the batch expires."""
ALL_FAILED = orjson.dumps(
    {"type": "rows_failed", "detail": "no row could be scored; the errors say why for each row"}
)
NO_ROWS = orjson.dumps({"type": "invalid_table", "detail": "the file has no rows"})
PARTS_DAMAGED = orjson.dumps(
    {"type": "not_finished", "detail": "parts of the results were damaged or removed again and again"}
)


class Position(NamedTuple):
    """How far the results and the errors are: the state and the size of each draft.

    `parts` identifies what is joined. With other parts, or another release, it begins anew.
    """

    parts: str
    result: tuple[str, int] = ("", 0)
    errors: tuple[str, int] = ("", 0)

    @classmethod
    def of(cls, task: BatchTask) -> "Position":
        joined = repr((RELEASE, task.layout, sorted(task.done.items()))).encode()
        begin = cls(hashlib.sha256(joined).hexdigest())
        saved = cls(*orjson.loads(task.joining)) if task.joining else begin
        return saved if saved.parts == begin.parts else begin


class Joining:
    def __init__(
        self,
        consumer: BatchConsumer,
        stores: FileStores,
        wake_up: Callable[[list[str]], None],
        most_wake_ups: int,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._consumer = consumer
        self._stores = stores
        self._wake_up = wake_up
        self._most_wake_ups = most_wake_ups
        self._clock = clock

    def join(self, task: BatchTask, wanted: Callable[[], bool]) -> None:
        """Ends the batch, or has chunks scored again whose parts are not as they were recorded.

        Raises ScoringStopped once the task is no longer wanted or is in other hands.
        """
        if damaged := self._damaged(task):
            log.warning("parts_damaged", extra={"job_id": task.id, "chunks": damaged})
            self._wake_up(patiently(self._consumer.redo, task, damaged, PARTS_DAMAGED, self._most_wake_ups))
            return
        if task.done:
            self._write(task, wanted)
        status, error = _ending(task)
        if patiently(self._consumer.finish, task, status, error) in SPENT:
            self._clean(task)

    def _damaged(self, task: BatchTask) -> list[int]:
        """The chunks whose parts have another size than was recorded, or are gone."""
        sizes = self._stores.own.sizes(parts_folder(task.id))

        def is_whole(number: int) -> bool:
            done, part = task.done[number], part_of(task.id, number)
            errors_size = sizes.get(f"{part}.errors") if done.failed else 0
            return (sizes.get(part), errors_size) == (done.size, done.errors_size)

        return [number for number in sorted(task.done) if not is_whole(number)]

    def _write(self, task: BatchTask, wanted: Callable[[], bool]) -> None:
        position = Position.of(task)
        with (
            closing(self._draft(task, "result", *position.result)) as result,
            closing(self._draft(task, "errors", *position.errors)) as errors,
        ):
            if position.parts.encode() not in task.joining:
                self._save(task, position.parts, result, errors)  # whoever goes on uses these drafts
            try:
                self._copy(task, position, result, errors, wanted)
                result.finish()
                errors.finish()
            except FileMissing:  # the next try finds which part is gone, and begins a draft that is gone anew
                raise FilesUnavailable("a file was removed while the parts were joined") from None

    def _copy(
        self, task: BatchTask, position: Position, result: Draft, errors: Draft, wanted: Callable[[], bool]
    ) -> None:
        own, layout, saved_at = self._stores.own, Layout.from_json(task.layout), self._clock()
        parts = [PartFile(part_of(task.id, number), task.done[number].size) for number in sorted(task.done)]
        for draft, pieces in (
            (result, result_pieces(own, parts, layout, result.at)),
            (errors, error_pieces(own, _errors(task), errors.at)),
        ):
            for piece in pieces:
                if not wanted():
                    raise ScoringStopped
                draft.write(piece)
                if self._clock() - saved_at >= STEP_SECONDS:
                    self._save(task, position.parts, result, errors)
                    saved_at = self._clock()

    def _save(self, task: BatchTask, parts: str, result: Draft, errors: Draft) -> None:
        position = orjson.dumps((parts, result.save(), errors.save()))
        if not patiently(self._consumer.joined, task, position):
            raise ScoringStopped

    def _draft(self, task: BatchTask, name: str, state: str, at: int) -> Draft:
        files, file = self._stores.find(output_of(task.id, task.options, name))
        return files.draft(file, state, at)

    def _clean(self, task: BatchTask) -> None:
        """Removes the parts and the input. If that fails, the sweeper removes them when the batch expires."""
        own, source = self._stores.own, source_of(task.id, task.options)
        try:
            own.remove(parts_folder(task.id))
            own.remove(plain_folder(task.id))
            if not source.store and not task.options.input_from:
                own.remove_file(source.name)
        except JobsError as error:
            log.warning("files_unavailable", extra={"error": str(error)})


def _rows(task: BatchTask) -> tuple[int, int]:
    """The rows of the parts, and those of them that failed."""
    return sum(done.rows for done in task.done.values()), sum(done.failed for done in task.done.values())


def _errors(task: BatchTask) -> Iterator[tuple[PartFile, int] | MissingRows]:
    """The errors file of each part with the number of its first row, and the rows that are missing."""
    first = missing = 0
    for number, chunk in enumerate(task.plan):
        if number not in task.done:
            missing += Chunk.from_text(chunk).rows
            continue
        if missing:
            yield MissingRows(first, missing)
            first, missing = first + missing, 0
        done = task.done[number]
        if done.failed:
            yield PartFile(f"{part_of(task.id, number)}.errors", done.errors_size), first
        first += done.rows
    if missing or task.cut_short:
        yield MissingRows(first, 0 if task.cut_short else missing)


def _ending(task: BatchTask) -> tuple[BatchStatus, bytes]:
    """A batch with missing rows never succeeds, whatever its record says."""
    rows, failed = _rows(task)
    if task.cut_short or len(task.done) < len(task.plan) or rows != task.total:
        return BatchStatus.FAILED, PARTS_DAMAGED
    if not rows:
        return BatchStatus.FAILED, NO_ROWS
    if failed == rows:
        return BatchStatus.FAILED, ALL_FAILED
    return (BatchStatus.PARTIALLY_SUCCEEDED if failed else BatchStatus.SUCCEEDED), b""
