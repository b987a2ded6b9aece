"""Errors as problem details (RFC 9457): only this module knows which status an error has."""

import logging
import re
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from http import HTTPStatus
from itertools import islice
from typing import Any, TypeAlias

import orjson
from flask import Flask, Response, request
from werkzeug.exceptions import HTTPException
from werkzeug.http import HTTP_STATUS_CODES

from jobs.errors import (
    FilesUnavailable,
    IdempotencyKeyReused,
    InvalidGzip,
    InvalidId,
    InvalidTable,
    NotRetryable,
    QueueFull,
    RateLimited,
    StoreUnavailable,
    TooManyRows,
    UnknownLetter,
    UnknownRecord,
)
from model.description.errors import UnknownModel
from model.description.schema import MAX_FAULTS, Fault, InvalidRows
from web.access_log import Refusal
from web.errors import (
    ExpiredJob,
    FilesTooLong,
    FileTooLong,
    InvalidDryRun,
    JobConflict,
    NotScored,
    QueueNotServed,
    TooManyBodies,
    UnknownFile,
    UnknownJob,
    UnreadableInput,
    UploadDiffers,
)

log = logging.getLogger(__name__)

UNAVAILABLE_RETRY_SECONDS = 2

_REASONS = {
    400: "header",
    401: "no_key",
    403: "scope",
    404: "unknown",
    405: "method",
    406: "accept",
    413: "too_long",
    415: "media_type",
    416: "range",
    422: "invalid",
}


class Problem(Exception):
    """A request that is refused, with the status and headers of the response.

    `reason` is a word for the log, where the status does not say it.
    """

    def __init__(
        self,
        status: int,
        detail: str,
        errors: Iterable[Fault] = (),
        headers: Mapping[str, str] | None = None,
        reason: str = "",
    ) -> None:
        super().__init__(detail)
        self.status = status
        self.detail = detail
        self.errors = list(islice(errors, MAX_FAULTS))
        self.headers = headers or {}
        self.reason = reason or _REASONS.get(status, "failed")


_STATUSES: dict[type[Exception], int] = {
    InvalidGzip: 400,
    InvalidId: 404,
    UnknownFile: 404,
    UnknownJob: 404,
    UnknownLetter: 404,
    UnknownModel: 404,
    JobConflict: 409,
    NotRetryable: 409,
    ExpiredJob: 410,
    FileTooLong: 413,
    FilesTooLong: 413,
    IdempotencyKeyReused: 422,
    InvalidDryRun: 422,
    InvalidTable: 422,
    TooManyRows: 422,
    UploadDiffers: 422,
    RateLimited: 429,
    QueueNotServed: 501,
    FilesUnavailable: 503,
    NotScored: 503,
    QueueFull: 503,
    StoreUnavailable: 503,
    TooManyBodies: 503,
    UnknownRecord: 503,
}
"""The status of each error and of its subclasses."""
_NO_ROUTE = {
    404: "there is no such route; /docs lists the routes",
    405: "this route does not support the method; the header Allow lists those that it supports",
}

_WORDS = re.compile("(?<=[a-z])(?=[A-Z])")
MAX_TEXT = 2_000
"""A pointer or a detail has no more characters, however long the names are that it repeats."""

Members: TypeAlias = dict[str, Any]
Extension: TypeAlias = Callable[[Members], Members]
"""Adds the members that clients of one protocol expect to a problem."""


class ProblemResponses:
    """Answers errors. `extensions` has functions by the first segment of the path, such as `v2`."""

    def __init__(self, app: Flask, extensions: Mapping[str, Extension]) -> None:
        self._response = app.response_class
        self._extensions = extensions
        app.register_error_handler(Problem, self._respond)
        app.register_error_handler(InvalidRows, self._invalid_rows)
        app.register_error_handler(UnreadableInput, self._unreadable_input)
        for known in _STATUSES:
            app.register_error_handler(known, self._known)
        app.register_error_handler(HTTPException, self._http)
        app.register_error_handler(Exception, self._unexpected)

    def _respond(self, problem: Problem) -> Response:
        kinds = Counter(fault.kind for fault in problem.errors)
        request.refusal = Refusal(problem.reason, kinds)  # type: ignore[attr-defined]  # an ApiRequest
        title = HTTP_STATUS_CODES[problem.status]
        members: Members = {
            "type": f"urn:paygrade:{title.lower().replace(' ', '-')}",
            "title": title,
            "status": problem.status,
            "detail": _short(problem.detail),
        }
        if problem.errors:
            members["errors"] = [
                {"pointer": _short(fault.pointer), "detail": _short(fault.detail)} for fault in problem.errors
            ]
        if extension := self._extensions.get(request.path.split("/")[1]):
            members = extension(members)
        return self._response(
            orjson.dumps(members), problem.status, problem.headers, content_type="application/problem+json"
        )

    def _known(self, error: Exception) -> Response:
        status = next(_STATUSES[kind] for kind in type(error).__mro__ if kind in _STATUSES)
        seconds = getattr(error, "retry_after", UNAVAILABLE_RETRY_SECONDS if status == 503 else None)
        headers = {"Retry-After": str(seconds)} if seconds else {}
        reason = _WORDS.sub("_", type(error).__name__).lower()
        return self._respond(Problem(status, str(error), headers=headers, reason=reason))

    def _invalid_rows(self, error: InvalidRows) -> Response:
        return self._respond(
            Problem(422, "the rows do not fit the model; see errors", error.faults, reason="invalid_rows")
        )

    def _unreadable_input(self, error: UnreadableInput) -> Response:
        return self._respond(Problem(422, "the input cannot be read", [Fault("/input", str(error))]))

    def _http(self, error: HTTPException) -> Response:
        headers = {name: value for name, value in error.get_headers() if name in ("Allow", "Retry-After")}
        detail = _NO_ROUTE.get(error.code or 0) or error.description or ""
        if error.code == HTTPStatus.REQUEST_ENTITY_TOO_LARGE:
            detail = f"the body is longer than {request.max_content_length} bytes; send a file as a batch"
        return self._respond(Problem(error.code or 500, detail, headers=headers))

    def _unexpected(self, error: Exception) -> Response:
        """Logs where the error happened, but not its message, which may hold what the caller sent."""
        traceback = error.__traceback__
        while traceback and traceback.tb_next:
            traceback = traceback.tb_next
        where = f"{traceback.tb_frame.f_code.co_filename}:{traceback.tb_lineno}" if traceback else "?"
        log.error("unexpected_error", extra={"error": type(error).__name__, "where": where})
        return self._respond(Problem(500, "the server failed on this request; the failure has been logged"))


def _short(text: str) -> str:
    return text if len(text) <= MAX_TEXT else f"{text[:MAX_TEXT]}…"
