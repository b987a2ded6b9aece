"""Joins the parts of a batch, step by step, and ends it."""

import logging
import time
from collections.abc import Callable

import orjson

from jobs.batches.consumer import BatchConsumer
from jobs.batches.record import part_of, parts_folder, plain_folder, source_of
from jobs.batches.status import BatchStatus
from jobs.batches.tasks import BatchTask, file_and_chunk
from jobs.errors import JobsError
from jobs.queues.script_calls import patiently
from worker.file_stores import FileStores
from worker.files_joining import FilesJoining, files_error
from worker.joined_tables import JoinedTable, JoinSteps, TableJoining, errors_of, parts_of
from worker.tables.cut import Chunk
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
        self._tables = TableJoining(stores)
        self._files = FilesJoining(self._tables, stores)

    def join(self, task: BatchTask, wanted: Callable[[], bool]) -> None:
        """Ends the batch, or has chunks scored again whose parts are not as they were recorded.

        Raises ScoringStopped once the task is no longer wanted or is in other hands.
        """
        if damaged := self._damaged(task):
            log.warning("parts_damaged", extra={"job_id": task.id, "chunks": damaged})
            self._wake_up(patiently(self._consumer.redo, task, damaged, PARTS_DAMAGED, self._most_wake_ups))
            return
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
        steps = JoinSteps(self._consumer, task, wanted, self._clock)
        if task.options.files:
            self._files.join(task, steps)
        elif task.done:
            chunks = [(number, Chunk.from_text(chunk)) for number, chunk in enumerate(task.plan)]
            errors = list(errors_of(task.id, chunks, task.done, task.cut_short))
            layout, parts = Layout.from_json(task.layout), parts_of(task.id, task.done)
            self._tables.join(JoinedTable(task.id, task.options, layout, parts, errors), steps)

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


def _ending(task: BatchTask) -> tuple[BatchStatus, bytes]:
    """A batch with missing rows never succeeds, whatever its record says."""
    rows, failed = _rows(task)
    missing = [file_and_chunk(planned) for number, planned in enumerate(task.plan) if number not in task.done]
    of_failed_files = [Chunk.from_text(chunk).rows for file, chunk in missing if file in task.file_errors]
    if task.cut_short or len(of_failed_files) < len(missing) or rows + sum(of_failed_files) != task.total:
        return BatchStatus.FAILED, PARTS_DAMAGED
    error = files_error(task) if task.file_errors else b""
    if not rows:
        return BatchStatus.FAILED, error or NO_ROWS
    if failed == rows:
        return BatchStatus.FAILED, error or ALL_FAILED
    return (BatchStatus.PARTIALLY_SUCCEEDED if failed or error else BatchStatus.SUCCEEDED), error
