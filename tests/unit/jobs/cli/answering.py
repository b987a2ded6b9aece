"""A server that gives what a test wants, in this order, and keeps what it was sent."""

import json
import threading
from collections.abc import Mapping
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import MappingProxyType
from typing import Any, NamedTuple


class Answer(NamedTuple):
    status: int
    body: Any = b""
    headers: Mapping[str, str] = MappingProxyType({})


CUT = Answer(0)
"""The connection is closed without a word."""


class Sent(NamedTuple):
    line: str
    headers: dict[str, str]
    body: Any


class Answering:
    """`with Answering(first, second) as server`; the last answer is given again and again."""

    def __init__(self, *answers: Answer) -> None:
        self.sent: list[Sent] = []
        self._answers = list(answers)
        server = self

        class Handler(BaseHTTPRequestHandler):
            def handle_one_request(self) -> None:
                super().handle_one_request()
                self.close_connection = True

            def log_message(self, *_: Any) -> None:
                pass

            def answer(self) -> None:
                server.note(self)
                server.answer(self)

            do_GET = do_POST = do_DELETE = answer  # noqa: N815

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.01,))
        self.url = f"http://127.0.0.1:{self._server.server_port}"

    def __enter__(self) -> "Answering":
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()

    def note(self, request: BaseHTTPRequestHandler) -> None:
        body = request.rfile.read(int(request.headers.get("Content-Length", 0)))
        line = request.requestline.removesuffix(" HTTP/1.1")
        self.sent.append(Sent(line, dict(request.headers), json.loads(body or b"null")))

    def answer(self, request: BaseHTTPRequestHandler) -> None:
        answer = self._answers.pop(0) if len(self._answers) > 1 else self._answers[0]
        if answer is CUT:
            return
        body = answer.body if isinstance(answer.body, bytes) else json.dumps(answer.body).encode()
        request.send_response(answer.status)
        for name, value in {"Content-Length": str(len(body)), **answer.headers}.items():
            request.send_header(name, value)
        request.end_headers()
        request.wfile.write(body)


def problem(status: int, detail: str, retry_after: int | None = None, **members: Any) -> Answer:
    headers = {} if retry_after is None else {"Retry-After": str(retry_after)}
    return Answer(status, {"status": status, "detail": detail, **members}, headers)


def prediction(status: str, **members: Any) -> dict[str, Any]:
    """A resource as web gives it."""
    return {
        "id": "pred_01a20185-eaa7-7fbf-80d5-252d88bcb074",
        "status": status,
        "model": {"name": "salary", "version": 1},
        "created_at": "2026-11-22T04:31:23.303Z",
        "started_at": None,
        "finished_at": None if status in ("queued", "running") else "2026-11-22T04:31:23.803Z",
        "deadline_at": None,
        "expires_at": None,
        "output": None,
        "error": None,
        "metadata": {},
        **members,
    }
