"""What a child does when a wake-up for batches arrives: works on tasks, and renews the lease of each."""

import logging
import threading
import time
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from typing import NamedTuple

from jobs.batches.consumer import LOST_PER_ATTEMPT, BatchConsumer
from jobs.batches.status import BatchStatus
from jobs.batches.tasks import CORRECT, JOIN, PLAN, PREVIEW, BatchTask
from jobs.errors import FilesUnavailable, StoreUnavailable
from jobs.files.store import FileStore
from jobs.queues.queue import NO_ENTRY
from jobs.queues.script_calls import patiently
from jobs.settings import Settings
from jobs.supervision import Supervisor
from model.description.errors import ModelError
from worker.batch_files import BatchFiles
from worker.bundles import Bundles
from worker.chunks import ChunkScoring
from worker.correcting import Correcting
from worker.faults import FILE_FAULTS, INVALID_TABLE, FileFault, fault_of
from worker.files_joining import FilesJoining
from worker.joining import Joining
from worker.limits import is_out_of_memory
from worker.measurements import Measurements
from worker.planning import Planning
from worker.previewing import Previewing
from worker.spans import SpanOfTask
from worker.stopping import ScoringStopped
from worker.tables.bisect import Bisection
from worker.tables.score import Slices, all_at_once, give_up_all

log = logging.getLogger(__name__)

RENEW_EVERY_SECONDS = 0.5
YIELD_SECONDS = 0.001
"""A low priority is not enough: while no processor is idle, Linux may leave a waiting thread where it is."""
_WANTED = frozenset({BatchStatus.VALIDATING, BatchStatus.QUEUED, BatchStatus.RUNNING, BatchStatus.FINALIZING})
_JOIN_WANTED = _WANTED | {BatchStatus.CANCELING}
"""What was scored before a batch is canceled is kept."""


class Lease:
    """Keeps the lease of a task: a thread renews it, and reads whether the batch was canceled meanwhile."""

    def __init__(
        self, consumer: BatchConsumer, name: str, stopping: Callable[[], bool], supervisor: Supervisor
    ) -> None:
        self._consumer = consumer
        self._supervisor = supervisor
        self._name = name
        self._stopping = stopping
        self._held: tuple[str, BatchTask] | None = None
        self._wanted = True
        self._beside_predictions = False

    def start(self) -> None:
        self._supervisor.start("lease", self._run)

    @contextmanager
    def hold(self, wake_up: str, task: BatchTask) -> Iterator[None]:
        self._wanted = True
        self._held = wake_up, task
        try:
            yield
        finally:
            self._held = None

    def wanted_after_pause(self) -> bool:
        """Whether to continue with the task. Sleeps a moment first if workers are scoring predictions."""
        if self._beside_predictions:
            time.sleep(YIELD_SECONDS)
        return self._wanted and not self._stopping()

    def _run(self) -> None:
        waiting = threading.Event()
        while True:
            waiting.wait(RENEW_EVERY_SECONDS)
            if not (held := self._held):
                continue
            try:
                status, self._beside_predictions = self._consumer.renew(self._name, *held)
            except (StoreUnavailable, MemoryError) as error:
                self._supervisor.report("lease", error)  # until the lease is over, nobody else has the task
                continue
            wanted = _JOIN_WANTED if held[1].task == JOIN else _WANTED
            if status not in wanted and self._held is held:
                self._wanted = False


OUT_OF_MEMORY = (
    "a part of this file needs more memory than a worker has; send shorter rows, or set PAYGRADE_CHILD_MEMORY"
)
FILES_UNAVAILABLE, MODEL_UNAVAILABLE = "files_unavailable", "model_unavailable"
OF_THE_SERVICE = frozenset({FILES_UNAVAILABLE, MODEL_UNAVAILABLE})
"""Why a chunk cannot be scored, if no other file of its batch can be."""
LINGER_MS = 200
"""How long an empty queue is watched before the wake-up is withdrawn: the next task then needs no wake-up."""
MOST_LOST = 30
"""A chunk is given up after this many lost slices: ten bad rows cost three each."""


class BatchStages(NamedTuple):
    """The stages of a batch. Each may be repeated, also by another child, with the same result."""

    planning: Planning
    previewing: Previewing
    correcting: Correcting
    scoring: ChunkScoring
    joining: Joining

    @classmethod
    def of(
        cls,
        consumer: BatchConsumer,
        own: FileStore,
        measurements: Measurements,
        settings: Settings,
        clock: Callable[[], float] = time.monotonic,
    ) -> "BatchStages":
        files = BatchFiles(own, settings.s3_allow)
        planning = Planning(consumer, files, settings.max_file, clock)
        return cls(
            planning,
            Previewing(consumer, files, planning),
            Correcting(consumer, files),
            ChunkScoring(consumer, files, measurements),
            Joining(consumer, files, FilesJoining(files).join, clock),
        )


class BatchLoop:
    def __init__(
        self,
        consumer: BatchConsumer,
        bundles: Bundles,
        stages: BatchStages,
        lease: Lease,
        name: str,
        stopping: Callable[[], bool],
        attempts: int,
        files_patience: float,
        give_back_memory: Callable[[], None],
        span_of: SpanOfTask = nullcontext,
    ) -> None:
        self.consumer = consumer
        self._bundles = bundles
        self._stages = stages
        self._lease = lease
        self._name = name
        self._stopping = stopping
        self._attempts = attempts
        self._files_patience = files_patience
        self._store_failed = False
        self._give_back_memory = give_back_memory
        self._span_of = span_of

    @property
    def rows_per_second(self) -> int:
        return self._stages.scoring.pace.rows_per_second

    def start(self) -> None:
        """Starts to renew leases."""
        self._lease.start()

    def answer(self, wake_up: str) -> None:
        """Works until the queue is empty or the worker stops; a task that is not done by then is released."""
        try:
            if self._store_failed:
                self.consumer.release_claims(self._name)
            self._store_failed = False
            while not self._stopping():
                if not (task := self._claim(wake_up)):
                    return
                with self._lease.hold(wake_up, task), self._span_of(task):
                    self._work_on(task)
                self._give_back_memory()
            self.consumer.withdraw(wake_up)
        except StoreUnavailable:
            self._store_failed = True
            raise

    def flush(self) -> None:
        self._stages.scoring.measurements.flush()

    def close(self) -> None:
        """Does nothing: there is no thread to wait for."""

    def _claim(self, wake_up: str) -> BatchTask | None:
        """Claims the next task, or withdraws the wake-up if none comes."""
        if task := self.consumer.claim(self._name, wake_up):
            return task
        entry = self.consumer.wait(self._name, LINGER_MS) or NO_ENTRY
        return self.consumer.claim(self._name, wake_up, entry, last=True)

    def _work_on(self, task: BatchTask) -> None:
        try:
            self._run_stage(task)
        except StoreUnavailable:
            raise
        except ScoringStopped:
            self.consumer.release(task)
        except FILE_FAULTS as error:
            self._fail(task, fault_of(error))
        except FilesUnavailable as error:
            self._abandon(task, FILES_UNAVAILABLE, str(error))
        except ModelError as error:
            log.error("model_unavailable", extra={"model": task.model, "error": str(error)})
            self._abandon(task, MODEL_UNAVAILABLE, f"no worker could load {task.model}")
        except Exception as error:
            if is_out_of_memory(error):
                self._abandon(task, "out_of_memory", OUT_OF_MEMORY)
                return
            frame = traceback.extract_tb(error.__traceback__)[-1]
            where = f"{frame.filename}:{frame.lineno}"
            log.error("unexpected_error", extra={"error": type(error).__name__, "where": where})
            self._abandon(
                task, "not_finished", "a worker could not go on with this batch; its log says where"
            )

    def _abandon(self, task: BatchTask, reason: str, detail: str) -> None:
        """Leaves the task to another worker when its lease is over, or fails it after many such tries."""
        times, seconds = self.consumer.put_off(task, reason)
        extra = {"job_id": task.id, "task": task.task, "times": times, "reason": reason}
        log.warning("task_abandoned", extra=extra)
        if (seconds >= self._files_patience) if reason == FILES_UNAVAILABLE else (times >= self._attempts):
            self._fail(task, FileFault(reason, detail))

    def _run_stage(self, task: BatchTask) -> None:
        stages, wanted = self._stages, self._lease.wanted_after_pause
        if task.task == JOIN:
            # What was scored is joined even if the model can no longer be loaded.
            stages.joining.join(task, wanted)
            return
        if task.task == CORRECT:
            stages.correcting.correct(task, wanted)
            return
        bundle = self._bundles.get(task.model, task.sha256)
        if task.task == PLAN:
            stages.planning.plan(task, bundle, wanted)
        elif task.task == PREVIEW:
            stages.previewing.preview(task, bundle, wanted)
        else:
            stages.scoring.score(task, bundle, wanted, self._slices(task))

    def _slices(self, task: BatchTask) -> Slices:
        """How to cut the chunk: not at all, by bisection on the last attempts, or given up as a whole."""
        if task.attempts > self._attempts * LOST_PER_ATTEMPT or len(task.lost) > MOST_LOST:
            return give_up_all
        if task.attempts >= self._attempts:
            return Bisection(task.lost, lambda rows: self.consumer.note_slice(task, rows)).slices
        return all_at_once

    def _fail(self, task: BatchTask, fault: FileFault) -> None:
        if not task.chunk:
            self.consumer.finish(task, BatchStatus.FAILED, fault.to_json())
            return
        ends_no_other = fault.type not in OF_THE_SERVICE if task.file else fault.type == INVALID_TABLE
        patiently(self.consumer.fail, task, fault.to_json(), last=not ends_no_other)
