"""One keep-alive connection to a server, for single requests."""

import http.client
import json
from types import TracebackType
from typing import Any, Self

from benchmarks.load import Load

Answer = dict[str, Any]


class WrongAnswerError(Exception):
    """A server gave a wrong answer."""


class Client:
    """Numbers in answers stay text, so that their digits can be compared."""

    def __init__(self, port: int, key: str = "") -> None:
        self._key = {"X-API-Key": key} if key else {}
        self._connection = http.client.HTTPConnection("127.0.0.1", port, timeout=40)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: object, trace: TracebackType | None) -> None:
        self._connection.close()

    def ask(self, load: Load, years: list[float]) -> Answer:
        """Send the rows as a load would, and insist on its status."""
        headers = {"Content-Type": "application/json"} | ({"Prefer": load.prefer} if load.prefer else {})
        return self._exchange("POST", load.path, load.status, load.body(years), headers)

    def get(self, path: str) -> Answer:
        """Read a resource."""
        return self._exchange("GET", path, 200, None, {})

    def _exchange(
        self, method: str, path: str, expected: int, body: str | None, headers: dict[str, str]
    ) -> Answer:
        self._connection.request(method, path, body, headers | self._key)
        response = self._connection.getresponse()
        content = response.read()
        if response.status != expected:
            raise WrongAnswerError(f"{method} {path}: {response.status}, not {expected}: {content[:200]!r}")
        answer: Answer = json.loads(content, parse_float=str, parse_int=str)
        return answer
