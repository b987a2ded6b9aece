"""The line as workers see it: claim what waits, record what became of it, take back what was lost."""

from collections.abc import Callable, Sequence
from contextlib import suppress
from itertools import compress
from typing import Any, NamedTuple, TypeAlias, TypeVar
from uuid import uuid4

import orjson
from redis import Redis
from redis.exceptions import ResponseError

from jobs.connection import script, talking
from jobs.predictions.record import Row
from jobs.predictions.status import PredictionStatus
from jobs.queues.capacity import LAPSES_MS, Process
from jobs.queues.names import CHILDREN, GROUP, LINE, STREAMS
from jobs.settings import Settings

T = TypeVar("T")

LOST = orjson.dumps({"type": "worker_lost", "detail": "every worker that took it was lost"})


class Claim(NamedTuple):
    """One job in the hands of a child. `rows` has one row for a single one: see `listed`.

    A list that workers were lost with is to be scored with care: row by row, without those given up.
    """

    stream: bytes
    entry: bytes
    id: str
    attempt: int
    model: str
    sha256: str
    rows: list[Row]
    listed: bool
    careful: bool = False
    given_up: frozenset[int] = frozenset()


class Outcome(NamedTuple):
    """What became of a claimed job; outputs and error are JSON, empty where there are none."""

    claim: Claim
    status: PredictionStatus
    outputs: bytes = b""
    error: bytes = b""


class Sweep(NamedTuple):
    taken_back: int
    given_up: int
    wake_ups: list[str]


Entry: TypeAlias = tuple[bytes, bytes, bytes]
"""An entry of the stream, with the id and the rows of the job in it."""


class PredictionConsumer:
    """Every method raises StoreUnavailable if Redis does not answer in time."""

    def __init__(self, redis: Redis, settings: Settings, name: str = LINE) -> None:
        self._name = name
        self._redis = redis
        self._settings = settings
        self._claim = script(redis, "claim")
        self._record = script(redis, "record")
        self._sweep = script(redis, "sweep")
        self._give_back = script(redis, "give_back")
        self._withdraw = script(redis, "withdraw")
        self._live = script(redis, "live")
        self._try_row = script(redis, "try_row")
        self._ring = script(redis, "ring")

    def claim(self, child: str, wake_up: str, rows: int, read: Entry | None = None) -> list[Claim]:
        """About as many rows as asked for, and never of two jobs one that a worker was lost with.

        `read` is what `wait` gave. Renews the wake_up if there was anything to claim.
        """
        arguments: list[str | bytes | int] = [
            child,
            wake_up,
            rows,
            self._settings.retention_ms,
            *(read or ()),
        ]
        with talking():
            claimed = self._in_group(lambda: self._claim(keys=[self._name], args=arguments))
        return [self._claimed(*fields) for fields in claimed]

    def wait(self, child: str, milliseconds: int) -> Entry | None:
        """Waits for the next job; what it gives must go to `claim`."""
        with talking():
            read: Any = self._in_group(
                lambda: self._redis.xreadgroup(GROUP, child, {self._name: ">"}, count=1, block=milliseconds)
            )
        if not read:
            return None
        [[_, [(entry, fields)]]] = read
        return entry, fields[b"id"], fields[b"rows"]

    def record(self, outcomes: Sequence[Outcome]) -> list[Outcome]:
        """Records them and tells those who wait; returns those that counted.

        One does not count if its attempt is no longer the current one, or if the job has ended.
        """
        with talking():
            recorded = self._record(args=self._recording(outcomes))
        return list(compress(outcomes, recorded))

    def record_and_claim(
        self, outcomes: Sequence[Outcome], child: str, wake_up: str, rows: int
    ) -> tuple[list[Outcome], list[Claim]]:
        """What `record` and then `claim` return, in one round trip."""
        both = self._redis.pipeline(transaction=False)
        both.evalsha(self._record.sha, 0, *self._recording(outcomes))
        both.evalsha(self._claim.sha, 1, self._name, child, wake_up, rows, self._settings.retention_ms)
        with talking():
            recorded, claimed = both.execute(raise_on_error=False)
        # A store that has just been started knows no scripts, and may have no line.
        lost = isinstance(recorded, ResponseError)
        counted = self.record(outcomes) if lost else list(compress(outcomes, recorded))
        if isinstance(claimed, ResponseError):
            return counted, self.claim(child, wake_up, rows)
        return counted, [self._claimed(*fields) for fields in claimed]

    def _recording(self, outcomes: Sequence[Outcome]) -> list[str | bytes | int]:
        """As scripts/record.lua takes them."""
        arguments: list[str | bytes | int] = [self._settings.retention_ms]
        for outcome in outcomes:
            claim = outcome.claim
            arguments += (claim.stream, claim.entry, claim.id, claim.attempt)
            arguments += (outcome.status, outcome.outputs, outcome.error)
        return arguments

    def try_row(self, claim: Claim, row: int) -> None:
        """Notes the row as the one to give up, should this child be lost with it."""
        with talking():
            self._try_row(args=[claim.id, claim.attempt, row])

    def renew(self, claims: Sequence[Claim], child: str) -> None:
        """The lease of each begins anew, unless it was taken back already."""
        with talking():
            for claim in claims:
                self._redis.xclaim(claim.stream, GROUP, child, 0, [claim.entry], justid=True)

    def give_back(self, claims: Sequence[Claim], reason: bytes) -> None:
        """Leaves them to another worker; the reason is their error if this was their last attempt."""
        arguments: list[str | bytes | int] = [self._settings.lease_seconds * 1000, reason]
        for claim in claims:
            arguments += (claim.stream, claim.entry, claim.id, claim.attempt)
        with talking():
            self._give_back(args=arguments)

    def withdraw(self, wake_up: str) -> None:
        """The wake_up has been answered: who adds to the line from now on may ring again."""
        with talking():
            self._withdraw(args=[wake_up])

    def live(self, child: Process, among: str = CHILDREN) -> None:
        """Says that the child lives, for LAPSES_MS; then it counts as dead, and no wake_up is rung for it."""
        with talking():
            self._live(args=[among, child.name, LAPSES_MS, child.says])

    def sweep(self, wake_ups: int) -> Sweep:
        """Takes back what was claimed longer ago than its lease; names up to so many wake_ups to ring.

        Of all workers one does so every other second; to the others it gives nothing.
        """
        settings = self._settings
        names = [uuid4().hex for _ in range(wake_ups)]
        arguments: list[str | bytes | int] = [
            settings.lease_seconds * 1000,
            settings.attempts,
            settings.retention_ms,
            LOST,
            *names,
        ]
        with talking():
            back, given_up, rung = self._in_group(lambda: self._sweep(keys=[LINE], args=arguments))
        return Sweep(back, given_up, [wake_up.decode() for wake_up in rung])

    def wake_ups(self, most: int) -> list[str]:
        """The wake_ups that are to be rung now."""
        with talking():
            rung = self._ring(keys=[LINE], args=[uuid4().hex for _ in range(most)])
        return [wake_up.decode() for wake_up in rung]

    def _claimed(
        self,
        stream: bytes,
        entry: bytes,
        job_id: bytes,
        attempt: bytes,
        model: bytes,
        sha: bytes,
        inputs: bytes,
        given_up: bytes,
    ) -> Claim:
        rows = orjson.loads(inputs)
        listed = isinstance(rows[0], list)
        return Claim(
            stream=stream,
            entry=entry,
            id=job_id.decode(),
            attempt=int(attempt),
            model=model.decode(),
            sha256=sha.hex(),
            rows=rows if listed else [rows],
            listed=listed,
            careful=listed and int(attempt) >= max(self._settings.attempts, 2),
            given_up=frozenset(map(int, given_up.split())),
        )

    def _in_group(self, call: Callable[[], T]) -> T:
        """Calls, and makes the line's consumer group first if it turns out that there is none."""
        try:
            return call()
        except ResponseError as error:
            if not str(error).startswith("NOGROUP"):
                raise
        for stream in STREAMS:
            with suppress(ResponseError):  # another worker was first
                self._redis.xgroup_create(stream, GROUP, id="0", mkstream=True)
        return call()
