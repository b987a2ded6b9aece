"""Writes the access log and counts the requests, a tenth of a second's worth at a time."""

from collections import Counter, defaultdict
from collections.abc import Mapping
from typing import Any, NamedTuple

import gevent

from jobs.ids import rfc3339
from jobs.logs import Journal
from jobs.metrics import REQUEST_SECONDS, REQUESTS, Metrics
from jobs.tracing import trace_fields

WRITE_EVERY_SECONDS = 0.1
WRITES_PER_FLUSH = 10
UNLOGGED = ("/healthz", "/readyz", "/metrics")
"""Routes that machines call every few seconds."""


class Refusal(NamedTuple):
    """Why a request was refused, without what was sent: a word, and the kinds of its faults."""

    reason: str
    faults: Mapping[str, int]


class AnsweredRequest(NamedTuple):
    """`at` is in milliseconds since 1970. Route and method are "none" where no route matched."""

    at: int
    request_id: str
    job_id: str | None
    method: str
    route: str
    status: str
    seconds: float
    refusal: Refusal | None = None
    traceparent: str = ""


class AccessLog:
    """The app appends to `entries`. To write many at once takes a third of the time of single writes."""

    def __init__(self, metrics: Metrics, journal: Journal) -> None:
        self.metrics = metrics
        self.entries: list[AnsweredRequest] = []
        self._journal = journal

    def write(self) -> None:
        """Counts and writes the entries since the last call."""
        entries, self.entries = self.entries, []
        seconds: defaultdict[str, list[float]] = defaultdict(list)
        for entry in entries:
            seconds[entry.route].append(entry.seconds)
        for route, durations in seconds.items():
            self.metrics.observe(REQUEST_SECONDS, durations, route)
        for labels, times in Counter((entry.route, entry.method, entry.status) for entry in entries).items():
            self.metrics.count(REQUESTS, *labels, times=times)
        self._journal.note("answered", (_line(entry) for entry in entries if entry.route not in UNLOGGED))
        self._journal.flush()

    def flush(self) -> None:
        """Writes the entries, and adds the counts to the metrics in Redis. Raises StoreUnavailable."""
        self.write()
        self.metrics.flush()

    def run(self) -> None:
        """Writes and flushes for as long as the process lives. Raises StoreUnavailable."""
        while True:
            for _ in range(WRITES_PER_FLUSH):
                gevent.sleep(WRITE_EVERY_SECONDS)
                self.write()
            self.metrics.flush()


def _line(entry: AnsweredRequest) -> dict[str, Any]:
    line = {
        "time": rfc3339(entry.at),
        "request_id": entry.request_id,
        "method": entry.method,
        "route": entry.route,
        "status": int(entry.status),
        "ms": round(entry.seconds * 1000, 3),
    }
    line |= trace_fields(entry.traceparent)
    if entry.job_id is not None:
        line["job_id"] = entry.job_id
    if entry.refusal:
        line["reason"] = entry.refusal.reason
        if entry.refusal.faults:
            line["faults"] = entry.refusal.faults
    return line
