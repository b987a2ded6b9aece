"""Web, asked over HTTP: a caller's own jobs."""

import json
from collections.abc import Iterator, Mapping
from email.message import Message
from http.client import HTTPException
from typing import Any, TypeAlias
from urllib.error import HTTPError, URLError
from urllib.parse import urlencode
from urllib.request import HTTPRedirectHandler, Request, build_opener

from jobs.cli.errors import AskLater, CannotAsk, NotSo
from jobs.predictions.resource import PATH, path_of

Resource: TypeAlias = dict[str, Any]

ANSWER_SECONDS = 10
LONGEST_WAIT = 25
"""Seconds that web holds a request for a job that has not ended."""
MOST_AT_ONCE = 100
"""Jobs on one page of a list."""
CUT_SECONDS = 1


class _NoRedirects(HTTPRedirectHandler):
    """Or the key would follow to wherever it points."""

    def redirect_request(self, *_: Any) -> None:
        return None


class Api:
    """Every method raises NotSo for what is not there or not so, and CannotAsk where there is no answer."""

    def __init__(self, url: str, key: str = "") -> None:
        if not (key.isascii() and key.isprintable()):
            raise CannotAsk("the key has characters that no key has")
        self.url = url
        self.has_key = bool(key)
        self._opener = build_opener(_NoRedirects)
        self.headers = {"Accept": "application/json"}
        if key:
            self.headers["Authorization"] = f"Bearer {key}"

    def post(self, body: Resource, once: str) -> Resource:
        """However often it is repeated with the same `once`, it makes one job."""
        return self.ask("POST", PATH, body, {"Idempotency-Key": once})

    def show(self, job_id: str, wait: float = 0) -> Resource:
        seconds = min(max(int(wait), 0), LONGEST_WAIT)
        return self.ask("GET", path_of(job_id) + (f"?wait={seconds}" if seconds else ""), held=seconds)

    def list_jobs(self, status: str | None, most: int) -> Iterator[Resource]:
        """The newest first."""
        cursor = None
        while most > 0:
            query = {"cursor": cursor, "status": status, "limit": min(most, MOST_AT_ONCE)}
            given = {name: value for name, value in query.items() if value is not None}
            page = self.ask("GET", f"{PATH}?{urlencode(given)}")
            yield from page["data"]
            most -= len(page["data"])
            cursor = page["next_cursor"]
            if cursor is None:
                return

    def cancel(self, job_id: str) -> Resource:
        return self.ask("POST", f"{path_of(job_id)}/cancel")

    def delete(self, job_id: str) -> None:
        self.ask("DELETE", path_of(job_id))

    def capacity(self) -> Resource:
        return self.ask("GET", "/v1/capacity")

    def ask(
        self,
        method: str,
        path: str,
        body: Resource | None = None,
        headers: Mapping[str, str] | None = None,
        held: float = 0,
    ) -> Resource:
        """The JSON that is answered; empty where nothing is. `held` is how long web may take on purpose."""
        sent = {**self.headers, **(headers or {})}
        data = None
        if body is not None:
            sent["Content-Type"] = "application/json"
            data = json.dumps(body).encode()
        request = Request(self.url + path, data, sent, method=method)  # noqa: S310 (see web_address)
        try:
            with self._opener.open(request, timeout=ANSWER_SECONDS + held) as answer:
                return self._read(answer.read())
        except HTTPError as error:
            raise self._refused(error) from None
        except URLError as error:
            raise CannotAsk(f"nobody answers at {self.url} ({_reason(error.reason)}); see --url") from None
        except (OSError, HTTPException) as error:
            cut = f"{self.url} was asked and gave no whole answer ({_reason(error)})"
            raise AskLater(cut, CUT_SECONDS) from None

    def _read(self, text: bytes) -> Resource:
        try:
            read = json.loads(text or b"{}")
        except ValueError:
            read = None
        if not isinstance(read, dict):
            raise CannotAsk(f"what answers at {self.url} is not Paygrade; see --url")
        return read

    def _refused(self, error: HTTPError) -> NotSo | CannotAsk:
        try:
            problem = self._read(error.read())
        except (CannotAsk, OSError, HTTPException):
            problem = {}
        if not isinstance(problem.get("detail"), str):
            return CannotAsk(f"{self.url} answers {error.code} and does not say why; see --url")
        detail = _in_a_line(problem)
        if error.code in (404, 409, 410):
            return NotSo(detail)
        if error.code == 401:
            return CannotAsk(f"{detail}: set PAYGRADE_KEY, or give --key-file")
        later = retry_after(error.headers)
        return CannotAsk(detail) if later is None else AskLater(detail, later)


def _in_a_line(problem: Resource) -> str:
    faults = problem.get("errors") or []
    said = "; ".join(f"{fault['pointer']} {fault['detail']}" for fault in faults)
    return said or str(problem["detail"])


def retry_after(headers: Message) -> int | None:
    """Seconds, if the service has said so."""
    given = headers.get("Retry-After", "")
    return int(given) if given.isdecimal() else None


def _reason(error: object) -> str:
    said = getattr(error, "strerror", None) or str(error) or type(error).__name__
    return str(said).lower() if isinstance(error, OSError) else str(said)
