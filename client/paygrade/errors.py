"""Errors of calls to a Paygrade service."""

from typing import Any

RETRY_SECONDS = 1
"""How long to wait before the next attempt if the service does not say."""


class PaygradeError(Exception):
    """The base class of all errors of this package."""


class ClientMisconfigured(PaygradeError, ValueError):
    """The address or the key cannot be used."""


class NoAnswer(PaygradeError):
    """The service gave no usable answer."""


class Unreachable(NoAnswer):
    """No connection to the service could be made."""

    retry_after = RETRY_SECONDS


class ConnectionCut(NoAnswer):
    """The connection ended before the answer did; the request may have been carried out."""

    retry_after = RETRY_SECONDS


class ServiceRefused(PaygradeError):
    """The service refused the request. `status` is the HTTP status, `problem` the body (RFC 9457)."""

    def __init__(self, message: str, status: int, problem: dict[str, Any]) -> None:
        super().__init__(message)
        self.status = status
        self.problem = problem


class KeyRefused(ServiceRefused):
    """The key is missing or not valid (401)."""


class NotFound(ServiceRefused):
    """There is no such job or model, or it has expired (404, 410)."""


class Conflict(ServiceRefused):
    """The state of the job does not allow the request (409)."""


class ServiceBusy(ServiceRefused):
    """The service takes no more requests at present (429, 503)."""

    retry_after = RETRY_SECONDS


class JobFailed(PaygradeError):
    """The job ended without any score. `job` is its resource."""

    def __init__(self, job: dict[str, Any]) -> None:
        detail = f": {job['error']['detail']}" if job["error"] else ""
        super().__init__(f"{job['id']} is {job['status']}{detail}")
        self.job = job


class JobUnfinished(PaygradeError):
    """The job did not end in time; it continues."""
