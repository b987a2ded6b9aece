"""Looks at the tables of a dry run, and scores the first rows."""

from collections.abc import Callable
from typing import Any, NamedTuple

import orjson

from jobs.batches.consumer import BatchConsumer
from jobs.batches.record import folder_of
from jobs.batches.status import BatchStatus
from jobs.batches.tasks import BatchTask
from jobs.errors import InvalidTable
from model.bundle import Bundle
from worker.batch_files import BatchFiles
from worker.faults import FILE_FAULTS
from worker.planning import Planning
from worker.tables.cut import Chunk
from worker.tables.plan import Layout
from worker.tables.preview import preview
from worker.tables.read import read_rows

SHOWN_FAULTS = 20
"""So many files that cannot be read are named."""


class LookedAt(NamedTuple):
    """A table: its rows, and its first chunk."""

    task: BatchTask
    layout: Layout
    rows: int
    first: Chunk


class Previewing:
    def __init__(self, consumer: BatchConsumer, files: BatchFiles, planning: Planning) -> None:
        self._consumer = consumer
        self._files = files
        self._planning = planning

    def preview(self, task: BatchTask, bundle: Bundle, wanted: Callable[[], bool]) -> None:
        """Writes what a dry run finds to a file. Raises one of FILE_FAULTS if no table can be read."""
        if task.options.files:
            looked_at, files = self._look_at_files(task, bundle, wanted)
        else:
            looked_at, files = [self._look_at(task, bundle, wanted)], {}
        first = looked_at[0]
        source, name, chunk = self._files.find_chunk(first.task, first.first)
        blocks = read_rows(source, name, first.layout, bundle.manifest.schema.names, chunk)
        total = sum(table.rows for table in looked_at)
        found = preview(blocks, first.layout, total, bundle, task.options)
        with self._files.own.create(f"{folder_of(task.id)}/preview") as file:
            file.write(orjson.dumps(found | files))
        self._consumer.finish(task, BatchStatus.SUCCEEDED)

    def _look_at(self, task: BatchTask, bundle: Bundle, wanted: Callable[[], bool]) -> LookedAt:
        rows, first = 0, None
        with self._planning.tables.opened(task, bundle, wanted) as plan:
            for cuts in plan.cuts:
                first = first or self._planning.tables.keep(task, cuts[0])
                rows += sum(cut.chunk.rows for cut in cuts)
        if first is None:
            raise InvalidTable("the file has no rows")
        return LookedAt(task, plan.layout, rows, first)

    def _look_at_files(
        self, task: BatchTask, bundle: Bundle, wanted: Callable[[], bool]
    ) -> tuple[list[LookedAt], dict[str, Any]]:
        """The tables that can be read, and what is said of the others."""
        looked_at, faults, bytes_before = list[LookedAt](), list[dict[str, str]](), 0
        for number, listed in enumerate(self._planning.listed(task)):
            try:
                file = self._planning.look_at(task, listed, bytes_before)
                bytes_before += file.size
                looked_at.append(self._look_at(task.of_file(number, file), bundle, wanted))
            except FILE_FAULTS as error:
                faults.append({"input": listed.source, "detail": str(error)})
        if not looked_at:
            raise InvalidTable(f"no file can be read; {faults[0]['input']}: {faults[0]['detail']}")
        counts = {"total": task.options.files, "failed": len(faults), "errors": faults[:SHOWN_FAULTS]}
        return looked_at, {"files": counts}
