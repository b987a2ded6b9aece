"""Plans a batch: cuts its tables into chunks, step by step, while the first of them are scored."""

import logging
import time
from collections.abc import Callable

from jobs.batches.consumer import BatchConsumer
from jobs.batches.tasks import BatchTask
from model.bundle import Bundle
from worker.file_stores import FileStores
from worker.files_planning import FilesPlanning
from worker.table_planning import PlannedTables, PlanWork, TablePlanning, Turn
from worker.tables.plan import Layout

log = logging.getLogger(__name__)


class Planning:
    """`max_file` is the most bytes that an unpacked file may have, and all files of a batch together."""

    def __init__(
        self,
        consumer: BatchConsumer,
        stores: FileStores,
        wake_up: Callable[[list[str]], None],
        most_wake_ups: int,
        max_file: int,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.tables = PlannedTables(stores, max_file)
        self._table = TablePlanning(consumer, self.tables, wake_up, most_wake_ups)
        self.files = FilesPlanning(self._table, stores, max_file)
        self._clock = clock

    def plan(self, task: BatchTask, bundle: Bundle, wanted: Callable[[], bool]) -> None:
        """Records steps until the plan is complete, or until other tasks have their turn.

        Raises InvalidTable if there is only one file, and ScoringStopped once the task is no longer wanted or
        is in other hands.
        """
        work = PlanWork(task, bundle, wanted, Turn(task, self._clock))
        if self.files.plan(work) if task.options.files else self._plan_file(work):
            log.info("planned", extra={"job_id": task.id, "chunks": work.turn.first})

    def _plan_file(self, work: PlanWork) -> bool:
        """Returns whether the plan is complete."""
        task, turn = work.task, work.turn

        def record(layout: Layout, over: str) -> None:
            position = str(turn.found[-1].end) if turn.found else ""
            self._table.record(task, turn.step(position, over, layout.to_json()))

        turn.open(task.total)
        if layout := self._table.plan(work, record):
            record(layout, "plan")
        return layout is not None
