"""One command as it is typed, and both clients as they are called, against a played service."""

import os
from collections.abc import Callable, Iterator
from functools import partial

import httpx
import pytest
from paygrade import Client
from paygrade.commands import main

from tests.unit.client.any_client import AnyClient, HandTurnedClock, client_of
from tests.unit.client.played_service import PlayedService

Paygrade = Callable[..., tuple[int, str, str]]
Connect = Callable[..., AnyClient]


@pytest.fixture
def paygrade(capsys: pytest.CaptureFixture[str]) -> Paygrade:
    """Exit status, standard output and standard error of `paygrade ...`."""

    def run(*arguments: str, service: httpx.BaseTransport | None = None) -> tuple[int, str, str]:
        clock = HandTurnedClock()
        connect = partial(Client, transport=service, sleep=clock.sleep, now=clock.now)
        try:
            status = main(arguments, connect)
        except SystemExit as exit_:
            status = int(exit_.code or 0)
        return status, *capsys.readouterr()

    return run


@pytest.fixture(params=["blocking", "awaited"])
def connect(request: pytest.FixtureRequest) -> Iterator[Connect]:
    """A client of a played service, with a clock that a test turns: one test for each kind of client."""
    clients: list[AnyClient] = []

    def connected(
        service: PlayedService, clock: HandTurnedClock | None = None, chance: float = 0
    ) -> AnyClient:
        clients.append(client_of(request.param, service, clock or HandTurnedClock(), chance))
        return clients[-1]

    yield connected
    for client in clients:
        client.end()


@pytest.fixture(autouse=True)
def _empty_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [name for name in os.environ if name.startswith("PAYGRADE_")]:
        monkeypatch.delenv(name)
