"""The keeper's state in Redis: whose round it is, whether the workers sleep, and how long a start takes."""

from typing import NamedTuple, Protocol

from redis import Redis

from jobs.keeper.state import KeeperState
from jobs.queues.script_calls import Script

ROUND_EVERY_MS = 5_000
FIRST_START_SECONDS = 40.0
"""How long a start counts as before one was measured. Fargate takes 20 to 60 s."""


class Sleep(NamedTuple):
    """Whether the workers sleep, and since when the first is being started: None while none is."""

    asleep: bool = False
    requested_at: float | None = None
    start_seconds: float = FIRST_START_SECONDS
    """How long a start takes."""

    def seconds_left(self, now: float) -> float:
        """Seconds until a worker that was asked for, or is asked for now, should have started."""
        waited = max(now - self.requested_at, 0) if self.requested_at else 0
        return max(self.start_seconds - waited, 1)


class KeeperRound(NamedTuple):
    number: int
    now: float
    sleep: Sleep
    state: KeeperState
    explained: int
    """How many rows were ever added to be explained."""


class Remembered(NamedTuple):
    now: float
    sleep: Sleep
    state: KeeperState


class KeeperMemory(Protocol):
    """What outlives the processes of web."""

    def begin(self) -> KeeperRound | None:
        """Returns None if a round has begun a short time ago."""

    def finish(self, round_: KeeperRound, sleep: Sleep, state: KeeperState) -> bool:
        """Records the outcome of a round, unless a later one has begun or the workers were woken since."""

    def wake(self) -> bool:
        """Notes that work has come. Returns whether this is the first to say so since the workers sleep."""

    def read(self) -> Remembered: ...


class KeeperStore(KeeperMemory):
    """Every method raises StoreUnavailable if Redis does not answer in time."""

    def __init__(self, redis: Redis) -> None:
        self._begin = Script(redis, "keeper/begin")
        self._finish = Script(redis, "keeper/finish")
        self._wake = Script(redis, "keeper/wake")
        self._read = Script(redis, "keeper/read")

    def begin(self) -> KeeperRound | None:
        begun = self._begin(every_ms=ROUND_EVERY_MS)
        if begun is None:
            return None
        sleep = _sleep(begun.asleep, begun.requested_at, begun.start_ms)
        return KeeperRound(
            int(begun.round),
            int(begun.now) / 1000,
            sleep,
            KeeperState.decode(begun.state),
            int(begun.explained) if begun.explained.isdigit() else 0,
        )

    def finish(self, round_: KeeperRound, sleep: Sleep, state: KeeperState) -> bool:
        valid = self._finish(
            round=round_.number,
            was_asleep=int(round_.sleep.asleep),
            asleep=int(sleep.asleep),
            requested_at="" if sleep.requested_at is None else round(sleep.requested_at * 1000),
            start_ms=round(sleep.start_seconds * 1000),
            state=state.encode(),
        )
        return bool(valid)

    def wake(self) -> bool:
        return bool(self._wake())

    def read(self) -> Remembered:
        found = self._read()
        sleep = _sleep(found.asleep, found.requested_at, found.start_ms)
        return Remembered(int(found.now) / 1000, sleep, KeeperState.decode(found.state))


def _sleep(asleep: bytes, requested_at: bytes, start_ms: bytes) -> Sleep:
    return Sleep(
        asleep == b"1",
        _seconds(requested_at, 0) or None,
        _seconds(start_ms, FIRST_START_SECONDS),
    )


def _seconds(ms: bytes, unknown: float) -> float:
    """What cannot be read is as unknown as what is not there."""
    return int(ms) / 1000 if ms.isdigit() else unknown
