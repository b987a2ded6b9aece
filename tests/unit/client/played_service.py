"""A service that answers what a test wants, in this order, and keeps what it was sent."""

import json
from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, NamedTuple

import httpx


class PlayedAnswer(NamedTuple):
    status: int
    body: Any = b""
    headers: Mapping[str, str] = MappingProxyType({})


ID = "pred_01a20185-eaa7-7fbf-80d5-252d88bcb074"
BATCH_ID = "batch_01a20185-eaa8-7fbf-80d5-252d88bcb074"
CUT = httpx.RemoteProtocolError("Server disconnected without sending a response.")
ABSENT = httpx.ConnectError("[Errno 111] Connection refused")


class PlayedService(httpx.BaseTransport, httpx.AsyncBaseTransport):
    """The last answer is given again and again."""

    def __init__(self, *answers: PlayedAnswer | Exception) -> None:
        self.sent: list[httpx.Request] = []
        self._answers = list(answers)

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        request.read()
        return self._next_answer(request)

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        await request.aread()
        return self._next_answer(request)

    def _next_answer(self, request: httpx.Request) -> httpx.Response:
        self.sent.append(request)
        answer = self._answers.pop(0) if len(self._answers) > 1 else self._answers[0]
        if isinstance(answer, Exception):
            raise answer
        body = answer.body if isinstance(answer.body, bytes) else json.dumps(answer.body).encode()
        return httpx.Response(answer.status, headers=answer.headers, content=body)

    def lines(self) -> list[str]:
        return [f"{request.method} {request.url.raw_path.decode()}" for request in self.sent]

    def bodies(self) -> list[Any]:
        return [json.loads(request.content) for request in self.sent if request.content]


def problem(status: int, detail: str, retry_after: int | None = None, **members: Any) -> PlayedAnswer:
    headers = {} if retry_after is None else {"Retry-After": str(retry_after)}
    return PlayedAnswer(status, {"status": status, "detail": detail, **members}, headers)


def prediction(status: str, **members: Any) -> Any:
    """A resource as web gives it."""
    return {
        "id": ID,
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


def batch(status: str, succeeded: int = 0, error: str = "") -> Any:
    """A resource as web gives it."""
    return {
        "id": BATCH_ID,
        "status": status,
        "model": {"name": "salary", "version": 1},
        "counts": {"total": succeeded or None, "succeeded": succeeded, "failed": 0},
        "progress": 0.0,
        "eta_seconds": None,
        "created_at": "2026-11-22T04:31:24.303Z",
        "started_at": None,
        "finished_at": None if status == "validating" else "2026-11-22T04:31:24.803Z",
        "deadline_at": None,
        "expires_at": None,
        "error": {"type": "no_table", "detail": error} if error else None,
        "metadata": {},
    }


QUEUED = PlayedAnswer(202, prediction("queued"))
DONE = PlayedAnswer(200, prediction("succeeded", output={"prediction": 260.00012}))
