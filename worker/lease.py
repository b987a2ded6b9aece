"""A child's lease on the task in its hands: renewed for as long as it works on it."""

import logging
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from jobs.batches.consumer import BatchConsumer, Task
from jobs.batches.status import BatchStatus
from jobs.errors import StoreUnavailable

log = logging.getLogger(__name__)

RENEWED_EVERY_SECONDS = 0.5
LETS_OTHERS_IN_SECONDS = 0.001
"""A low priority is not enough: while no processor is idle, Linux may leave who waits for one where it is."""
_WANTED = frozenset({BatchStatus.VALIDATING, BatchStatus.QUEUED, BatchStatus.RUNNING, BatchStatus.FINALIZING})


class Leases:
    """A thread that renews the lease and sees how the batch fares: it may be canceled meanwhile."""

    def __init__(self, line: BatchConsumer, child: str, stopping: Callable[[], bool]) -> None:
        self._line = line
        self._child = child
        self._stopping = stopping
        self._held: tuple[str, Task] | None = None
        self._wanted = True
        self._beside_predictions = False
        threading.Thread(target=self._run, name="lease", daemon=True).start()

    @contextmanager
    def hold(self, wake_up: str, task: Task) -> Iterator[None]:
        self._wanted = True
        self._held = wake_up, task
        try:
            yield
        finally:
            self._held = None

    def wanted(self) -> bool:
        """Whether to go on with the task that is held; beside predictions it first lets them in."""
        if self._beside_predictions:
            time.sleep(LETS_OTHERS_IN_SECONDS)
        return self._wanted and not self._stopping()

    def _run(self) -> None:
        waiting = threading.Event()
        while True:
            waiting.wait(RENEWED_EVERY_SECONDS)
            if not (held := self._held):
                continue
            try:
                status, self._beside_predictions = self._line.renew(self._child, *held)
            except StoreUnavailable as error:  # for as long as the lease holds, nobody else has the task
                log.warning("store_away", extra={"error": str(error)})
                continue
            if status not in _WANTED and self._held is held:
                self._wanted = False
