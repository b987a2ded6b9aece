"""Both clients, called alike, so that each test says of both what it says."""

import asyncio
import inspect
from collections.abc import Callable
from typing import Any

from paygrade import AsyncClient, Client

from tests.unit.client.played_service import PlayedService


class HandTurnedClock:
    """Time passes only while the client sleeps, or so many seconds with each look at the clock."""

    def __init__(self, each_look: float = 0) -> None:
        self.pauses: list[float] = []
        self._now = 0.0
        self._each_look = each_look

    def now(self) -> float:
        self._now += self._each_look
        return self._now

    def sleep(self, seconds: float) -> None:
        self.pauses.append(seconds)
        self._now += seconds

    async def sleep_beside(self, seconds: float) -> None:
        self.sleep(seconds)


class AnyClient:
    """Methods that give one thing return it, and those that give many return them as a list."""

    def __init__(self, client: Client | AsyncClient) -> None:
        self._client = client
        self._loop = asyncio.new_event_loop()

    def __getattr__(self, name: str) -> Callable[..., Any]:
        def call(*args: Any, **options: Any) -> Any:
            given = getattr(self._client, name)(*args, **options)
            if inspect.isgenerator(given):
                return list(given)
            if inspect.isasyncgen(given):
                return self._loop.run_until_complete(_all_of(given))
            return self._loop.run_until_complete(_one(given)) if inspect.iscoroutine(given) else given

        return call

    def end(self) -> None:
        self.close()
        self._loop.close()


async def _one(given: Any) -> Any:
    return await given


async def _all_of(given: Any) -> list[Any]:
    return [each async for each in given]


def client_of(kind: str, service: PlayedService, clock: HandTurnedClock, chance: float) -> AnyClient:
    if kind == "blocking":
        return AnyClient(
            Client(
                "http://paygrade.example",
                "secret",
                transport=service,
                sleep=clock.sleep,
                now=clock.now,
                chance=lambda: chance,
            )
        )
    return AnyClient(
        AsyncClient(
            "http://paygrade.example",
            "secret",
            transport=service,
            sleep=clock.sleep_beside,
            now=clock.now,
            chance=lambda: chance,
        )
    )
