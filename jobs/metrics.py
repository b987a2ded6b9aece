"""Counters and histograms of all processes together, in one hash in Redis.

Each process adds its counts to the hash every second. Scripts count what happens to jobs, in the step in
which it happens.
"""

from bisect import bisect_left
from collections import Counter, defaultdict
from collections.abc import Collection
from threading import Lock
from typing import Any, NamedTuple

from redis import Redis

from jobs.queues.connection import store_errors

HASH = "metrics"
SUM = "sum"
_SECONDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 300.0)


class Family(NamedTuple):
    """A counter; with buckets, a histogram."""

    name: str
    help: str
    labels: tuple[str, ...] = ()
    buckets: tuple[float, ...] = ()


REQUESTS = Family("requests", "Requests answered.", ("route", "method", "status"))
REQUEST_SECONDS = Family(
    "request_seconds", "From a request to its answer, including waits.", ("route",), _SECONDS
)
QUEUE_SECONDS = Family(
    "queue_wait_seconds", "From the post of a prediction to its claim.", ("model",), _SECONDS
)
RUN_SECONDS = Family("run_seconds", "From the claim of a prediction to its end.", ("model",), _SECONDS)
MICROBATCH_ROWS = Family(
    "microbatch_rows", "Rows scored in one call.", ("model",), (1.0, 3.0, 10.0, 30.0, 1e2, 3e2, 1e3, 3e3, 1e4)
)
CHUNK_SECONDS = Family("chunk_run_seconds", "From the claim of a chunk to its end.", ("model",), _SECONDS)
LOOP_ERRORS = Family(
    "loop_errors",
    "Errors after which a background task went on.",
    ("loop", "error"),
)
WEBHOOK_ATTEMPTS = Family(
    "webhook_attempts",
    "Attempts to deliver a webhook, by the status of the answer, or why there is none.",
    ("result",),
)
WEBHOOK_SECONDS = Family("webhook_seconds", "From the start of an attempt to its end.", (), _SECONDS)
EVENT_MESSAGES = Family(
    "event_messages", "Messages of the event queue, by what became of them.", ("outcome",)
)
FAMILIES = (
    REQUESTS,
    REQUEST_SECONDS,
    QUEUE_SECONDS,
    RUN_SECONDS,
    MICROBATCH_ROWS,
    CHUNK_SECONDS,
    LOOP_ERRORS,
    WEBHOOK_ATTEMPTS,
    WEBHOOK_SECONDS,
    EVENT_MESSAGES,
    Family("webhooks_ended", "Webhooks that were delivered or given up.", ("outcome",)),
    Family("dead_letters", "Jobs and webhooks that the service gave up."),
    Family("jobs_ended", "Jobs that ended, by kind, model and status.", ("kind", "model", "status")),
    Family(
        "attempts",
        "Claims of predictions: the first, the second after a lost worker, ...",
        ("queue", "attempt"),
    ),
    Family("wake_ups", "Wake-ups sent.", ("queue",)),
    Family("sweeps", "Sweeps of a queue.", ("queue",)),
    Family("swept", "Entries of lost workers that a sweep requeued or gave up.", ("queue", "outcome")),
    Family("batch_rows", "Rows of batches, by whether they were scored.", ("model", "status")),
)


class Metrics:
    """The counts of this process. Those that it has not flushed are lost if it is killed."""

    def __init__(self, redis: Redis) -> None:
        self._redis = redis
        self._counted: defaultdict[tuple[str, ...], float] = defaultdict(int)
        self._lock = Lock()

    def count(self, family: Family, *labels: str, times: int = 1) -> None:
        with self._lock:
            self._counted[(family.name, *labels)] += times

    def observe(self, family: Family, values: Collection[float], *labels: str) -> None:
        """Values are in the unit of the family's buckets."""
        counts = Counter([bisect_left(family.buckets, value) for value in values])
        with self._lock:
            for index, times in counts.items():
                bucket = str(family.buckets[index]) if index < len(family.buckets) else "inf"
                self._counted[(family.name, *labels, bucket)] += times
            self._counted[(family.name, *labels, SUM)] += float(sum(values))

    def flush(self) -> None:
        """Raises StoreUnavailable, and then keeps the counts for the next time."""
        with self._lock:
            counted, self._counted = self._counted, defaultdict(int)
        try:
            with store_errors(), self._redis.pipeline() as together:
                for labels, value in counted.items():
                    if isinstance(value, int):
                        together.hincrby(HASH, "|".join(labels), value)
                    else:
                        together.hincrbyfloat(HASH, "|".join(labels), value)
                together.execute()
        except Exception:
            with self._lock:
                for labels, value in counted.items():
                    self._counted[labels] += value
            raise

    def read(self) -> dict[str, dict[tuple[str, ...], float]]:
        """By family and labels. A histogram's labels end with the upper end of a bucket, or SUM."""
        with store_errors():
            fields: Any = self._redis.hgetall(HASH)
        read: defaultdict[str, dict[tuple[str, ...], float]] = defaultdict(dict)
        for field, value in fields.items():
            name, *labels = field.decode().split("|")
            read[name][tuple(labels)] = float(value)
        return read
