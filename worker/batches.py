"""What a child does when the wake_up of batches rings: task after task, while any waits."""

import logging
import time
import traceback
from collections.abc import Callable

import orjson

from jobs.batches.consumer import JOIN, LOOK, LOST_PER_ATTEMPT, PLAN, BatchConsumer, Task
from jobs.batches.status import BatchStatus
from jobs.errors import FileMissing, FilesForbidden, FilesUnavailable, InvalidTable, StoreUnavailable
from model.description.errors import ModelError
from worker.batch_steps import BatchSteps
from worker.bundles import Bundles
from worker.lease import Leases
from worker.tables.bisect import Bisection, Slices, at_once, not_at_all
from worker.tables.score import Stopped

log = logging.getLogger(__name__)

LINGER_SECONDS = 0.2
"""How long an empty line is watched before the wake_up is withdrawn: the next task then needs no wake_up."""
LOOKS_EVERY_SECONDS = 0.02
MOST_LOST = 30
"""Slices of a chunk that workers may be lost with until it is given up: those of ten rows."""


class BatchLoop:
    def __init__(
        self,
        line: BatchConsumer,
        bundles: Bundles,
        steps: BatchSteps,
        leases: Leases,
        child: str,
        stopping: Callable[[], bool],
        attempts: int,
    ) -> None:
        self._line = line
        self._bundles = bundles
        self._steps = steps
        self._leases = leases
        self._child = child
        self._stopping = stopping
        self._attempts = attempts

    def answer(self, wake_up: str) -> None:
        """Works until the line is empty or the worker is to stop; a chunk under way then is given back."""
        while not self._stopping() and (task := self._take(wake_up)):
            with self._leases.hold(wake_up, task):
                self._do(task)
        self._line.withdraw(wake_up)

    def _take(self, wake_up: str) -> Task | None:
        until = time.monotonic() + LINGER_SECONDS
        while time.monotonic() < until:
            if task := self._line.take(self._child, wake_up):
                return task
            time.sleep(LOOKS_EVERY_SECONDS)
        self._line.withdraw(wake_up)
        # Whoever came before that saw our wake_up out and rang none.
        return self._line.take(self._child, wake_up)

    def _do(self, task: Task) -> None:
        try:
            self._step(task)
        except StoreUnavailable:
            raise
        except Stopped:
            self._line.give_back(task)
        except (InvalidTable, FileMissing, FilesForbidden) as error:
            self._fail(task, "no_table" if isinstance(error, InvalidTable) else "no_file", str(error))
        except FilesUnavailable as error:
            self._leave(task, "files_away", str(error))
        except ModelError as error:
            log.error("model_unavailable", extra={"model": task.model, "error": str(error)})
            self._leave(task, "model_unavailable", f"no worker could load {task.model}")
        except Exception as error:
            place = traceback.extract_tb(error.__traceback__)[-1]
            where = f"{place.filename}:{place.lineno}"
            log.error("unforeseen", extra={"error": type(error).__name__, "at": where})
            self._leave(task, "not_finished", "a worker could not go on with this batch; its log says where")

    def _leave(self, task: Task, kind: str, detail: str) -> None:
        """To other hands, when the lease is over, unless it has been tried often enough."""
        log.warning("left", extra={"id": task.id, "task": task.task, "tries": task.tries, "reason": kind})
        if task.tries >= self._attempts:
            self._fail(task, kind, detail)

    def _step(self, task: Task) -> None:
        if task.task == JOIN:
            self._steps.join(task)  # what was scored, though no model may be had by now
            return
        bundle = self._bundles.get(task.model, task.sha256)
        match task.task:
            case step if step == PLAN:
                self._steps.plan(task, bundle, self._leases.wanted)
            case step if step == LOOK:
                self._steps.look(task, bundle, self._leases.wanted)
            case _:
                self._steps.score(task, bundle, self._leases.wanted, self._slices(task))

    def _slices(self, task: Task) -> Slices:
        """All rows at once, until it turns out that workers are lost with them."""
        if task.tries > self._attempts * LOST_PER_ATTEMPT or len(task.lost) > MOST_LOST:
            return not_at_all
        if task.tries >= self._attempts:
            return Bisection(task.lost, lambda rows: self._line.try_slice(task, rows)).slices
        return at_once

    def _fail(self, task: Task, kind: str, detail: str) -> None:
        error = orjson.dumps({"type": kind, "detail": detail})
        if task.chunk:
            self._steps.fail(task, error, last=kind != "no_table")
        else:
            self._line.finish(task, BatchStatus.FAILED, error)
