"""Plans one table: opens it, finds its chunks, and records them step by step."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import NamedTuple

from jobs.batches.consumer import BatchConsumer, PlanStep
from jobs.batches.record import BatchOptions, input_of, source_of
from jobs.batches.tasks import BatchTask
from jobs.files.store import FOR_WORKERS
from jobs.files.tables import Format, added_names
from jobs.files.unpacking import unpacked_limit
from jobs.queues.script_calls import patiently
from model.bundle import Bundle
from model.tables.dialect import Dialect
from worker.file_stores import FileStores
from worker.stopping import ScoringStopped
from worker.tables.cut import Chunk, CutText, EndlessRecord, Text, TextFile, TextStream, endless_record
from worker.tables.limits import check_values
from worker.tables.plan import Layout, Plan, TableRequest, go_on_with_text, plan_parquet, plan_text
from worker.tables.prepare import RawFile, plain_pieces

STEP_SECONDS = 1
"""How long a step works before it is recorded, and other tasks have their turn."""


class PlannedTables:
    """Tables of files that a task names. `max_file` is the most bytes that an unpacked file may have."""

    def __init__(self, stores: FileStores, max_file: int) -> None:
        self._stores = stores
        self._max_file = max_file

    @contextmanager
    def opened(self, task: BatchTask, bundle: Bundle, wanted: Callable[[], bool]) -> Iterator[Plan]:
        """The plan, from the position on that the last step recorded."""

        def check() -> None:
            if not wanted():
                raise ScoringStopped

        request = request_of(task.options, bundle)
        if request.input is Format.PARQUET:
            if task.options.raw:
                self._unpack(task, check)
            with self._stores.open(input_of(task.id, task.options)) as (file, size):
                yield plan_parquet(file, size, request)
            return
        try:
            with self._text(task, check) as text:
                if task.planning:
                    layout = Layout.from_json(task.layout)
                    yield go_on_with_text(text, request, layout, int(task.planning))
                else:
                    yield plan_text(text, request)
        except EndlessRecord as error:
            with self._text(task, check) as text:
                raise endless_record(text, error.offset) from None

    def keep(self, task: BatchTask, cut: CutText) -> Chunk:
        """Writes the text of a chunk to a file of its own, where the input itself cannot be scored."""
        if task.options.has_plain_chunks:
            with self._stores.own.create(input_of(task.id, task.options, cut.chunk.start).name) as file:
                file.write(cut.text)
        return cut.chunk

    def sent_bytes(self, task: BatchTask) -> int:
        """The size of the file as it was sent."""
        if task.file:
            return task.file.size
        files, name = self._stores.find(source_of(task.id, task.options))
        return files.size(name)

    @contextmanager
    def _text(self, task: BatchTask, check: Callable[[], None]) -> Iterator[Text]:
        if task.options.raw:
            yield TextStream(self._plain_pieces(task, check))
            return
        with self._stores.open(source_of(task.id, task.options)) as (file, size):
            yield TextFile(file, size, check)

    def _unpack(self, task: BatchTask, check: Callable[[], None]) -> None:
        with self._stores.own.create(input_of(task.id, task.options).name) as unpacked:
            for piece in self._plain_pieces(task, check):
                unpacked.write(piece)

    def _plain_pieces(self, task: BatchTask, check: Callable[[], None]) -> Iterator[bytes]:
        files, name = self._stores.find(source_of(task.id, task.options))
        self._stores.own.check_room(FOR_WORKERS)
        encoding = None if task.options.input is Format.PARQUET else task.options.encoding
        limit = min(self._max_file, unpacked_limit(self.sent_bytes(task)))
        return plain_pieces(RawFile(files, name, encoding), limit, check)


def request_of(options: BatchOptions, bundle: Bundle) -> TableRequest:
    manifest = bundle.manifest
    return TableRequest(
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


class Turn:
    """What is planned until other tasks have their turn. What was found is recorded every second."""

    def __init__(self, task: BatchTask, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._began = self._now = clock()
        self._resumed: float | None = None
        self._recorded = self._began
        self.first = task.chunks
        self.found: list[Chunk] = []
        self.layout: Layout | None = None
        self.rows = 0
        """Of the table that is being planned."""

    def open(self, rows: int) -> None:
        self.layout, self.rows = None, rows

    def look(self) -> None:
        """Looks at the clock; the first time, the place where planning goes on is found."""
        self._now = self._clock()
        if self._resumed is None:
            self._resumed = self._recorded = self._now

    def add(self, chunks: list[Chunk]) -> None:
        self.look()
        self.found += chunks
        self.rows += sum(chunk.rows for chunk in chunks)

    @property
    def is_due(self) -> bool:
        return self._now - self._recorded >= STEP_SECONDS

    @property
    def is_over(self) -> bool:
        """To find the place again may take long: a turn then lasts at least as long."""
        resumed = self._now if self._resumed is None else self._resumed
        return self._now - resumed >= max(resumed - self._began, STEP_SECONDS)

    def step(self, position: str, over: str, layout: bytes = b"") -> PlanStep:
        """The step that records what was found."""
        found, first = self.found, self.first
        self.first, self.found, self._recorded = first + len(found), [], self._now
        return PlanStep(
            first,
            layout,
            [chunk.to_text() for chunk in found],
            rows=sum(chunk.rows for chunk in found),
            bytes=sum(chunk.size for chunk in found),
            position=position,
            over=over,
        )


class PlanWork(NamedTuple):
    """What a consumer plans, with which model, as long as it is wanted."""

    task: BatchTask
    bundle: Bundle
    wanted: Callable[[], bool]
    turn: Turn


class TablePlanning:
    """Plans one table, and records what it finds."""

    def __init__(
        self,
        consumer: BatchConsumer,
        tables: PlannedTables,
        wake_up: Callable[[list[str]], None],
        most_wake_ups: int,
    ) -> None:
        self._consumer = consumer
        self._tables = tables
        self._wake_up = wake_up
        self._most_wake_ups = most_wake_ups

    def plan(self, work: PlanWork, record: Callable[[Layout, str], None]) -> Layout | None:
        """Finds all chunks of a table; `record` is called with what is over after each step but the last.

        Returns None if the turn is over before the table is.
        """
        task, bundle, wanted, turn = work
        sent = self._tables.sent_bytes(task)
        with self._tables.opened(task, bundle, wanted) as plan:
            turn.layout = plan.layout
            for cuts in plan.cuts:
                check_values(turn.rows + sum(cut.chunk.rows for cut in cuts), plan.layout.width, sent)
                turn.add([self._tables.keep(task, cut) for cut in cuts])
                if turn.is_due and task.options.input is not Format.PARQUET:  # whose chunks come at once
                    is_over = turn.is_over
                    record(plan.layout, "turn" if is_over else "")
                    if is_over:
                        return None
            return plan.layout

    def record(self, task: BatchTask, step: PlanStep) -> None:
        """Raises ScoringStopped if the task is no longer wanted, or in other hands."""
        recorded, wake_ups = patiently(self._consumer.planned, task, step, self._most_wake_ups)
        self._wake_up(wake_ups)
        if not recorded:
            raise ScoringStopped
