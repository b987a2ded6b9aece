"""Asks a service, again where that may help, until a deadline."""

import re
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import TypeVar

from paygrade.calling.answers import HttpAnswer
from paygrade.calling.patience import Patience
from paygrade.calling.requests import IDEMPOTENCY_KEY, HttpRequest
from paygrade.calling.transport import OpenAnswer, Transport
from paygrade.errors import AddressRefused, ConnectionCut, NoAnswer, PaygradeError
from paygrade.resources import Resource

T = TypeVar("T")

ANSWER_SECONDS = 10.0
"""How long the service may take for an answer that it need not hold."""
REDIRECTS = (302, 303, 307, 308)
PASSING_ELSEWHERE = (408, 429)
EXPIRED = (400, 403)
"""What an address is answered with that can no longer be used."""
_REASON = re.compile(rb"<Code>(\w{1,64})</Code>")
GRACE_SECONDS = 2.0
"""How long an answer may be late when the deadline has come."""
UNREACHABLE_SECONDS = 3.0
"""How long a service that cannot be connected to is tried: as long as a restart of web takes."""


class Caller:
    """`timeout` is the deadline of a call, in seconds, where the call has none of its own."""

    def __init__(
        self, transport: Transport, timeout: float, now: Callable[[], float], chance: Callable[[], float]
    ) -> None:
        self._transport = transport
        self.timeout = timeout
        self.now = now
        self._chance = chance

    async def ask(self, request: HttpRequest, seconds: float | None = None) -> Resource:
        return (await self.answer(request, seconds)).resource()

    async def answer(
        self, request: HttpRequest, seconds: float | None = None, unreachable: float = UNREACHABLE_SECONDS
    ) -> HttpAnswer:
        """One that is no refusal. Repeats a request whose answer is lost, and one that comes too early."""
        seconds = self.timeout if seconds is None else seconds
        patience = Patience(self.now, self._chance, seconds, unreachable, IDEMPOTENCY_KEY in request.headers)
        while True:
            try:
                answer = await self._attempt(request, patience.left)
                answer.resource()
            except PaygradeError as error:
                if not request.repeatable:
                    raise
                await self.pause(patience.pause_after(error))
            else:
                return answer

    async def download(
        self, path: str, params: Mapping[str, str], first: int | None, seconds: float, pause: float
    ) -> AsyncGenerator[bytes, None]:
        """The pieces of a file, or of its first bytes. Where it breaks off, it is taken up again."""
        patience, done, etag = Patience(self.now, self._chance, seconds, UNREACHABLE_SECONDS), 0, ""
        while True:
            request = HttpRequest("GET", path, params, _range(done, first, etag), pause=pause)
            try:
                async with self._followed(request, seconds) as answer:
                    if answer.status == 416 and answer.headers.get("content-range") == f"bytes */{done}":
                        return
                    await self._expect(answer, done)
                    etag = answer.headers.get("etag", "")
                    async for piece in answer.pieces:
                        done += len(piece)
                        patience.begin()
                        yield piece
                    return
            except PaygradeError as error:
                await self.pause(patience.pause_after(error))

    async def put(self, request: HttpRequest, left: float) -> None:
        """Sends a part of a file elsewhere, once. Raises NoAnswer."""
        async with self._transport.open(request, self._timeout(request, left)) as answer:
            if not 200 <= answer.status < 300:
                raise await _refused_elsewhere(request, answer)

    def patience(self, seconds: float) -> Patience:
        return Patience(self.now, self._chance, seconds, UNREACHABLE_SECONDS)

    async def beside(self, work: Callable[[], T]) -> T:
        """Does what takes long, and holds up nothing else."""
        return await self._transport.beside(work)

    async def pause(self, seconds: float) -> None:
        await self._transport.pause(seconds)

    async def close(self) -> None:
        await self._transport.close()

    @asynccontextmanager
    async def _followed(self, request: HttpRequest, seconds: float) -> AsyncIterator[OpenAnswer]:
        """The answer of the service, or of where it says that the file is."""
        async with self._transport.open(request, self._timeout(request, seconds)) as answer:
            if answer.status not in REDIRECTS:
                yield answer
                return
            elsewhere = replace(request, path=answer.headers.get("location", ""), elsewhere=True)
        if not elsewhere.path.startswith(("http://", "https://")):
            raise NoAnswer(f"{self._transport.url} redirects to nowhere")
        async with self._transport.open(elsewhere, self._timeout(request, seconds)) as answer:
            if not 200 <= answer.status < 300:
                raise await _refused_elsewhere(elsewhere, answer)
            yield answer

    async def _attempt(self, request: HttpRequest, left: float) -> HttpAnswer:
        async with self._transport.open(request, self._timeout(request, left)) as answer:
            return await self._whole(answer)

    async def _whole(self, answer: OpenAnswer) -> HttpAnswer:
        body = b"".join([piece async for piece in answer.pieces])
        return HttpAnswer(self._transport.url, answer.status, answer.headers, body)

    async def _expect(self, answer: OpenAnswer, done: int) -> None:
        """Raises a refusal, and NoAnswer if the file is not the one of which `done` bytes are here."""
        if not 200 <= answer.status < 300:
            raise (await self._whole(answer)).refusal()
        if done and answer.status != 206:
            raise NoAnswer(f"{self._transport.url} broke off a file, and cannot go on where it broke off")

    def _timeout(self, request: HttpRequest, left: float) -> float:
        """How long nothing may arrive."""
        return request.held + min(ANSWER_SECONDS + request.pause, max(left - request.held, GRACE_SECONDS))


async def _refused_elsewhere(request: HttpRequest, answer: OpenAnswer) -> NoAnswer:
    """An address that has expired, and what passes: then the service is asked for another address."""
    place = request.path.partition("?")[0]
    said = _REASON.search(b"".join([piece async for piece in answer.pieces]))
    reason = f", {said[1].decode(errors='replace')}" if said else ""
    kind = AddressRefused if answer.status in EXPIRED else NoAnswer
    kind = ConnectionCut if answer.status in PASSING_ELSEWHERE or answer.status >= 500 else kind
    return kind(f"{place} answers {answer.status}{reason}")


def _range(done: int, first: int | None, etag: str) -> Mapping[str, str]:
    headers = {"Accept": "*/*"}
    if done or first:
        headers["Range"] = f"bytes={done}-{first - 1 if first else ''}"
    return {**headers, "If-Range": etag} if done and etag else headers
