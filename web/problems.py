"""Errors as problem details (RFC 9457): the one place that knows which error is which status."""

import logging
from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

import orjson
from flask import Flask, Response
from werkzeug.exceptions import HTTPException
from werkzeug.http import HTTP_STATUS_CODES

from jobs.errors import (
    FilesUnavailable,
    IdempotencyKeyReused,
    InvalidGzip,
    InvalidId,
    QueueFull,
    RateLimited,
    StoreUnavailable,
    TooManyRows,
    UnknownRecord,
)
from model.description.errors import UnknownModel
from model.description.schema import Fault, InvalidRows
from web.answer import Answer

log = logging.getLogger(__name__)

STORE_AWAY_RETRY_SECONDS = 2

_NOT_HTTP = orjson.dumps(
    {
        "type": "urn:paygrade:bad-request",
        "title": "Bad Request",
        "status": 400,
        "detail": "this is not a request as HTTP has it; look at its first line and its header",
    }
)
NOT_HTTP = (
    b"HTTP/1.1 400 Bad Request\r\nConnection: close\r\nContent-Type: application/problem+json\r\n"
    b"Content-Length: %d\r\n\r\n%b" % (len(_NOT_HTTP), _NOT_HTTP)
)
"""The whole answer to what could not be read, and so never came to Flask."""


class Problem(Exception):
    """A request that cannot be answered as asked."""

    def __init__(
        self,
        status: int,
        detail: str,
        errors: Iterable[Fault] = (),
        headers: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(detail)
        self.status = status
        self.detail = detail
        self.errors = list(errors)
        self.headers = headers or {}


class _Answer(NamedTuple):
    status: int
    retry_after: int | None = None


_ANSWERS: dict[type[Exception], _Answer] = {
    InvalidId: _Answer(404),
    InvalidGzip: _Answer(400),
    UnknownModel: _Answer(404),
    TooManyRows: _Answer(422),
    UnknownRecord: _Answer(503, STORE_AWAY_RETRY_SECONDS),
    StoreUnavailable: _Answer(503, STORE_AWAY_RETRY_SECONDS),
    FilesUnavailable: _Answer(503, STORE_AWAY_RETRY_SECONDS),
    IdempotencyKeyReused: _Answer(422),
}
_OF_ROUTES = {
    404: "there is no such route; /docs shows those that there are",
    405: "this route does not take this method; Allow names those that it takes",
}
"""What Werkzeug finds wrong before any of our routes is asked."""


def register(app: Flask) -> None:
    app.register_error_handler(Problem, _respond)
    app.register_error_handler(InvalidRows, _invalid_rows)
    app.register_error_handler(RateLimited, lambda error: _later(429, error))
    app.register_error_handler(QueueFull, lambda error: _later(503, error))
    for known in _ANSWERS:
        app.register_error_handler(known, _known)
    app.register_error_handler(HTTPException, _http)
    app.register_error_handler(Exception, _unforeseen)


def _respond(problem: Problem) -> Response:
    title = HTTP_STATUS_CODES[problem.status]
    body: dict[str, Any] = {
        "type": f"urn:paygrade:{title.lower().replace(' ', '-')}",
        "title": title,
        "status": problem.status,
        "detail": problem.detail,
    }
    if problem.errors:
        body["errors"] = [{"pointer": fault.pointer, "detail": fault.detail} for fault in problem.errors]
    return Answer(
        orjson.dumps(body), problem.status, problem.headers, content_type="application/problem+json"
    )


def _known(error: Exception) -> Response:
    status, retry_after = _ANSWERS[type(error)]
    headers = {"Retry-After": str(retry_after)} if retry_after else {}
    return _respond(Problem(status, str(error), headers=headers))


def _invalid_rows(error: InvalidRows) -> Response:
    return _respond(Problem(422, "the rows do not fit the model; see errors", error.faults))


def _later(status: int, error: RateLimited | QueueFull) -> Response:
    return _respond(Problem(status, str(error), headers={"Retry-After": str(error.retry_after)}))


def _http(error: HTTPException) -> Response:
    headers = {name: value for name, value in error.get_headers() if name in ("Allow", "Retry-After")}
    detail = _OF_ROUTES.get(error.code or 0) or error.description or ""
    return _respond(Problem(error.code or 500, detail, headers=headers))


def _unforeseen(error: Exception) -> Response:
    # Where it happened, and not what it says: that may hold what the caller sent.
    place = error.__traceback__
    while place and place.tb_next:
        place = place.tb_next
    where = f"{place.tb_frame.f_code.co_filename}:{place.tb_lineno}" if place else "?"
    log.error("unforeseen", extra={"error": type(error).__name__, "where": where})
    return _respond(Problem(500, "something here is broken; it has been logged"))
