"""Joins the parts of one table to its results and its errors, step by step."""

import hashlib
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack, closing
from typing import NamedTuple

import orjson

from jobs import RELEASE
from jobs.batches.consumer import BatchConsumer
from jobs.batches.inputs import NOT_WRITTEN, JoinedFile
from jobs.batches.record import BatchOptions, first_rows_of, output_of, part_of
from jobs.batches.tasks import BatchTask, ChunkDone
from jobs.errors import FileMissing, FilesUnavailable
from jobs.files.store import Draft
from jobs.files.tables import Format
from jobs.queues.script_calls import patiently
from worker.file_stores import FileStores
from worker.stopping import ScoringStopped
from worker.tables.cut import Chunk
from worker.tables.first_rows import first_rows
from worker.tables.join import MissingRows, PartFile, error_pieces, result_pieces
from worker.tables.plan import Layout

STEP_SECONDS = 1


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


class JoinSteps:
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
        """The files that were joined since the last step."""

    @property
    def is_due(self) -> bool:
        return self._clock() - self._saved_at >= STEP_SECONDS

    def check(self) -> None:
        """Raises ScoringStopped once the task is no longer wanted."""
        if not self._wanted():
            raise ScoringStopped

    def begin(self, file: int) -> None:
        """Goes on with this file, from its beginning unless the last step was within it."""
        if self.position.file != file:
            self.position = Position(self.position.parts, file=file)

    def save(self, position: Position) -> None:
        """Raises ScoringStopped if the task is in other hands."""
        if not patiently(self._consumer.joined, self._task, orjson.dumps(tuple(position)), self.unsaved):
            raise ScoringStopped
        self.position, self.unsaved, self._saved_at = position, {}, self._clock()


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
    def __init__(self, stores: FileStores) -> None:
        self._stores = stores

    def join(self, table: JoinedTable, steps: JoinSteps) -> JoinedFile:
        """Writes the results and the errors; of one of several files, errors only if there are any.

        Raises ScoringStopped once the task is no longer wanted, or is in other hands.
        """
        position = steps.position
        with ExitStack() as opened:
            result = opened.enter_context(closing(self._draft(table, "result", *position.result)))
            errors = None
            if table.errors or table.options.file is None:
                errors = opened.enter_context(closing(self._draft(table, "errors", *position.errors)))
            try:
                self._copy(table, result, errors, steps)
                tags = [draft.finish() for draft in (result, errors) if draft]
                self._show_first_rows(table)
            except FileMissing:  # the next try finds which part is gone, and begins a draft that is gone anew
                raise FilesUnavailable("a file was removed while the parts were joined") from None
        return JoinedFile(result.at, tags[0], errors.at if errors else NOT_WRITTEN, "".join(tags[1:]))

    def _show_first_rows(self, table: JoinedTable) -> None:
        """Web cannot read Parquet. Of several files nobody looks at all."""
        if table.layout.results is not Format.PARQUET or table.options.file is not None:
            return
        own = self._stores.own
        with own.open(table.parts[0].name) as part:
            lines = first_rows(part)
        with own.create(first_rows_of(table.job_id)) as file:
            file.write(lines)

    def _copy(self, table: JoinedTable, result: Draft, errors: Draft | None, steps: JoinSteps) -> None:
        own, position = self._stores.own, steps.position

        def save() -> None:
            steps.save(position._replace(result=result.save(), errors=errors.save() if errors else ("", 0)))

        if table.options.file is None and position == Position(position.parts):
            save()  # whoever goes on uses these drafts
        written = [(result, result_pieces(own, table.parts, table.layout, result.at))]
        if errors:
            written.append((errors, error_pieces(own, table.errors, errors.at)))
        for draft, pieces in written:
            for piece in pieces:
                steps.check()
                draft.write(piece)
                if steps.is_due:
                    save()

    def _draft(self, table: JoinedTable, name: str, state: str, at: int) -> Draft:
        files, file = self._stores.find(output_of(table.job_id, table.options, name))
        return files.draft(file, state, at)
