"""The queue of predictions as workers see it: claim, record, release, sweep."""

import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from itertools import compress
from typing import Any, NamedTuple

import orjson
from redis import Redis
from redis.exceptions import RedisError, ResponseError

from jobs.predictions.record import Row
from jobs.predictions.status import PredictionStatus
from jobs.queues.connection import store_error
from jobs.queues.names import GROUP, PREDICTIONS, Queue
from jobs.queues.queue import Entry, QueueConsumer, Sweep
from jobs.queues.script_calls import Script, decode_all
from jobs.settings import Settings

WORKER_LOST = orjson.dumps({"type": "worker_lost", "detail": "every worker that claimed this job was lost"})


class Claim(NamedTuple):
    """A claimed prediction. `rows` has one row, unless the prediction is a list of rows (`listed`).

    A list on its last attempt is scored `row_by_row`, without the rows that are `given_up`: those that were
    being scored when a worker was lost. `read_at` is when its consumer read its row with its entry, by the
    clock of the consumer; None if a script claimed it.
    """

    stream: bytes
    entry: bytes
    id: str
    attempt: int
    model: str
    sha256: str
    rows: list[Row]
    listed: bool
    row_by_row: bool = False
    given_up: frozenset[int] = frozenset()
    traceparent: str = ""
    read_at: float | None = None

    @property
    def had_a_turn(self) -> bool:
        """Whether it has waited behind others: prediction.lua says how its entry is numbered."""
        return not self.entry.endswith(b"-0")


class Outcome(NamedTuple):
    """How a claimed prediction ended; outputs and error are JSON, empty where there are none."""

    claim: Claim
    status: PredictionStatus
    outputs: bytes = b""
    error: bytes = b""


class PredictionConsumer(QueueConsumer):
    """Every method raises StoreUnavailable if Redis does not answer in time."""

    def __init__(
        self,
        redis: Redis,
        settings: Settings,
        queue: Queue = PREDICTIONS,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        super().__init__(redis, settings, queue)
        self._clock = clock
        self._record = Script(redis, "predictions/record")
        self._release = Script(redis, "predictions/release")
        self._note_row = Script(redis, "predictions/note_row")
        self._claim_first = Script(redis, "predictions/claim_first")

    def claim(
        self, consumer: str, wake_up: str, rows: int, entries: Sequence[Entry] = (), last: bool = False
    ) -> list[Claim]:
        """Claims jobs with about `rows` rows in all; a job whose worker was lost is claimed alone.

        `entries` are what `read` returned. With `last`, the wake-up is withdrawn if the queue is empty.
        """
        claimed = self._claim(map(_claim_item, entries), **self._wanted(consumer, wake_up, rows, last))
        return self._decode_all(claimed)

    def wait_and_claim(self, consumer: str, wake_up: str, rows: int, alone: bool, ms: int) -> list[Claim]:
        """Waits for the next job, and claims those that wait then; withdraws the wake-up if none comes.

        With `alone`, a job that comes alone is claimed by being read, if its entry carries its row.
        """
        entries = self.read(consumer, 2 if alone else 1, ms)
        if alone and len(entries) == 1 and (carried := entries[0].carried):
            return self._decode_all([self._read_claim(entries[0], carried)], self._clock())
        return self.claim(consumer, wake_up, rows, entries, last=not entries)

    def claim_first(self, consumer: str) -> list[Claim]:
        """Claims what comes before all that waits: a few rows at most, of others than the flood."""
        claimed = self._claim_first(queue=self.queue.name, consumer=consumer, retention_ms=self._retention_ms)
        return self._decode_all(claimed)

    def record(self, outcomes: Sequence[Outcome]) -> list[Outcome]:
        """Records the outcomes and informs waiting web processes. Returns the outcomes that were recorded.

        A stale outcome is not recorded: its attempt is not the current one, or the job has ended.
        """
        recorded = self._record(map(self._record_item, outcomes), retention_ms=self._retention_ms)
        return list(compress(outcomes, recorded))

    def record_and_claim(
        self, outcomes: Sequence[Outcome], consumer: str, wake_up: str, rows: int
    ) -> tuple[list[Outcome], list[Claim]]:
        """What `record` and then `claim` return, in one round trip."""
        both = self._redis.pipeline(transaction=False)
        self._record.add_to(both, map(self._record_item, outcomes), retention_ms=self._retention_ms)
        self._claim.add_to(both, (), **self._wanted(consumer, wake_up, rows, last=False))
        try:
            recorded, claimed = both.execute(raise_on_error=False)
        except (RedisError, OSError) as error:
            raise store_error(error) from error
        # A Redis that has just been started may have neither scripts nor consumer groups.
        failed = isinstance(recorded, ResponseError)
        counted = self.record(outcomes) if failed else list(compress(outcomes, recorded))
        if isinstance(claimed, ResponseError):
            return counted, self.claim(consumer, wake_up, rows)
        return counted, self._decode_all(self._claim.read(claimed))

    def note_row(self, claim: Claim, row: int) -> None:
        """Notes that the row is being scored: if this worker is lost now, the row is given up."""
        self._note_row(id=claim.id, attempt=claim.attempt, row=row)

    def renew(self, claims: Sequence[Claim], consumer: str) -> None:
        """Starts the lease of each claim anew, unless the job was requeued already."""
        try:
            for claim in claims:
                self._redis.xclaim(claim.stream, GROUP, consumer, 0, [claim.entry], justid=True)
        except (RedisError, OSError) as error:
            raise store_error(error) from error

    def release(self, claims: Sequence[Claim], reason: bytes) -> None:
        """Leaves the jobs to another worker; `reason` is their error if this was their last attempt."""
        items = [
            (claim.stream, claim.entry, claim.id, claim.attempt, self._held_ms(claim.read_at))
            for claim in claims
        ]
        self._release(items, lease_ms=self._settings.lease_seconds * 1000, reason=reason)

    def sweep(self, most_wake_ups: int) -> Sweep:
        """Requeues jobs that were claimed longer ago than the lease. Only one worker sweeps at a time."""
        swept = self._sweep_queue(self._settings.attempts, WORKER_LOST, most_wake_ups)
        return Sweep(swept.requeued, swept.given_up, swept.unreadable, decode_all(swept.wake_ups))

    def _wanted(self, consumer: str, wake_up: str, rows: int, last: bool) -> dict[str, Any]:
        return {
            "queue": self.queue.name,
            "consumer": consumer,
            "wake_up_name": wake_up,
            "rows": rows,
            "retention_ms": self._retention_ms,
            "last": "1" if last else "",
        }

    def _read_claim(self, entry: Entry, carried: Mapping[bytes, bytes]) -> Any:
        """What the script that claims would return for an entry that carries its row."""
        model, sha, inputs, trace = (
            carried.get(name, b"") for name in (b"model", b"sha", b"inputs", b"traceparent")
        )
        stream = self.queue.stream.encode()
        return self._claim.reply(stream, entry.id, entry.job_id, b"1", model, sha, inputs, b"", trace)

    def _decode_all(self, claimed: Iterable[Any], read_at: float | None = None) -> list[Claim]:
        """Without those that cannot be read, which are given up alone."""
        claims = []
        for each in claimed:
            try:
                claims.append(self._decode(each, read_at))
            except Exception:  # Redis is not trusted
                self.give_up(each.stream, each.entry, each.id)
        return claims

    def _decode(self, claimed: Any, read_at: float | None) -> Claim:
        rows = orjson.loads(claimed.inputs)
        listed, attempt = isinstance(rows[0], list), int(claimed.attempt)
        return Claim(
            stream=claimed.stream,
            entry=claimed.entry,
            id=claimed.id.decode(),
            attempt=attempt,
            model=claimed.model.decode(),
            sha256=claimed.sha.hex(),
            rows=rows if listed else [rows],
            listed=listed,
            row_by_row=listed and attempt >= max(self._settings.attempts, 2),
            given_up=frozenset(map(int, claimed.given_up.split())),
            traceparent=claimed.traceparent.decode(),
            read_at=read_at,
        )

    def _record_item(self, outcome: Outcome) -> tuple[Any, ...]:
        claim, status, outputs, error = outcome
        held_ms = self._held_ms(claim.read_at)
        return claim.stream, claim.entry, claim.id, claim.attempt, status, outputs, error, held_ms

    def _held_ms(self, read_at: float | None) -> str | int:
        return "" if read_at is None else max(round((self._clock() - read_at) * 1000), 0)


def _claim_item(entry: Entry) -> tuple[bytes, bytes, bytes]:
    return entry.id, entry.job_id, entry.detail
