"""The state of the service: what waits, what is claimed, the rate of scoring, and the room in Redis."""

import math
from typing import Any, NamedTuple

from redis import Redis

from jobs import ids
from jobs.queues.connection import store_errors
from jobs.queues.names import BATCH, BATCHES, EXPLANATIONS, PREDICTION, PREDICTIONS, QUEUES, WEB_PROCESSES
from jobs.queues.processes import Process
from jobs.queues.script_calls import Script
from jobs.settings import WORKER_QUEUES, Settings

UNKNOWN_SECONDS = 5
"""Retry-After while the rate is unknown and no worker is alive."""
MOST_SECONDS = 60

JOB_BYTES = 500
"""What a prediction takes in Redis until its record expires, without inputs and outputs."""
OUTPUT_BYTES = 128
"""What the output of a row takes, with a warning or two; usually more than its inputs."""


class QueueState(NamedTuple):
    waiting: int
    """Entries that nobody has claimed."""
    rows: int
    """Rows of those entries."""
    claimed: int
    oldest: tuple[bytes, ...]
    """Alternates the id of the oldest waiting entry of a stream and the id of its job.

    Of an owner's stream, whose entries have no times, it has the job only.
    """
    consumers: tuple[Process, ...]

    @classmethod
    def decode(cls, waiting: int, rows: int, claimed: int, oldest: Any, consumers: Any) -> "QueueState":
        """Reads what queues/capacity.lua returns."""
        return cls(waiting, int(rows), claimed, tuple(oldest), Process.read_all(consumers))

    @property
    def rows_per_second(self) -> int:
        """What all consumers together score while they have work."""
        return sum(consumer.pace for consumer in self.consumers)


class BatchCapacity(NamedTuple):
    """Planning a batch and joining its parts count as one chunk each."""

    open: int = 0
    """Batches that have not ended."""
    waiting: int = 0
    """Chunks that nobody has claimed, whether or not they are in the queue yet."""
    claimed: int = 0
    oldest_seconds: float = 0.0
    """How long the next chunk has been in the queue."""
    children: tuple[Process, ...] = ()
    rows_per_second: int = 0


class Capacity(NamedTuple):
    waiting: int = 0
    rows: int = 0
    """The rows of the predictions that wait."""
    explained: int = 0
    """How many of those rows are to be explained."""
    claimed: int = 0
    oldest_seconds: float = 0.0
    """The age of the prediction that has waited longest."""
    webs: tuple[Process, ...] = ()
    children: tuple[Process, ...] = ()
    rows_per_second: int = 0
    """What all children together score while they have work."""
    explained_per_second: int = 0
    """How many rows all children together explain while they have work."""
    batches: BatchCapacity = BatchCapacity()
    start_seconds: float | None = None
    """Seconds until a worker should have started; None while one lives, or where nobody starts one."""
    served: frozenset[str] = frozenset(WORKER_QUEUES)
    """The kinds of jobs that workers take."""

    @property
    def workers(self) -> int:
        return len({child.name.rpartition(":")[0] for child in self.children})

    @property
    def for_workers(self) -> "Capacity":
        """The same, without what no worker takes: it was accepted before PAYGRADE_QUEUES changed."""
        found = self
        if PREDICTION.name not in self.served:
            found = found._replace(waiting=0, rows=0, explained=0, claimed=0, oldest_seconds=0.0)
        if BATCH.name not in self.served:
            found = found._replace(batches=BatchCapacity(children=self.batches.children))
        return found

    @property
    def busy(self) -> bool:
        """Something that workers take waits or is claimed, or such a batch is open."""
        work = self.for_workers
        return bool(work.waiting or work.claimed or work.batches.open)

    def accepting(self, room: float, most_waiting: int) -> bool:
        """Whether a small prediction would be accepted now; `room` is what Monitor.room returned."""
        return room > JOB_BYTES and self.waiting + self.claimed < most_waiting

    def resource(self, accepting: bool) -> dict[str, Any]:
        """The capacity as callers see it."""
        return {
            "object": "capacity",
            "waiting": self.waiting,
            "rows": self.rows,
            "claimed": self.claimed,
            "oldest_age_seconds": self.oldest_seconds,
            "workers": self.workers,
            "start_seconds": self.start_seconds,
            "children": len(self.children),
            "rows_per_second": self.rows_per_second,
            "releases": sorted(
                {each.release for each in (*self.webs, *self.children, *self.batches.children)}
            ),
            "accepting": accepting,
            "batches": {
                "open": self.batches.open,
                "waiting": self.batches.waiting,
                "claimed": self.batches.claimed,
                "oldest_age_seconds": self.batches.oldest_seconds,
                "children": len(self.batches.children),
                "rows_per_second": self.batches.rows_per_second,
            },
        }


class Memory(NamedTuple):
    """Bytes that Redis uses, and may use at most; 0 for no limit."""

    used: int
    most: int


class Monitor:
    """Every method raises StoreUnavailable if Redis does not answer in time."""

    def __init__(self, redis: Redis, settings: Settings) -> None:
        self._redis = redis
        self._max_memory_percent = settings.max_memory_percent
        self._served = settings.served
        self._report = Script(redis, "queues/report")
        self._capacity = Script(redis, "queues/capacity")
        self._open_batches = Script(redis, "batches/open_batches")

    def ping(self) -> None:
        with store_errors():
            self._redis.ping()

    def report_alive(self, web: Process) -> None:
        """Reports that the web process is alive; five seconds later it counts as dead."""
        self._report(set=WEB_PROCESSES, name=web.name, report=web.report)

    def room(self) -> float:
        """Bytes that Redis may still store, less the outputs of waiting rows; infinite without maxmemory."""
        memory = self.memory()
        with store_errors():
            waiting: Any = self._redis.get(PREDICTIONS.rows)
        if not memory.most:
            return math.inf
        most = memory.most * self._max_memory_percent / 100
        return float(
            most - memory.used - OUTPUT_BYTES * (int(waiting) if waiting and waiting.isdigit() else 0)
        )

    def memory(self) -> Memory:
        with store_errors():
            info = self._redis.info("memory")
        return Memory(info["used_memory"], info["maxmemory"])

    def capacity(self) -> Capacity:
        reply = self._capacity([(queue.name,) for queue in QUEUES], set=WEB_PROCESSES)
        states = [QueueState.decode(*state) for state in reply.queues]
        by_name = dict(zip((queue.name for queue in QUEUES), states, strict=True))
        predictions, explanations = by_name[PREDICTIONS.name], by_name[EXPLANATIONS.name]
        now = int(reply.now)
        oldest = [
            job_id.decode(errors="replace") for job_id in (predictions.oldest + explanations.oldest)[1::2]
        ]
        made = [ids.created_ms(job_id) for job_id in oldest if ids.is_id(job_id, ids.PREDICTION)]
        return Capacity(
            waiting=predictions.waiting + explanations.waiting,
            rows=predictions.rows + explanations.rows,
            explained=explanations.rows,
            claimed=predictions.claimed + explanations.claimed,
            oldest_seconds=_age(now, made),
            webs=Process.read_all(reply.webs),
            children=predictions.consumers,
            rows_per_second=predictions.rows_per_second,
            explained_per_second=explanations.rows_per_second,
            batches=self._of_batches(now, by_name[BATCHES.name]),
            served=self._served,
        )

    def _of_batches(self, now: int, state: QueueState) -> BatchCapacity:
        batches = self._open_batches()
        added = [int(entry.partition(b"-")[0]) for entry in state.oldest[::2] if entry]
        return BatchCapacity(
            open=batches.open,
            waiting=state.waiting + batches.unqueued,
            claimed=state.claimed,
            oldest_seconds=_age(now, added),
            children=state.consumers,
            rows_per_second=state.rows_per_second,
        )


def _age(now: int, times: list[int]) -> float:
    """Seconds since the oldest of these times; 0 without any."""
    return max(now - min(times), 0) / 1000 if times else 0.0
