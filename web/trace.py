"""What each request leaves behind: its id in the answer, a line in the log, and its count."""

import logging
import os
import re
import time
from collections import Counter, defaultdict
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any, NamedTuple

import gevent

from jobs.errors import JobsError
from jobs.ids import rfc3339 as written
from jobs.logs import Journal
from jobs.metrics import REQUEST_SECONDS, REQUESTS, Metrics

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

log = logging.getLogger(__name__)

REQUEST_ID = "paygrade.request_id"
JOB_ID = "paygrade.job_id"
"""Where in the environment of a request its id is, and that of its job."""
TELL_EVERY_SECONDS = 0.1
TELLS_PER_FLUSH = 10
UNLOGGED = ("/healthz", "/readyz", "/metrics")
"""What is asked for every few seconds by machines."""
_REQUEST_ID = re.compile(r"[A-Za-z0-9._-]{1,64}")


class Answered(NamedTuple):
    """`at` is in milliseconds since 1970. Route and method are "none" where they are not ours."""

    at: int
    request_id: str
    job_id: str | None
    method: str
    route: str
    status: str
    seconds: float


class Trace:
    """Around Flask's own application: its hooks cost each request several times as much.

    Requests are counted and written down by the hundred, which costs each of them a third.
    """

    def __init__(self, metrics: Metrics, journal: Journal) -> None:
        self.metrics = metrics
        self._journal = journal
        self._answered: list[Answered] = []

    def around(self, application: "WSGIApplication") -> "WSGIApplication":
        def traced(environ: "WSGIEnvironment", start_response: "StartResponse") -> Iterable[bytes]:
            given = environ.get("HTTP_X_REQUEST_ID")
            request_id = given if given and _REQUEST_ID.fullmatch(given) else os.urandom(16).hex()
            environ[REQUEST_ID] = request_id
            started = time.perf_counter()

            def start(status: str, headers: list[tuple[str, str]], *failure: Any) -> Any:
                headers.append(("X-Request-ID", request_id))
                self._note(environ, status, time.perf_counter() - started)
                return start_response(status, headers, *failure)

            return application(environ, start)

        return traced

    def tell(self) -> None:
        """Counts and writes down what has been answered since this was last called."""
        answered, self._answered = self._answered, []
        seconds: defaultdict[str, list[float]] = defaultdict(list)
        for each in answered:
            seconds[each.route].append(each.seconds)
        for route, those in seconds.items():
            self.metrics.observe(REQUEST_SECONDS, those, route)
        for labels, times in Counter((each.route, each.method, each.status) for each in answered).items():
            self.metrics.count(REQUESTS, *labels, times=times)
        self._journal.note("answered", (_line(each) for each in answered if each.route not in UNLOGGED))
        self._journal.flush()

    def flush(self) -> None:
        """And adds the counts to those of all processes. Raises StoreUnavailable."""
        self.tell()
        self.metrics.flush()

    def keep_telling(self) -> None:
        while True:
            for _ in range(TELLS_PER_FLUSH):
                gevent.sleep(TELL_EVERY_SECONDS)
                self.tell()
            try:
                self.metrics.flush()
            except JobsError as error:
                log.warning("store_away", extra={"error": type(error).__name__})

    def _note(self, environ: "WSGIEnvironment", status: str, seconds: float) -> None:
        rule = environ["werkzeug.request"].url_rule
        route, method = (rule.rule, environ["REQUEST_METHOD"]) if rule else ("none", "none")
        at = time.time_ns() // 1_000_000
        job_id = environ.get(JOB_ID)
        self._answered.append(Answered(at, environ[REQUEST_ID], job_id, method, route, status[:3], seconds))


def _line(answered: Answered) -> dict[str, Any]:
    line = {
        "time": written(answered.at),
        "request_id": answered.request_id,
        "method": answered.method,
        "route": answered.route,
        "status": int(answered.status),
        "ms": round(answered.seconds * 1000, 3),
    }
    return line if answered.job_id is None else {**line, "job_id": answered.job_id}
