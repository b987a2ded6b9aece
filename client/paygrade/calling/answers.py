"""What an answer of the service means: a resource, or an error of this package."""

import json
from collections.abc import Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import NamedTuple

from paygrade.errors import (
    Conflict,
    InvalidRequest,
    KeyRefused,
    NoAnswer,
    NotFound,
    ServiceBusy,
    ServiceRefused,
)
from paygrade.resources import Resource

BY_STATUS: dict[int, type[ServiceRefused]] = {
    **dict.fromkeys((400, 413, 415, 422), InvalidRequest),
    **dict.fromkeys((401, 403), KeyRefused),
    **dict.fromkeys((404, 410), NotFound),
    409: Conflict,
    **dict.fromkeys((429, 502, 503, 504), ServiceBusy),
}


class HttpAnswer(NamedTuple):
    """`url` is the address of the service that gave it; the names of headers are in lower case."""

    url: str
    status: int
    headers: Mapping[str, str]
    body: bytes

    @property
    def retry_after(self) -> float | None:
        return seconds_of(self.headers.get("retry-after", ""))

    def resource(self) -> Resource:
        """The JSON object, empty if there is no body. Raises ServiceRefused and NoAnswer."""
        if not 200 <= self.status < 300:
            raise self.refusal()
        resource = _object(self.body or b"{}")
        if resource is None:
            raise NoAnswer(f"what answers at {self.url} is not Paygrade")
        return resource

    def refusal(self) -> ServiceRefused:
        problem = _object(self.body) or {}
        detail = f"{self.url} answers {self.status} without a reason"
        if isinstance(problem.get("detail"), str):
            faults = problem.get("errors") or []
            said = (f"{fault['pointer']} {fault['detail']}".strip() for fault in faults)
            detail = "; ".join(said) or problem["detail"]
        refusal = BY_STATUS.get(self.status, ServiceRefused)(detail, self.status, problem)
        refusal.retry_after = self.retry_after
        return refusal


def seconds_of(retry_after: str) -> float | None:
    """The seconds that Retry-After says, as a number or as a date; None if it says nothing."""
    if retry_after.isdecimal():
        return int(retry_after)
    try:
        until = parsedate_to_datetime(retry_after)
    except ValueError:
        return None
    return max((until - datetime.now(UTC)).total_seconds(), 0) if until.tzinfo else None


def _object(text: bytes) -> Resource | None:
    """None for what is not a JSON object."""
    try:
        value = json.loads(text)
    except ValueError:
        return None
    return value if isinstance(value, dict) else None
