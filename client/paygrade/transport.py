"""HTTP requests to a service, and its answers as resources or as errors of this package."""

import json
import re
from collections.abc import Callable
from typing import Any, TypeAlias
from urllib.parse import urlsplit

import httpx

from paygrade.errors import (
    ClientMisconfigured,
    Conflict,
    ConnectionCut,
    KeyRefused,
    NoAnswer,
    NotFound,
    ServiceBusy,
    ServiceRefused,
    Unreachable,
)

Resource: TypeAlias = dict[str, Any]

ANSWER_SECONDS = 10
BY_STATUS: dict[int, type[ServiceRefused]] = {
    401: KeyRefused,
    404: NotFound,
    409: Conflict,
    410: NotFound,
    429: ServiceBusy,
    503: ServiceBusy,
}


class Transport:
    """Redirects are not followed: the key would go wherever they point."""

    def __init__(self, url: str, key: str, transport: httpx.BaseTransport | None) -> None:
        self.url = checked_url(url)
        headers = {"Accept": "application/json", "Accept-Encoding": "identity"}
        if key:
            headers["Authorization"] = f"Bearer {checked_key(key)}"
        self._http = httpx.Client(base_url=self.url, headers=headers, transport=transport)

    def close(self) -> None:
        self._http.close()

    def ask(self, method: str, path: str, held: float = 0, **request: Any) -> Resource:
        """The JSON object of the answer, empty if it has none; `held` is how long the service may hold it."""
        try:
            response = self._http.request(method, path, timeout=ANSWER_SECONDS + held, **request)
        except httpx.RequestError as error:
            raise self._unanswered(error) from error
        if not response.is_success:
            raise self._refusal(response)
        resource = _object(response.content or b"{}")
        if resource is None:
            raise NoAnswer(f"what answers at {self.url} is not Paygrade")
        return resource

    def fetch(self, path: str, write: Callable[[bytes], object], first: int | None, held: float) -> None:
        """Writes the body piece by piece, or only its first bytes."""
        headers = {"Accept": "*/*"} | ({"Range": f"bytes=0-{first - 1}"} if first else {})
        try:
            with self._http.stream("GET", path, headers=headers, timeout=ANSWER_SECONDS + held) as response:
                if not response.is_success:
                    response.read()
                    raise self._refusal(response)
                for piece in response.iter_bytes():
                    write(piece)
        except httpx.RequestError as error:
            raise self._unanswered(error) from error

    def _unanswered(self, error: httpx.RequestError) -> NoAnswer:
        reason = re.sub(r"^\[Errno -?\d+] ", "", str(error)).lower() or type(error).__name__
        if isinstance(error, httpx.ConnectError | httpx.ConnectTimeout | httpx.ProxyError):
            return Unreachable(f"cannot connect to {self.url} ({reason})")
        return ConnectionCut(f"{self.url} gave no complete answer ({reason})")

    def _refusal(self, response: httpx.Response) -> ServiceRefused:
        status, problem = response.status_code, _object(response.content) or {}
        detail = f"{self.url} answers {status} without a reason"
        if isinstance(problem.get("detail"), str):
            faults = problem.get("errors") or []
            said = (f"{fault['pointer']} {fault['detail']}".strip() for fault in faults)
            detail = "; ".join(said) or problem["detail"]
        refusal = BY_STATUS.get(status, ServiceRefused)(detail, status, problem)
        after = response.headers.get("Retry-After", "")
        if isinstance(refusal, ServiceBusy) and after.isdecimal():
            refusal.retry_after = int(after)
        return refusal


def checked_url(url: str) -> str:
    """The address without a slash at its end. Raises ClientMisconfigured if it is not one of a service."""
    address = urlsplit(url)
    try:
        known = address.scheme in ("http", "https") and address.hostname and address.port != 0
    except ValueError:  # the port is not a number
        known = False
    if not known or address.username is not None or address.query or address.fragment or not url.isascii():
        raise ClientMisconfigured(
            "the address of a service must be http://HOST:PORT or https://HOST, without a user or a password"
        )
    return url.rstrip("/")


def checked_key(key: str) -> str:
    if not (key.isascii() and key.isprintable()):
        raise ClientMisconfigured("the key has characters that no key has")
    return key


def _object(text: bytes) -> Resource | None:
    """None for what is not a JSON object."""
    try:
        value = json.loads(text)
    except ValueError:
        return None
    return value if isinstance(value, dict) else None
