"""The memory of the keeper without Redis. A test holds it to the scripts, call by call."""

from collections.abc import Callable

from jobs.keeper.state import KeeperState
from jobs.keeper.store import ROUND_EVERY_MS, KeeperMemory, KeeperRound, Remembered, Sleep


class PlainMemory(KeeperMemory):
    """`clock` is that of Redis, `a_worker_lives` what Redis knows of workers."""

    def __init__(
        self,
        clock: Callable[[], float],
        a_worker_lives: Callable[[], bool] = lambda: False,
        explained: Callable[[], int] = lambda: 0,
    ) -> None:
        self._clock = clock
        self._a_worker_lives = a_worker_lives
        self._explained = explained
        self._begun_at: float | None = None
        self._round = 0
        self._sleep = Sleep()
        self._state = KeeperState()

    def begin(self) -> KeeperRound | None:
        now = self._clock()
        if self._begun_at is not None and 0 <= now - self._begun_at < ROUND_EVERY_MS / 1000:
            return None
        self._begun_at = now
        self._round += 1
        return KeeperRound(self._round, now, self._sleep, self._state, self._explained())

    def finish(self, round_: KeeperRound, sleep: Sleep, state: KeeperState) -> bool:
        if round_.number != self._round or round_.sleep.asleep != self._sleep.asleep:
            return False
        self._sleep, self._state = sleep, state
        return True

    def wake(self) -> bool:
        if not self._sleep.asleep:
            return False
        requested_at = None if self._a_worker_lives() else self._clock()
        self._sleep = self._sleep._replace(asleep=False, requested_at=requested_at)
        return True

    def read(self) -> Remembered:
        return Remembered(self._clock(), self._sleep, self._state)
