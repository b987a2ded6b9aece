"""Looks at the tables of a dry run, and scores the first rows."""

import time
from collections.abc import Callable, Iterable
from typing import Any, NamedTuple

import orjson

from jobs.batches.consumer import BatchConsumer
from jobs.batches.record import BatchOptions, folder_of
from jobs.batches.status import BatchStatus
from jobs.batches.tasks import BatchTask
from jobs.errors import InvalidTable
from jobs.files.tables import Format
from model.bundle import Bundle
from worker.batch_files import BatchFiles
from worker.faults import FILE_FAULTS
from worker.planning import Planning
from worker.tables.cut import Chunk
from worker.tables.plan import FIRST_ROWS, Layout
from worker.tables.read import Rows, read_rows
from worker.tables.score import RowScorer, all_at_once
from worker.tables.write import write_errors

SHOWN_FAULTS = 20
"""So many files that cannot be read are named."""
MOST_ERRORS = 20
EXPLAINED_ROWS = 100
"""Fewer than FIRST_ROWS are explained, because explaining takes long and the caller waits."""


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
        try:
            found = _scored(blocks, first.layout, total, bundle, task.options)
        except InvalidTable as error:
            if not first.task.file:
                raise
            raise InvalidTable(f"{first.task.file.source}: {error}") from error
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
                file = self._planning.probe_file(task, listed, bytes_before)
                bytes_before += file.size
                looked_at.append(self._look_at(task.of_file(number, file), bundle, wanted))
            except FILE_FAULTS as error:
                faults.append({"input": listed.source, "detail": str(error)})
        if not looked_at:
            raise InvalidTable(f"no file can be read; {faults[0]['input']}: {faults[0]['detail']}")
        counts = {"total": task.options.files, "failed": len(faults), "errors": faults[:SHOWN_FAULTS]}
        return looked_at, {"files": counts}


def _scored(blocks: Iterable[Rows], layout: Layout, total: int, bundle: Bundle, options: BatchOptions) -> Any:
    """The columns, the first errors, the number of rows, and how long one child would take to score them.

    `blocks` are the first rows of the `total`.
    """
    explain, of_csv = options.explain, layout.input is Format.CSV
    scorer = RowScorer.of(bundle, explain, options.missing)
    rows = failed = 0
    errors: list[Any] = []
    started = time.perf_counter()
    for block in blocks:
        if explain:
            block = block.first(EXPLAINED_ROWS)
        scores = scorer.score(block, all_at_once(0, block.number), of_csv)
        errors += [orjson.loads(line) for line in write_errors(scores, rows).splitlines()[:MOST_ERRORS]]
        rows, failed = rows + block.number, failed + len(scores.faults)
        if rows >= (EXPLAINED_ROWS if explain else FIRST_ROWS):
            break
    seconds = time.perf_counter() - started
    return {
        "columns": {"found": layout.names, "kept": layout.passthrough, "added": layout.scored},
        "rows": total,
        "looked_at": rows,
        "failed": failed,
        "errors": errors[:MOST_ERRORS],
        "estimate_seconds": round(seconds * total / rows, 3) if rows else None,
    }
