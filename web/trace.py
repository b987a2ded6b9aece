"""What each request leaves behind: its id in the answer, a line in the log, and its count."""

import logging
import os
import re
import time
from typing import Any

import gevent
from flask import Flask, Response, g, request

from jobs.errors import JobsError
from jobs.logs import Journal
from jobs.metrics import REQUEST_SECONDS, REQUESTS, Metrics

log = logging.getLogger(__name__)

FLUSH_EVERY_SECONDS = 1
UNLOGGED = ("/healthz", "/readyz", "/metrics")
"""What is asked for every few seconds by machines."""
_REQUEST_ID = re.compile(r"[A-Za-z0-9._-]{1,64}")


def trace(app: Flask, metrics: Metrics, journal: Journal) -> None:
    def begin() -> None:
        given = request.headers.get("X-Request-ID")
        g.request_id = given if given and _REQUEST_ID.fullmatch(given) else os.urandom(16).hex()
        g.started = time.perf_counter()

    def end(response: Response) -> Response:
        seconds = time.perf_counter() - g.started
        # A path or a method that is none of ours is the caller's own text.
        route, method = (request.url_rule.rule, request.method) if request.url_rule else ("none", "none")
        metrics.count(REQUESTS, route, method, str(response.status_code))
        metrics.observe(REQUEST_SECONDS, seconds, route)
        if route not in UNLOGGED:
            journal.note("answered", [_line(route, method, response.status_code, seconds)])
        response.headers["X-Request-ID"] = g.request_id
        return response

    app.before_request(begin)
    app.after_request(end)


def _line(route: str, method: str, status: int, seconds: float) -> dict[str, Any]:
    line = {
        "request_id": g.request_id,
        "method": method,
        "route": route,
        "status": status,
        "ms": round(seconds * 1000, 3),
    }
    if job_id := g.get("job_id"):
        line["job_id"] = job_id
    return line


def keep_flushing(metrics: Metrics) -> None:
    while True:
        gevent.sleep(FLUSH_EVERY_SECONDS)
        try:
            metrics.flush()
        except JobsError as error:
            log.warning("store_away", extra={"error": type(error).__name__})
