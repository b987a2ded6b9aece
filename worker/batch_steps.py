"""The steps of a batch: it is planned, its chunks are scored, its parts are joined."""

import time
from collections.abc import Callable
from functools import partial

from jobs.batches.consumer import BatchConsumer
from jobs.batches.record import part_of
from jobs.batches.tasks import BatchTask, ChunkDone
from jobs.files.store import FOR_WORKERS, FileStore
from jobs.queues.queue import SendWakeUp, try_wake_up
from jobs.queues.script_calls import patiently
from model.bundle import Bundle
from worker.correcting import Correcting
from worker.file_stores import FileStores, input_with
from worker.joining import Joining
from worker.layouts import Layouts
from worker.measurements import Pace, Report
from worker.planning import Planning
from worker.previewing import Previewing
from worker.retried_chunks import score_retried
from worker.tables.chunks import ChunkScorer
from worker.tables.cut import Chunk
from worker.tables.plan import Layout
from worker.tables.score import Slices, predict_with, types_of, warn_by


class BatchSteps:
    """The steps. Each may be repeated, also by another child, with the same result.

    `max_file` is the most bytes that an unpacked file may have; `s3_allow` lists what callers may name.
    """

    def __init__(
        self,
        consumer: BatchConsumer,
        files: FileStore,
        report: Report,
        send_wake_up: SendWakeUp,
        most_wake_ups: int,
        max_file: int,
        s3_allow: str = "",
    ) -> None:
        self._consumer = consumer
        self._stores = FileStores(files, s3_allow)
        self._layouts = Layouts(files)
        self.report = report
        self._send_wake_up = send_wake_up
        self._most_wake_ups = most_wake_ups
        self.pace = Pace()
        planning = Planning(consumer, self._stores, self._wake_up, most_wake_ups, max_file)
        self.plan = planning.plan
        self.preview = Previewing(consumer, self._stores, planning).preview
        self.join = Joining(consumer, self._stores, self._wake_up, most_wake_ups).join
        self.correct = Correcting(consumer, self._stores, self._wake_up, most_wake_ups).correct

    def score(self, task: BatchTask, bundle: Bundle, wanted: Callable[[], bool], slices: Slices) -> None:
        self._stores.own.check_room(FOR_WORKERS)
        started = time.monotonic()
        chunk, explain, manifest = Chunk.from_text(task.chunk), task.options.explain, bundle.manifest
        scorer = ChunkScorer(
            self._stores.own,
            Layout.from_json(self._layouts.read(task, task.file) if task.file else task.layout),
            manifest.schema.with_missing(task.options.missing),
            predict_with(bundle, explain),
            types_of(bundle, explain),
            warn_by(bundle.observed),
            bundle.matrix_type,
            task.options.error_inputs,
        )
        files, name, where = input_with(self._stores, task, chunk)
        score = partial(scorer.score, files, name, where, part_of(task.id, int(task.task)), wanted, slices)
        part = score() if task.kept is None else score_retried(task, task.kept, self._stores.own, score)
        done = ChunkDone(*part, expected=chunk.rows, bytes=chunk.size)
        counts, wake_ups = patiently(self._consumer.done, task, done, self._most_wake_ups)
        seconds = time.monotonic() - started
        self.pace.worked(part.rows, seconds)
        if counts:
            self.report.chunk_done(task.model, seconds)
        self._wake_up(wake_ups)

    def fail(self, task: BatchTask, error: bytes, last: bool) -> None:
        """Records that a chunk cannot be scored. With `last`, no further chunk is added to the queue."""
        self._wake_up(patiently(self._consumer.fail, task, error, last, self._most_wake_ups))

    def _wake_up(self, names: list[str]) -> None:
        for name in names:
            try_wake_up(self._send_wake_up, name)
