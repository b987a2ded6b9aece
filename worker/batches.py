"""What a child does when a wake-up for batches arrives: works on tasks, and renews the lease of each."""

import logging
import threading
import time
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import orjson

from jobs.batches.consumer import JOIN, LOST_PER_ATTEMPT, PLAN, PREVIEW, BatchConsumer, BatchTask
from jobs.batches.status import BatchStatus
from jobs.errors import (
    FileMissing,
    FilesForbidden,
    FilesFull,
    FilesUnavailable,
    InvalidTable,
    OverLimit,
    StoreUnavailable,
)
from jobs.queues.queue import NO_ENTRY
from model.description.errors import ModelError
from worker.batch_steps import BatchSteps
from worker.bundles import Bundles
from worker.memory import is_out_of_memory
from worker.stopping import ScoringStopped
from worker.tables.bisect import Bisection
from worker.tables.score import Slices, all_at_once, give_up_all

log = logging.getLogger(__name__)

RENEW_EVERY_SECONDS = 0.5
YIELD_SECONDS = 0.001
"""A low priority is not enough: while no processor is idle, Linux may leave a waiting thread where it is."""
_WANTED = frozenset({BatchStatus.VALIDATING, BatchStatus.QUEUED, BatchStatus.RUNNING, BatchStatus.FINALIZING})


class Lease:
    """Keeps the lease of a task: a thread renews it, and reads whether the batch was canceled meanwhile."""

    def __init__(self, consumer: BatchConsumer, name: str, stopping: Callable[[], bool]) -> None:
        self._consumer = consumer
        self._name = name
        self._stopping = stopping
        self._held: tuple[str, BatchTask] | None = None
        self._wanted = True
        self._beside_predictions = False

    def start(self) -> None:
        threading.Thread(target=self._run, name="lease", daemon=True).start()

    @contextmanager
    def hold(self, wake_up: str, task: BatchTask) -> Iterator[None]:
        self._wanted = True
        self._held = wake_up, task
        try:
            yield
        finally:
            self._held = None

    def wanted(self) -> bool:
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
            except (
                StoreUnavailable,
                MemoryError,
            ) as error:  # until the lease is over, nobody else has the task
                log.warning("store_unavailable", extra={"error": str(error)})
                continue
            if status not in _WANTED and self._held is held:
                self._wanted = False


FULL_PAUSE_SECONDS = 2
"""How long a task waits for room in the file store, before it is released for its next turn."""
INVALID_TABLE = "invalid_table"
OUT_OF_MEMORY = (
    "a part of this file needs more memory than a worker has; send shorter rows, or set PAYGRADE_CHILD_MEMORY"
)
LINGER_MS = 200
"""How long an empty queue is watched before the wake-up is withdrawn: the next task then needs no wake-up."""
MOST_LOST = 30
"""A chunk is given up after this many lost slices: ten bad rows cost three each."""


class BatchLoop:
    def __init__(
        self,
        consumer: BatchConsumer,
        bundles: Bundles,
        steps: BatchSteps,
        lease: Lease,
        name: str,
        stopping: Callable[[], bool],
        attempts: int,
        give_back_memory: Callable[[], None],
    ) -> None:
        self.consumer = consumer
        self._bundles = bundles
        self._steps = steps
        self._lease = lease
        self._name = name
        self._stopping = stopping
        self._attempts = attempts
        self._give_back_memory = give_back_memory

    @property
    def rows_per_second(self) -> int:
        return self._steps.pace.rows_per_second

    def start(self) -> None:
        """Starts to renew leases."""
        self._lease.start()

    def answer(self, wake_up: str) -> None:
        """Works until the queue is empty or the worker stops; a task that is not done by then is released."""
        while not self._stopping():
            if not (task := self._claim(wake_up)):
                return
            with self._lease.hold(wake_up, task):
                self._work_on(task)
            self._give_back_memory()
        self.consumer.withdraw(wake_up)

    def flush(self) -> None:
        self._steps.report.flush()

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
            self._step(task)
        except StoreUnavailable:
            raise
        except ScoringStopped:
            self.consumer.release(task)
        except InvalidTable as error:
            self._fail(task, "over_limit" if isinstance(error, OverLimit) else INVALID_TABLE, str(error))
        except (FileMissing, FilesForbidden) as error:
            self._fail(task, "file_missing", str(error))
        except FilesFull:
            self._wait_for_room(task)
        except FilesUnavailable as error:
            self._abandon(task, "files_unavailable", str(error))
        except ModelError as error:
            log.error("model_unavailable", extra={"model": task.model, "error": str(error)})
            self._abandon(task, "model_unavailable", f"no worker could load {task.model}")
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

    def _wait_for_room(self, task: BatchTask) -> None:
        log.warning("files_full", extra={"job_id": task.id, "task": task.task})
        time.sleep(FULL_PAUSE_SECONDS)
        self.consumer.release(task)

    def _abandon(self, task: BatchTask, kind: str, detail: str) -> None:
        """Leaves the task to another worker when its lease is over, or fails it if this was its last try."""
        extra = {"job_id": task.id, "task": task.task, "tries": task.tries, "reason": kind}
        log.warning("task_abandoned", extra=extra)
        if task.tries >= self._attempts:
            self._fail(task, kind, detail)

    def _step(self, task: BatchTask) -> None:
        if task.task == JOIN:
            self._steps.join(task)  # joins what was scored, even if the model can no longer be loaded
            return
        bundle = self._bundles.get(task.model, task.sha256)
        if task.task == PLAN:
            self._steps.plan(task, bundle, self._lease.wanted)
        elif task.task == PREVIEW:
            self._steps.preview(task, bundle, self._lease.wanted)
        else:
            self._steps.score(task, bundle, self._lease.wanted, self._slices(task))

    def _slices(self, task: BatchTask) -> Slices:
        """How to cut the chunk: not at all, by bisection on the last attempts, or given up as a whole."""
        if task.tries > self._attempts * LOST_PER_ATTEMPT or len(task.lost) > MOST_LOST:
            return give_up_all
        if task.tries >= self._attempts:
            return Bisection(task.lost, lambda rows: self.consumer.note_slice(task, rows)).slices
        return all_at_once

    def _fail(self, task: BatchTask, kind: str, detail: str) -> None:
        error = orjson.dumps({"type": kind, "detail": detail})
        if task.chunk:
            self._steps.fail(task, error, last=kind != INVALID_TABLE)
        else:
            self.consumer.finish(task, BatchStatus.FAILED, error)
