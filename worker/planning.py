"""Plans a batch: cuts its tables into chunks, while the first of them are scored.

The chunks of several files are one plan, and no file ends another.
"""

import logging
import time
from collections.abc import Callable
from typing import NamedTuple, TypeAlias

from jobs.batches.consumer import BatchConsumer, PlanCheckpoint
from jobs.batches.inputs import ListedFile, PlannedFile, listing_of, read_listing
from jobs.batches.record import ref_of
from jobs.batches.tasks import BatchTask
from jobs.errors import OverLimit
from jobs.files.tables import MARK_BYTES, Format, format_of, needs_decoding
from jobs.queues.script_calls import patiently
from model.bundle import Bundle
from worker import stopping
from worker.batch_files import BatchFiles, PlannedTables
from worker.faults import FILE_FAULTS, fault_of
from worker.limits import check_values
from worker.stopping import ScoringStopped
from worker.tables.cut import Chunk
from worker.tables.plan import Layout
from worker.tables.prepare import checked_encoding

log = logging.getLogger(__name__)

RecordCheckpoint: TypeAlias = Callable[[Layout, str], None]
"""Records a checkpoint within a table. Takes what is over with it: the "slot", or nothing."""


class PlanSlot:
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
        """Rows of the table that is being planned."""

    def open(self, rows: int) -> None:
        self.layout, self.rows = None, rows

    def read_clock(self) -> None:
        """Reads the clock; the first time, the position where planning goes on is found."""
        self._now = self._clock()
        if self._resumed is None:
            self._resumed = self._recorded = self._now

    def add(self, chunks: list[Chunk]) -> None:
        self.read_clock()
        self.found += chunks
        self.rows += sum(chunk.rows for chunk in chunks)

    @property
    def is_due(self) -> bool:
        return self._now - self._recorded >= stopping.CHECKPOINT_SECONDS

    @property
    def is_over(self) -> bool:
        """To find the position again may take long: a slot then lasts at least as long."""
        resumed = self._now if self._resumed is None else self._resumed
        return self._now - resumed >= max(resumed - self._began, stopping.CHECKPOINT_SECONDS)

    def checkpoint(self, position: str, over: str, layout: bytes = b"") -> PlanCheckpoint:
        """The checkpoint that records what was found."""
        found, first = self.found, self.first
        self.first, self.found, self._recorded = first + len(found), [], self._now
        return PlanCheckpoint(
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
    slot: PlanSlot


class PlanPosition(NamedTuple):
    """Where planning several files goes on: in this file, from this byte on.

    `rows` are those of the file that are planned, `bytes` those of all files before it.
    """

    file: int = 0
    offset: int = 0
    rows: int = 0
    bytes: int = 0

    @classmethod
    def read(cls, text: str) -> "PlanPosition":
        return cls(*map(int, text.split(":"))) if text else cls()

    def to_text(self) -> str:
        return ":".join(map(str, self))


class Planning:
    """`max_file` is the most bytes that an unpacked file may have, and all files of a batch together."""

    def __init__(
        self,
        consumer: BatchConsumer,
        files: BatchFiles,
        max_file: int,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.tables = PlannedTables(files, max_file)
        self._consumer = consumer
        self._files = files
        self._max_file = max_file
        self._clock = clock

    def plan(self, task: BatchTask, bundle: Bundle, wanted: Callable[[], bool]) -> None:
        """Records checkpoints until the plan is complete, or until other tasks have their turn.

        Raises InvalidTable if there is only one file, and ScoringStopped once the task is no longer wanted or
        is in other hands.
        """
        work = PlanWork(task, bundle, wanted, PlanSlot(task, self._clock))
        if self._plan_files(work) if task.options.files else self._plan_file(work):
            log.info("planned", extra={"job_id": task.id, "chunks": work.slot.first})

    def _plan_file(self, work: PlanWork) -> bool:
        """Returns whether the plan is complete."""
        task, slot = work.task, work.slot

        def record(layout: Layout, over: str) -> None:
            position = str(slot.found[-1].end) if slot.found else ""
            self._record(task, slot.checkpoint(position, over, layout.to_json()))

        slot.open(task.total)
        if layout := self._plan_table(work, record):
            record(layout, "plan")
        return layout is not None

    def _plan_table(self, work: PlanWork, record: RecordCheckpoint) -> Layout | None:
        """Finds all chunks of a table; `record` is called at each checkpoint but the last.

        Returns None if the slot is over before the table is.
        """
        task, bundle, wanted, slot = work
        sent = self.tables.sent_bytes(task)
        with self.tables.opened(task, bundle, wanted) as plan:
            slot.layout = plan.layout
            for cuts in plan.cuts:
                check_values(slot.rows + sum(cut.chunk.rows for cut in cuts), plan.layout.width, sent)
                slot.add([self.tables.keep(task, cut) for cut in cuts])
                if slot.is_due and task.options.input is not Format.PARQUET:  # whose chunks come at once
                    is_over = slot.is_over
                    record(plan.layout, "slot" if is_over else "")
                    if is_over:
                        return None
            return plan.layout

    def _record(self, task: BatchTask, checkpoint: PlanCheckpoint) -> None:
        """Raises ScoringStopped if the task is no longer wanted, or in other hands."""
        if not patiently(self._consumer.planned, task, checkpoint):
            raise ScoringStopped

    def _plan_files(self, work: PlanWork) -> bool:
        """Returns whether the plan is complete."""
        position, files, over = PlanPosition.read(work.task.planning), self.listed(work.task), ""
        while not over:
            over, position = self._plan_file_of_several(work, position, files[position.file])
        return over == "plan"

    def listed(self, task: BatchTask) -> list[ListedFile]:
        return list(read_listing(self._files.own.read(listing_of(task.id, task.options))))

    def probe_file(self, task: BatchTask, listed: ListedFile, before: int) -> PlannedFile:
        """One of several files, before its table is planned. `before` are the bytes of all files before it.

        Raises one of FILE_FAULTS.
        """
        size, version = listed.size, listed.version
        if size is None:
            size, version = self._files.size_and_version(ref_of(listed.source, version))
        if before + size > self._max_file:
            raise OverLimit(f"with this file the batch has more than {self._max_file} bytes; send it alone")
        files, name = self._files.find(ref_of(listed.source, version, size))
        start = next(files.pieces(name, 0, MARK_BYTES), b"")
        kind = format_of(listed.source) or task.options.input
        return PlannedFile(
            listed.source,
            size,
            version,
            kind,
            needs_decoding(start, checked_encoding(start, task.options.encoding)),
        )

    def _plan_file_of_several(
        self, work: PlanWork, position: PlanPosition, listed: ListedFile
    ) -> tuple[str, PlanPosition]:
        """Returns what is over, if anything is, and the position of the next file."""
        task, slot = work.task, work.slot
        slot.read_clock()
        file = PlannedFile(listed.source, listed.size or 0, listed.version, task.options.input)
        slot.open(position.rows)
        try:
            file, layout = self._begun(task, position, listed)
            of_file = task.of_file(position.file, file, layout)._replace(planning=str(position.offset or ""))
            if not self._plan_table(work._replace(task=of_file), self._recorder(work, position, file)):
                return "slot", position
        except FILE_FAULTS as error:
            file = file._replace(error=fault_of(error).to_json().decode())
        over = "slot" if slot.is_over else ""
        if position.file + 1 == task.options.files:
            over = "plan"
        following = PlanPosition(position.file + 1, bytes=position.bytes + file.size)
        self._record_file(work, position, file, slot.layout, following, over)
        return over, following

    def _begun(
        self, task: BatchTask, position: PlanPosition, listed: ListedFile
    ) -> tuple[PlannedFile, bytes]:
        """The file, and its layout if it was planned as far as this position."""
        if task.file and position.offset:
            return task.file, self._files.read_layout(task, task.file)
        return self.probe_file(task, listed, position.bytes), b""

    def _recorder(self, work: PlanWork, position: PlanPosition, file: PlannedFile) -> RecordCheckpoint:
        """What records a checkpoint within one of several files."""

        def record(layout: Layout, over: str) -> None:
            following = position._replace(offset=work.slot.found[-1].end, rows=work.slot.rows)
            self._record_file(work, position, file, layout, following, over)

        return record

    def _record_file(
        self,
        work: PlanWork,
        position: PlanPosition,
        file: PlannedFile,
        layout: Layout | None,
        following: PlanPosition,
        over: str,
    ) -> None:
        if layout:
            file = file._replace(layout=self._files.keep_layout(work.task, layout.to_json()))
        checkpoint = work.slot.checkpoint(following.to_text(), over)
        self._record(work.task, checkpoint._replace(file=position.file, file_planned=file.to_json()))
