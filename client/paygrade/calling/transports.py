"""How requests are carried: by a thread that waits, or by asyncio. All else is the same for both.

Both are written as coroutines. Those of BlockingTransport never suspend, so that whoever has no event loop
runs them, and all that is built on them, to their end: see `paygrade.surface`.
"""

import asyncio
import re
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager
from typing import Any, TypeVar

import httpx

from paygrade.calling.requests import KEYLESS, HttpRequest, checked_url, headers_of_all
from paygrade.calling.transport import OpenAnswer
from paygrade.errors import ConnectionCut, NoAnswer, Unreachable

T = TypeVar("T")

CONNECT_SECONDS = 5.0
DIRECT: Mapping[str, None] = dict.fromkeys(("all://127.0.0.1", "all://localhost", "all://[::1]"))
"""What no proxy reaches, whatever HTTP_PROXY says: the service on one's own machine."""
AT_ONCE = 100
"""Requests under way, as many as httpx has connections: a thousand that wait in httpx bring it to a halt."""


class BlockingTransport:
    """Redirects are not followed: the key would go wherever they point."""

    def __init__(
        self, url: str, key: str, transport: httpx.BaseTransport | None, sleep: Callable[[float], object]
    ) -> None:
        self.url = checked_url(url)
        self._http = httpx.Client(
            base_url=self.url, headers=headers_of_all(key), transport=transport, mounts=DIRECT
        )
        self._elsewhere = httpx.Client(headers=KEYLESS, transport=transport, mounts=DIRECT)
        self._sleep = sleep

    @asynccontextmanager
    async def open(self, request: HttpRequest, timeout: float) -> AsyncIterator[OpenAnswer]:
        content = request.content if isinstance(request.content, bytes) else request.content()
        sent = _sent(request, timeout)
        http = self._elsewhere if request.elsewhere else self._http
        with _unanswered(_address_of(self.url, request)), http.stream(content=content, **sent) as response:
            yield OpenAnswer(response.status_code, response.headers, _each(response.iter_bytes()))

    async def pause(self, seconds: float) -> None:
        self._sleep(seconds)

    async def beside(self, work: Callable[[], T]) -> T:
        return work()

    async def close(self) -> None:
        self._http.close()
        self._elsewhere.close()


class AsyncioTransport:
    """Redirects are not followed: the key would go wherever they point."""

    def __init__(
        self,
        url: str,
        key: str,
        transport: httpx.AsyncBaseTransport | None,
        sleep: Callable[[float], Awaitable[object]],
    ) -> None:
        self.url = checked_url(url)
        self._sleep = sleep
        self._http = httpx.AsyncClient(
            base_url=self.url, headers=headers_of_all(key), transport=transport, mounts=DIRECT
        )
        self._elsewhere = httpx.AsyncClient(headers=KEYLESS, transport=transport, mounts=DIRECT)
        self._turns = asyncio.Semaphore(AT_ONCE)

    @asynccontextmanager
    async def open(self, request: HttpRequest, timeout: float) -> AsyncIterator[OpenAnswer]:
        content = request.content if isinstance(request.content, bytes) else _in_thread(request.content())
        sent = _sent(request, timeout)
        http = self._elsewhere if request.elsewhere else self._http
        with _unanswered(_address_of(self.url, request)):
            async with self._turns, http.stream(content=content, **sent) as response:
                yield OpenAnswer(response.status_code, response.headers, response.aiter_bytes())

    async def pause(self, seconds: float) -> None:
        await self._sleep(seconds)

    async def beside(self, work: Callable[[], T]) -> T:
        return await asyncio.to_thread(work)

    async def close(self) -> None:
        await self._http.aclose()
        await self._elsewhere.aclose()


def _address_of(url: str, request: HttpRequest) -> str:
    """Without the query of an address elsewhere, which is a secret."""
    return request.path.partition("?")[0] if request.elsewhere else url


def _sent(request: HttpRequest, timeout: float) -> dict[str, Any]:
    return {
        "method": request.method,
        "url": request.path,
        "params": dict(request.params) or None,  # httpx would take the query of an address away
        "headers": dict(request.headers),
        "timeout": httpx.Timeout(timeout, connect=min(timeout, CONNECT_SECONDS)),
    }


async def _each(pieces: Iterator[bytes]) -> AsyncIterator[bytes]:
    for piece in pieces:
        yield piece


async def _in_thread(pieces: Iterator[bytes]) -> AsyncIterator[bytes]:
    """Reads a file, or writes rows, beside the event loop."""
    while (piece := await asyncio.to_thread(next, pieces, None)) is not None:
        yield piece


@contextmanager
def _unanswered(url: str) -> Iterator[None]:
    """Raises NoAnswer for what httpx raises."""
    try:
        yield
    except httpx.RequestError as error:
        raise _no_answer(url, error) from None


def _no_answer(url: str, error: httpx.RequestError) -> NoAnswer:
    reason = re.sub(r"^\[Errno -?\d+] ", "", str(error)).lower() or type(error).__name__
    if isinstance(error, httpx.ConnectError | httpx.ConnectTimeout | httpx.ProxyError):
        return Unreachable(f"cannot connect to {url} ({reason})")
    return ConnectionCut(f"{url} gave no complete answer ({reason})")
