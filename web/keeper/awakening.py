"""How a web process learns that the workers sleep, and wakes them when work comes."""

import logging

from gevent.event import Event

from jobs.keeper.store import KeeperMemory
from jobs.queues.capacity import Capacity
from web.keeper.need import Counts
from web.keeper.services import WorkerServices

log = logging.getLogger(__name__)


class Awakening:
    """Whether the workers sleep, as of the last second. Without a memory they never do."""

    def __init__(
        self, memory: KeeperMemory | None = None, longest_wait: int = 0, event: Event | None = None
    ) -> None:
        self.longest_wait = longest_wait
        """Seconds that callers may wait while no worker lives."""
        self._memory = memory
        self.asleep = False
        self._work_arrived = event or Event()
        self._start_seconds: float | None = None

    def refresh(self, capacity: Capacity) -> Capacity:
        """Call it every second, with what was measured. Returns it as `added_to` does.

        Wakes the workers for what no post announces: a replay by `python -m ops`, the next task of a batch.
        Raises StoreUnavailable.
        """
        if self._memory is None:
            return capacity
        now, sleep, _ = self._memory.read()
        self.asleep = sleep.asleep
        self._start_seconds = sleep.seconds_left(now)
        if self.asleep and capacity.busy:
            self.work_arrived()
        return self.added_to(capacity)

    def added_to(self, capacity: Capacity) -> Capacity:
        """The capacity, with the time until a worker should have started."""
        return capacity if capacity.children else capacity._replace(start_seconds=self._start_seconds)

    def work_arrived(self) -> None:
        """Call it after a job was accepted while they sleep."""
        self.asleep = False
        self._work_arrived.set()

    def wait_for_work(self) -> None:
        """Returns once work has come to sleeping workers."""
        self._work_arrived.wait()
        self._work_arrived.clear()


class Waker:
    """Asks for one worker at once. If that fails, the next round of the keeper asks again."""

    def __init__(
        self, awakening: Awakening, memory: KeeperMemory, services: WorkerServices, spot: bool
    ) -> None:
        self._awakening = awakening
        self._memory = memory
        self._services = services
        self._spot = spot

    def run(self) -> None:
        """Raises StoreUnavailable, and what the client of ECS raises."""
        while True:
            self._awakening.wait_for_work()
            self.wake()

    def wake(self) -> None:
        """One of all web processes asks, and the keeper is told that it need not."""
        if not self._memory.wake():
            return
        now, _, state = self._memory.read()
        on_spot = self._spot and now >= state.spot_short_until
        self._services.ask(Counts(0, 1) if on_spot else Counts(1, 0), before=Counts(0, 0))
        log.info("worker_woken", extra={"spot": on_spot})
