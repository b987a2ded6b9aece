"""The public API as the page and events ask it: within this process, with the key that the visitor sent.

The page knows nothing that a caller of /v1 does not know, and may do nothing that its visitor may not.
"""

from collections.abc import Iterable, Mapping
from http import HTTPStatus
from io import BytesIO
from typing import TYPE_CHECKING, Any, NamedTuple
from urllib.parse import quote, urlencode

import orjson

from web.requests import FOR_PAGE

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIApplication, WSGIEnvironment

_VISITORS = ("HTTP_AUTHORIZATION", "HTTP_X_API_KEY", "HTTP_HOST", "HTTP_TRACEPARENT")
"""The headers of the visitor that the API sees."""
_BODY = ("CONTENT_TYPE", "CONTENT_LENGTH", "wsgi.input", "wsgi.input_terminated")


class Refused(Exception):
    """The API answered with a problem."""

    def __init__(self, status: int, problem: Mapping[str, Any], retry_after: int = 0) -> None:
        super().__init__(problem.get("detail", ""))
        self.status = status
        self.title: str = problem.get("title", "")
        self.detail: str = problem.get("detail", "")
        self.errors: list[dict[str, str]] = problem.get("errors", [])
        self.retry_after = retry_after


class ApiAnswer(NamedTuple):
    headers: Mapping[str, str]
    body: bytes

    @property
    def content(self) -> Any:
        return orjson.loads(self.body)


class Api:
    """What one visitor may do. Every method raises Refused."""

    def __init__(self, app: "WSGIApplication", environ: "WSGIEnvironment", request_id: str) -> None:
        self._app = app
        self._environ = environ
        self._request_id = request_id

    @property
    def has_key(self) -> bool:
        return bool(self._environ.get("HTTP_AUTHORIZATION") or self._environ.get("HTTP_X_API_KEY"))

    def check_key(self) -> None:
        """Raises Refused (401) where a key is needed and was not sent."""
        try:
            self.get("/v1/models")
        except Refused as refused:
            if refused.status == HTTPStatus.UNAUTHORIZED:
                raise

    def get(self, path: str, **query: object) -> Any:
        return self._ask("GET", path, query, {}).content

    def read(self, path: str) -> bytes:
        return self._ask("GET", path, {}, {}).body

    def start_of(self, path: str, most: int) -> tuple[bytes, bool]:
        """The first bytes of a file, and whether there are more."""
        answer = self._ask("GET", path, {}, {"HTTP_RANGE": f"bytes=0-{most - 1}"})
        size = int(answer.headers.get("Content-Range", "/0").rpartition("/")[2])
        return answer.body, size > len(answer.body)

    def post(self, path: str, sent: object = None, **headers: str) -> Any:
        body = b"" if sent is None else orjson.dumps(sent)
        return self._ask("POST", path, {}, headers | _body(body, "application/json")).content

    def post_lines(self, path: str, lines: Iterable[object]) -> Any:
        body = b"".join(orjson.dumps(line) + b"\n" for line in lines)
        return self._ask("POST", path, {}, _body(body, "application/x-ndjson")).content

    def delete(self, path: str) -> None:
        self._ask("DELETE", path, {}, {})

    def forward(self, path: str, **query: object) -> Any:
        """Posts the body that the visitor sends, as it arrives."""
        body = {name: self._environ[name] for name in _BODY if name in self._environ}
        return self._ask("POST", path, query, body).content

    def _ask(self, method: str, path: str, query: Mapping[str, object], more: Mapping[str, Any]) -> ApiAnswer:
        answered: list[Any] = []

        def start(status: str, headers: list[tuple[str, str]], *_: object) -> Any:
            answered[:] = [int(status[:3]), dict(headers)]

        environ = {**self._request(method, path, query), **more}
        body = b"".join(self._app(environ, start))
        status, headers = answered
        if status >= 400:
            raise Refused(status, orjson.loads(body), int(headers.get("Retry-After", 0)))
        return ApiAnswer(headers, body)

    def _request(self, method: str, path: str, query: Mapping[str, object]) -> dict[str, Any]:
        visitor = {name: self._environ[name] for name in _VISITORS if name in self._environ}
        server = {
            name: value
            for name, value in self._environ.items()
            if not name.startswith(("HTTP_", "CONTENT_", "werkzeug.", "flask.")) and name not in _BODY
        }
        return {
            **server,
            **visitor,
            "HTTP_X_REQUEST_ID": self._request_id,
            FOR_PAGE: True,
            "REQUEST_METHOD": method,
            "PATH_INFO": path,
            "QUERY_STRING": urlencode({name: value for name, value in query.items() if value}),
            **_body(b"", ""),
        }


def _body(body: bytes, media_type: str) -> dict[str, Any]:
    return {"wsgi.input": BytesIO(body), "CONTENT_LENGTH": str(len(body)), "CONTENT_TYPE": media_type}


def segment(text: str) -> str:
    """A text as a part of a path, which is not the path of anything else."""
    return quote(text.replace("/", " "), safe="@") or "-"
