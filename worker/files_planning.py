"""Plans several files, one after the other: their chunks are one plan, and no file ends another."""

from collections.abc import Callable
from typing import NamedTuple

from jobs.batches.inputs import ListedFile, PlannedFile, listing_of, read_listing
from jobs.batches.record import ref_of
from jobs.batches.tasks import BatchTask
from jobs.errors import OverLimit
from jobs.files.tables import format_of
from worker.faults import FILE_FAULTS, fault_of
from worker.file_stores import FileStores
from worker.layouts import Layouts
from worker.table_planning import PlanWork, TablePlanning
from worker.tables.plan import Layout
from worker.tables.prepare import MARK_BYTES, is_raw


class PlanPlace(NamedTuple):
    """Where planning goes on: in this file, from this byte on.

    `rows` are those of the file that are planned, `bytes` those of all files before it.
    """

    file: int = 0
    offset: int = 0
    rows: int = 0
    bytes: int = 0

    @classmethod
    def read(cls, text: str) -> "PlanPlace":
        return cls(*map(int, text.split(":"))) if text else cls()

    def to_text(self) -> str:
        return ":".join(map(str, self))


class FilesPlanning:
    """`most_bytes` are those of all files together."""

    def __init__(self, tables: TablePlanning, stores: FileStores, most_bytes: int) -> None:
        self._tables = tables
        self._stores = stores
        self._layouts = Layouts(stores.own)
        self._most_bytes = most_bytes

    def plan(self, work: PlanWork) -> bool:
        """Returns whether the plan is complete."""
        place, files, over = PlanPlace.read(work.task.planning), self.listed(work.task), ""
        while not over:
            over, place = self._plan_file(work, place, files[place.file])
        return over == "plan"

    def listed(self, task: BatchTask) -> list[ListedFile]:
        return list(read_listing(self._stores.own.read(listing_of(task.id, task.options))))

    def look_at(self, task: BatchTask, listed: ListedFile, before: int) -> PlannedFile:
        """The file, before its table is planned. `before` are the bytes of all files before it.

        Raises one of FILE_FAULTS.
        """
        size, version = listed.size, listed.version
        if size is None:
            size, version = self._stores.size_and_version(ref_of(listed.source, version))
        if before + size > self._most_bytes:
            raise OverLimit(f"with this file the batch has more than {self._most_bytes} bytes; send it alone")
        files, name = self._stores.find(ref_of(listed.source, version, size))
        start = next(files.pieces(name, 0, MARK_BYTES), b"")
        kind = format_of(listed.source) or task.options.input
        return PlannedFile(listed.source, size, version, kind, is_raw(start, task.options.encoding))

    def _plan_file(self, work: PlanWork, place: PlanPlace, listed: ListedFile) -> tuple[str, PlanPlace]:
        """Returns what is over, if anything is, and the place of the next file."""
        task, turn = work.task, work.turn
        turn.look()
        file = PlannedFile(listed.source, listed.size or 0, listed.version, task.options.input)
        turn.open(place.rows)
        try:
            file, layout = self._begun(task, place, listed)
            of_file = task.of_file(place.file, file, layout)._replace(planning=str(place.offset or ""))
            if not self._tables.plan(work._replace(task=of_file), self._recorder(work, place, file)):
                return "turn", place
        except FILE_FAULTS as error:
            file = file._replace(error=fault_of(error).to_json().decode())
        over = "turn" if turn.is_over else ""
        if place.file + 1 == task.options.files:
            over = "plan"
        following = PlanPlace(place.file + 1, bytes=place.bytes + file.size)
        self._record(work, place, file, turn.layout, following, over)
        return over, following

    def _begun(self, task: BatchTask, place: PlanPlace, listed: ListedFile) -> tuple[PlannedFile, bytes]:
        """The file, and its layout if it was planned as far as this place."""
        if task.file and place.offset:
            return task.file, self._layouts.read(task, task.file)
        return self.look_at(task, listed, place.bytes), b""

    def _recorder(self, work: PlanWork, place: PlanPlace, file: PlannedFile) -> Callable[[Layout, str], None]:
        """What records a step within a file."""

        def record(layout: Layout, over: str) -> None:
            turn = work.turn
            self._record(
                work, place, file, layout, place._replace(offset=turn.found[-1].end, rows=turn.rows), over
            )

        return record

    def _record(
        self,
        work: PlanWork,
        place: PlanPlace,
        file: PlannedFile,
        layout: Layout | None,
        following: PlanPlace,
        over: str,
    ) -> None:
        if layout:
            file = file._replace(layout=self._layouts.keep(work.task, layout.to_json()))
        step = work.turn.step(following.to_text(), over)
        self._tables.record(work.task, step._replace(file=place.file, file_planned=file.to_json()))
