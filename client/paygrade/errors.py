"""Errors of calls to a Paygrade service, and the warning about rows that were not scored."""

from collections.abc import Mapping
from typing import Any


class PaygradeError(Exception):
    """The base class of all errors of this package."""


class ClientMisconfigured(PaygradeError, ValueError):
    """The address or the key cannot be used."""


class InvalidInput(PaygradeError, ValueError):
    """What was passed in cannot be sent."""


class NoAnswer(PaygradeError):
    """The service gave no usable answer."""


class Unreachable(NoAnswer):
    """No connection to the service could be made."""


class ConnectionCut(NoAnswer):
    """The connection ended before the answer did; the request may have been carried out."""


class AddressRefused(ConnectionCut):
    """The address that the service gave for a file is refused; it may have expired."""


class ServiceRefused(PaygradeError):
    """The service refused the request. `status` is the HTTP status, `problem` the body (RFC 9457)."""

    retry_after: float | None = None
    """The seconds after which the service asks to be asked again."""
    after_lost_answer = False
    """Whether the same request was sent before, and its answer was lost: it may have been carried out."""

    def __init__(self, message: str, status: int, problem: Mapping[str, Any]) -> None:
        super().__init__(message)
        self.status = status
        self.problem = problem

    @property
    def detail(self) -> str:
        """What the service says, without the faults of rows."""
        detail = self.problem.get("detail")
        return detail if isinstance(detail, str) else str(self)

    @property
    def errors(self) -> list[Mapping[str, str]]:
        """Each fault of what was sent: its `detail`, and the `pointer` (RFC 6901) to where it is."""
        errors = self.problem.get("errors")
        return [fault for fault in errors if isinstance(fault, Mapping)] if isinstance(errors, list) else []


class KeyRefused(ServiceRefused):
    """The key is missing or not valid (401), or may not do this (403)."""


class NotFound(ServiceRefused):
    """There is no such job or model, or it has expired (404, 410)."""


class Conflict(ServiceRefused):
    """The state of the job does not allow the request (409)."""


class InvalidRequest(ServiceRefused):
    """What was sent is not valid (400, 413, 415, 422); `errors` says what and where."""


class ServiceBusy(ServiceRefused):
    """The service takes no more requests at present (429, 502, 503, 504)."""


class JobFailed(PaygradeError):
    """The job ended without any score. `job` is its resource."""

    def __init__(self, job: Mapping[str, Any]) -> None:
        detail = f": {job['error']['detail']}" if job["error"] else ""
        super().__init__(f"{job['id']} is {job['status']}{detail}")
        self.job = job


class JobUnfinished(PaygradeError):
    """The job did not end in time; it continues. `job` is its resource."""

    def __init__(self, job: Mapping[str, Any]) -> None:
        super().__init__(f"{job['id']} is still {job['status']}")
        self.job = job


class RowsFailed(PaygradeError):
    """Some rows were not scored. `scored` is what would have been returned, with the error of each row."""

    def __init__(self, message: str, scored: Any) -> None:
        super().__init__(message)
        self.scored = scored


class RowsNotScored(UserWarning):
    """Some rows were not scored; the errors stand where their scores would be."""
