"""What each request leaves behind: its id in the answer, a line in the log, and its count."""

import logging
import os
import re
import time
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

import gevent

from jobs.errors import JobsError
from jobs.logs import Journal
from jobs.metrics import REQUEST_SECONDS, REQUESTS, Metrics

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

log = logging.getLogger(__name__)

REQUEST_ID = "paygrade.request_id"
JOB_ID = "paygrade.job_id"
"""Where in the environment of a request its id is, and that of its job."""
FLUSH_EVERY_SECONDS = 1
UNLOGGED = ("/healthz", "/readyz", "/metrics")
"""What is asked for every few seconds by machines."""
_REQUEST_ID = re.compile(r"[A-Za-z0-9._-]{1,64}")


class Trace:
    """Around Flask's own application: its hooks cost each request several times as much."""

    def __init__(self, application: "WSGIApplication", metrics: Metrics, journal: Journal) -> None:
        self._application = application
        self._metrics = metrics
        self._journal = journal

    def __call__(self, environ: "WSGIEnvironment", start_response: "StartResponse") -> Iterable[bytes]:
        given = environ.get("HTTP_X_REQUEST_ID")
        request_id = given if given and _REQUEST_ID.fullmatch(given) else os.urandom(16).hex()
        environ[REQUEST_ID] = request_id
        started = time.perf_counter()

        def start(status: str, headers: list[tuple[str, str]], *failure: Any) -> Any:
            headers.append(("X-Request-ID", request_id))
            self._tell(environ, int(status[:3]), time.perf_counter() - started)
            return start_response(status, headers, *failure)

        return self._application(environ, start)

    def _tell(self, environ: "WSGIEnvironment", status: int, seconds: float) -> None:
        rule = environ["werkzeug.request"].url_rule
        # A path or a method that is none of ours is the caller's own text.
        route, method = (rule.rule, environ["REQUEST_METHOD"]) if rule else ("none", "none")
        self._metrics.count(REQUESTS, route, method, str(status))
        self._metrics.observe(REQUEST_SECONDS, seconds, route)
        if route in UNLOGGED:
            return
        line = {"request_id": environ[REQUEST_ID], "method": method, "route": route, "status": status}
        line["ms"] = round(seconds * 1000, 3)
        if JOB_ID in environ:
            line["job_id"] = environ[JOB_ID]
        self._journal.note("answered", [line])


def keep_flushing(metrics: Metrics) -> None:
    while True:
        gevent.sleep(FLUSH_EVERY_SECONDS)
        try:
            metrics.flush()
        except JobsError as error:
            log.warning("store_away", extra={"error": type(error).__name__})
