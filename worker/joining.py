"""Joins the parts of a batch, from checkpoint to checkpoint, and ends it."""

import hashlib
import logging
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack, closing
from itertools import chain
from typing import NamedTuple, TypeAlias

import orjson

from jobs import RELEASE
from jobs.batches.consumer import BatchConsumer
from jobs.batches.inputs import NOT_WRITTEN, JoinedFile
from jobs.batches.record import (
    BatchOptions,
    first_rows_of,
    output_of,
    part_of,
    parts_folder,
    plain_folder,
    source_of,
)
from jobs.batches.status import BatchStatus
from jobs.batches.tasks import BatchTask, ChunkDone, file_and_chunk
from jobs.errors import FileMissing, FilesUnavailable, JobsError
from jobs.files.store import Draft, FileRange, FileStore
from jobs.files.tables import Format
from jobs.queues.script_calls import patiently
from worker import stopping
from worker.batch_files import BatchFiles
from worker.faults import FileFault
from worker.stopping import ScoringStopped
from worker.tables.cut import Chunk
from worker.tables.first_rows import first_rows
from worker.tables.join import MissingRows, PartFile, Piece, error_pieces, result_pieces
from worker.tables.plan import Layout

log = logging.getLogger(__name__)

SPENT = frozenset({BatchStatus.SUCCEEDED, BatchStatus.CANCELED})
"""The ends after which no row is tried again. After others, input and parts stay until the batch expires."""
ALL_FAILED = orjson.dumps(
    {"type": "rows_failed", "detail": "no row could be scored; the errors say why for each row"}
)
NO_ROWS = orjson.dumps({"type": "invalid_table", "detail": "the file has no rows"})
PARTS_DAMAGED = orjson.dumps(
    {"type": "not_finished", "detail": "parts of the results were damaged or removed again and again"}
)
SHOWN_FILES = 3
"""So many files that could not be scored are named in the error of a batch."""


class Position(NamedTuple):
    """How far the results and the errors are: the state and the size of each draft; of several files, whose.

    `parts` identifies what is joined. With other parts, or another release, it begins anew.
    """

    parts: str
    result: tuple[str, int] = ("", 0)
    errors: tuple[str, int] = ("", 0)
    file: int = 0

    @classmethod
    def of(cls, task: BatchTask) -> "Position":
        joined = repr((RELEASE, task.layout, sorted(task.done.items()))).encode()
        begin = cls(hashlib.sha256(joined).hexdigest())
        saved = cls(*orjson.loads(task.joining)) if task.joining else begin
        return saved if saved.parts == begin.parts else begin


class JoinCheckpoints:
    """Records every second how far the joining is."""

    def __init__(
        self,
        consumer: BatchConsumer,
        task: BatchTask,
        wanted: Callable[[], bool],
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._consumer = consumer
        self._task = task
        self._wanted = wanted
        self._clock = clock
        self._saved_at = clock()
        self.position = Position.of(task)
        self.unsaved: dict[int, JoinedFile] = {}
        """The files that were joined since the last checkpoint."""

    @property
    def is_due(self) -> bool:
        return self._clock() - self._saved_at >= stopping.CHECKPOINT_SECONDS

    def check(self) -> None:
        """Raises ScoringStopped once the task is no longer wanted."""
        if not self._wanted():
            raise ScoringStopped

    def begin(self, file: int) -> None:
        """Goes on with this file, from its beginning unless the last checkpoint was within it."""
        if self.position.file != file:
            self.position = Position(self.position.parts, file=file)

    def save(self, position: Position) -> None:
        """Raises ScoringStopped if the task is in other hands."""
        if not patiently(self._consumer.joined, self._task, orjson.dumps(tuple(position)), self.unsaved):
            raise ScoringStopped
        self.position, self.unsaved, self._saved_at = position, {}, self._clock()


JoinFiles: TypeAlias = Callable[[BatchTask, JoinCheckpoints], None]
"""Joins the parts of several files, file by file."""


class Joining:
    def __init__(
        self,
        consumer: BatchConsumer,
        files: BatchFiles,
        join_files: JoinFiles,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._consumer = consumer
        self._files = files
        self._join_files = join_files
        self._clock = clock
        self._tables = TableJoining(files)

    def join(self, task: BatchTask, wanted: Callable[[], bool]) -> None:
        """Ends the batch, or has chunks scored again whose parts are not as they were recorded.

        Raises ScoringStopped once the task is no longer wanted or is in other hands.
        """
        if damaged := self._damaged(task):
            log.warning("parts_damaged", extra={"job_id": task.id, "chunks": damaged})
            patiently(self._consumer.redo, task, damaged, PARTS_DAMAGED)
            return
        self._write(task, wanted)
        status, error = _ending(task)
        if patiently(self._consumer.finish, task, status, error) in SPENT:
            self._clean(task)

    def _damaged(self, task: BatchTask) -> list[int]:
        """The chunks whose parts have another size than was recorded, or are gone."""
        sizes = self._files.own.sizes(parts_folder(task.id))

        def is_whole(number: int) -> bool:
            done, part = task.done[number], part_of(task.id, number)
            errors_size = sizes.get(f"{part}.errors") if done.failed else 0
            return (sizes.get(part), errors_size) == (done.size, done.errors_size)

        return [number for number in sorted(task.done) if not is_whole(number)]

    def _write(self, task: BatchTask, wanted: Callable[[], bool]) -> None:
        checkpoints = JoinCheckpoints(self._consumer, task, wanted, self._clock)
        if task.options.files:
            self._join_files(task, checkpoints)
        elif task.done:
            chunks = [(number, Chunk.from_text(chunk)) for number, chunk in enumerate(task.plan)]
            errors = list(errors_of(task.id, chunks, task.done, task.cut_short))
            layout, parts = Layout.from_json(task.layout), parts_of(task.id, task.done)
            self._tables.join(JoinedTable(task.id, task.options, layout, parts, errors), checkpoints)

    def _clean(self, task: BatchTask) -> None:
        """Removes the parts and the input. If that fails, the sweeper removes them when the batch expires."""
        own, source = self._files.own, source_of(task.id, task.options)
        try:
            own.remove(parts_folder(task.id))
            own.remove(plain_folder(task.id))
            if not source.folder and not task.options.input_from:
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
    error = _files_error(task) if task.file_errors else b""
    if not rows:
        return BatchStatus.FAILED, error or NO_ROWS
    if failed == rows:
        return BatchStatus.FAILED, error or ALL_FAILED
    return (BatchStatus.PARTIALLY_SUCCEEDED if failed or error else BatchStatus.SUCCEEDED), error


def _files_error(task: BatchTask) -> bytes:
    """Names the first files that could not be scored, and why."""
    numbers = sorted(task.file_errors)
    named = [
        f"{task.files[number].source}: {orjson.loads(task.file_errors[number])['detail']}"
        for number in numbers[:SHOWN_FILES]
    ]
    more = f"; and {len(numbers) - SHOWN_FILES} more, see the manifest" if numbers[SHOWN_FILES:] else ""
    detail = f"{len(numbers)} of {task.options.files} files failed: {'; '.join(named)}{more}"
    return FileFault("files_failed", detail).to_json()


class JoinedTable(NamedTuple):
    """A table whose parts are joined. `errors` are the parts of the errors, and the rows that are missing."""

    job_id: str
    options: BatchOptions
    layout: Layout
    parts: Sequence[PartFile]
    errors: Sequence[tuple[PartFile, int] | MissingRows]


def parts_of(job_id: str, done: Mapping[int, ChunkDone]) -> list[PartFile]:
    return [PartFile(part_of(job_id, number), done[number].size) for number in sorted(done)]


def errors_of(
    job_id: str, chunks: Iterable[tuple[int, Chunk]], done: Mapping[int, ChunkDone], cut_short: bool
) -> Iterator[tuple[PartFile, int] | MissingRows]:
    """The errors file of each part with the number of its first row, and the rows that are missing."""
    first = missing = 0
    for number, chunk in chunks:
        if number not in done:
            missing += chunk.rows
            continue
        if missing:
            yield MissingRows(first, missing)
            first, missing = first + missing, 0
        if done[number].failed:
            yield PartFile(f"{part_of(job_id, number)}.errors", done[number].errors_size), first
        first += done[number].rows
    if missing or cut_short:
        yield MissingRows(first, 0 if cut_short else missing)


class TableJoining:
    def __init__(self, files: BatchFiles) -> None:
        self._files = files

    def join(self, table: JoinedTable, checkpoints: JoinCheckpoints) -> JoinedFile:
        """Writes the results and the errors; of one of several files, errors only if there are any.

        Raises ScoringStopped once the task is no longer wanted, or is in other hands.
        """
        position = checkpoints.position
        with ExitStack() as opened:
            result = opened.enter_context(closing(self._draft(table, "result", *position.result)))
            errors = None
            if table.errors or table.options.file is None:
                errors = opened.enter_context(closing(self._draft(table, "errors", *position.errors)))
            try:
                self._copy(table, result, errors, checkpoints)
                tags = [draft.finish() for draft in (result, errors) if draft]
                self._show_first_rows(table)
            except FileMissing:  # the next try finds which part is gone, and begins a draft that is gone anew
                raise FilesUnavailable("a file was removed while the parts were joined") from None
        return JoinedFile(result.at, tags[0], errors.at if errors else NOT_WRITTEN, "".join(tags[1:]))

    def _show_first_rows(self, table: JoinedTable) -> None:
        """Web cannot read Parquet. Of several files nobody looks at all."""
        if table.layout.results is not Format.PARQUET or table.options.file is not None:
            return
        own = self._files.own
        with own.open(table.parts[0].name) as part:
            lines = first_rows(part)
        with own.create(first_rows_of(table.job_id)) as file:
            file.write(lines)

    def _copy(
        self, table: JoinedTable, result: Draft, errors: Draft | None, checkpoints: JoinCheckpoints
    ) -> None:
        own, position = self._files.own, checkpoints.position

        def save() -> None:
            checkpoints.save(
                position._replace(result=result.save(), errors=errors.save() if errors else ("", 0))
            )

        if table.options.file is None and position == Position(position.parts):
            save()  # whoever goes on uses these drafts
        writes = _write_pieces(result, own, result_pieces(own, table.parts, table.layout, result.at))
        if errors:
            writes = chain(writes, _write_pieces(errors, own, error_pieces(own, table.errors, errors.at)))
        checkpoints.check()
        for _ in writes:
            if checkpoints.is_due:
                save()
            checkpoints.check()

    def _draft(self, table: JoinedTable, name: str, state: str, at: int) -> Draft:
        files, file = self._files.find(output_of(table.job_id, table.options, name))
        return files.draft(file, state, at)


def _write_pieces(draft: Draft, own: FileStore, pieces: Iterable[Piece]) -> Iterator[None]:
    """Writes the pieces. Yields after each, and within a long one several times."""
    for piece in pieces:
        if isinstance(piece, FileRange):
            start = piece.start
            while start < piece.end:
                start += draft.copy(own, piece._replace(start=start))
                yield
        else:
            draft.write(piece)
            yield
