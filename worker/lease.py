"""A child's lease on the task in its hands, renewed for as long as it works on the task."""

import logging
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from jobs.batches.consumer import BatchConsumer, BatchTask
from jobs.batches.status import BatchStatus
from jobs.errors import StoreUnavailable

log = logging.getLogger(__name__)

RENEW_EVERY_SECONDS = 0.5
YIELD_SECONDS = 0.001
"""A low priority is not enough: while no processor is idle, Linux may leave a waiting thread where it is."""
_WANTED = frozenset({BatchStatus.VALIDATING, BatchStatus.QUEUED, BatchStatus.RUNNING, BatchStatus.FINALIZING})


class Lease:
    """A thread renews the lease and reads the status of the batch, which may be canceled in the meantime."""

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
        """Whether to continue with the task that is held. Lets predictions in first, if there are any."""
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
            except StoreUnavailable as error:  # until the lease is over, nobody else has the task
                log.warning("store_unavailable", extra={"error": str(error)})
                continue
            if status not in _WANTED and self._held is held:
                self._wanted = False
