"""Plans a batch: cuts its table into chunks, step by step, while the first of them are scored."""

import logging
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from jobs.batches.consumer import BatchConsumer, PlanStep
from jobs.batches.record import BatchOptions, input_of, source_of
from jobs.batches.tasks import BatchTask
from jobs.files.store import FOR_WORKERS
from jobs.files.tables import Format, added_names
from jobs.files.unpacking import unpacked_limit
from model.bundle import Bundle
from model.tables.dialect import Dialect
from worker.file_stores import FileStores
from worker.patience import patiently
from worker.stopping import ScoringStopped
from worker.tables.cut import Chunk, CutText, EndlessRecord, Text, TextFile, TextStream, endless_record
from worker.tables.limits import check_values
from worker.tables.plan import Layout, Plan, TableRequest, go_on_with_text, plan_parquet, plan_text
from worker.tables.prepare import RawFile, plain_pieces

log = logging.getLogger(__name__)

STEP_SECONDS = 1
"""After which a step is recorded, and other tasks have their turn."""


class Planning:
    """`max_file` is the most bytes that an unpacked file may have."""

    def __init__(
        self,
        consumer: BatchConsumer,
        stores: FileStores,
        wake_up: Callable[[list[str]], None],
        most_wake_ups: int,
        max_file: int,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._consumer = consumer
        self._stores = stores
        self._wake_up = wake_up
        self._most_wake_ups = most_wake_ups
        self._max_file = max_file
        self._clock = clock

    def plan(self, task: BatchTask, bundle: Bundle, wanted: Callable[[], bool]) -> None:
        """Records steps until the plan is complete, or until other tasks have their turn.

        Raises InvalidTable, and ScoringStopped once the task is no longer wanted or is in other hands.
        """
        first, found, began = task.chunks, list[Chunk](), self._clock()
        rows, sent = task.total, self._sent_bytes(task)
        resumed = recorded = None
        with self.opened(task, bundle, wanted) as plan:
            for cuts in plan.cuts:
                now = self._clock()
                resumed, recorded = resumed or now, recorded or now
                found += [self.keep(task, cut) for cut in cuts]
                rows += sum(cut.chunk.rows for cut in cuts)
                check_values(rows, plan.layout.width, sent)
                if now - recorded < STEP_SECONDS:
                    continue
                # To find the place again may take long: this turn then lasts at least as long.
                is_over = now - resumed >= resumed - began
                self._record(task, plan.layout, first, found, "turn" if is_over else "")
                if is_over:
                    return
                first, found, recorded = first + len(found), [], now
            self._record(task, plan.layout, first, found, "plan")
            log.info("planned", extra={"job_id": task.id, "chunks": first + len(found)})

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

    def _sent_bytes(self, task: BatchTask) -> int:
        """The size of the file as it was sent."""
        files, name = self._stores.find(source_of(task.id, task.options))
        return files.size(name)

    def _record(self, task: BatchTask, layout: Layout, first: int, found: list[Chunk], over: str) -> None:
        step = PlanStep(
            first,
            layout.to_json(),
            [chunk.to_text() for chunk in found],
            rows=sum(chunk.rows for chunk in found),
            bytes=sum(chunk.size for chunk in found),
            position=str(found[-1].end) if found else "",
            over=over,
        )
        recorded, wake_ups = patiently(self._consumer.planned, task, step, self._most_wake_ups)
        self._wake_up(wake_ups)
        if not recorded:
            raise ScoringStopped

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
        limit = min(self._max_file, unpacked_limit(self._sent_bytes(task)))
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
