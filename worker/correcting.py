"""Sorts the corrected rows of a retry by the chunk that each is in, before its chunks are scored."""

import logging
from bisect import bisect_right
from collections.abc import Callable, Iterator
from itertools import accumulate, groupby

from jobs.batches.consumer import BatchConsumer
from jobs.batches.record import corrected_of, corrections_of, output_of
from jobs.batches.tasks import BatchTask
from jobs.errors import JobsError
from jobs.files.store import FOR_WORKERS
from jobs.queues.script_calls import patiently
from worker.batch_files import BatchFiles
from worker.stopping import ScoringStopped
from worker.tables.corrections import CorrectedRow, failed_rows, read_corrections

log = logging.getLogger(__name__)


class Correcting:
    def __init__(self, consumer: BatchConsumer, files: BatchFiles) -> None:
        self._consumer = consumer
        self._files = files

    def correct(self, task: BatchTask, wanted: Callable[[], bool]) -> None:
        """Raises InvalidTable, and ScoringStopped once the task is no longer wanted."""
        own = self._files.own
        own.check_room(FOR_WORKERS)
        firsts = [0, *accumulate(task.done[number].rows for number in range(task.chunks))][:-1]
        for chunk, rows in groupby(self._rows(task, wanted), lambda each: bisect_right(firsts, each.row) - 1):
            with own.create(corrected_of(task.id, chunk)) as file:
                for each in rows:
                    file.write(b'{"row":%d,"input":%b}\n' % (each.row - firsts[chunk], each.input))
        if patiently(self._consumer.corrected, task):
            self._clean(task)

    def _rows(self, task: BatchTask, wanted: Callable[[], bool]) -> Iterator[CorrectedRow]:
        def while_wanted(pieces: Iterator[bytes]) -> Iterator[bytes]:
            for piece in pieces:
                if not wanted():
                    raise ScoringStopped
                yield piece

        files, errors = self._files.find(output_of(task.options.kept_from, task.options, "errors"))
        sent = self._files.own.pieces(corrections_of(task.id))
        return read_corrections(while_wanted(sent), failed_rows(while_wanted(files.pieces(errors))))

    def _clean(self, task: BatchTask) -> None:
        """If that fails, the file goes with the others of the batch."""
        try:
            self._files.own.remove_file(corrections_of(task.id))
        except JobsError as error:
            log.warning("files_unavailable", extra={"error": str(error)})
