"""Connections end when they take too long, and give way when there are too many."""

import socket
from collections.abc import Iterator
from contextlib import ExitStack
from typing import Any

import pytest

from web.process_limits import (
    HEADER_SECONDS,
    IDLE_SECONDS,
    PIECE_SECONDS,
    RESPONSE_SECONDS,
    OpenConnections,
)


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


class Pairs:
    """Sockets of web by the name of their caller."""

    def __init__(self, stack: ExitStack) -> None:
        self._stack = stack
        self._pairs: dict[str, tuple[socket.socket, socket.socket]] = {}

    def __getitem__(self, name: str) -> socket.socket:
        if name not in self._pairs:
            ours, theirs = socket.socketpair()
            theirs.setblocking(False)
            self._pairs[name] = (self._stack.enter_context(ours), self._stack.enter_context(theirs))
        return self._pairs[name][0]

    def closed(self) -> set[str]:
        return {name for name, (_, theirs) in self._pairs.items() if _is_closed(theirs)}


def _is_closed(theirs: socket.socket) -> bool:
    try:
        return theirs.recv(1) == b""
    except BlockingIOError:
        return False


@pytest.fixture
def pairs() -> Iterator[Pairs]:
    with ExitStack() as stack:
        yield Pairs(stack)


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def connections(clock: Clock) -> OpenConnections:
    return OpenConnections(most=4, clock=clock)


def environ(sock: socket.socket) -> Any:
    return {"gunicorn.sock": sock}


def reached(connections: OpenConnections, sock: socket.socket, state: str) -> None:
    """Takes a connection through its states up to this one."""
    connections.opened(sock)
    connections.awaits_request(sock, "1.1.1.1")
    if state != "idle":
        connections.request_begins(sock)
    if state in ("body", "waits"):
        connections.headers_arrived(sock, with_body=state == "body")


@pytest.mark.parametrize(
    ("state", "seconds"),
    [
        ("idle", IDLE_SECONDS),
        ("headers", HEADER_SECONDS),
        ("body", PIECE_SECONDS),
        ("waits", RESPONSE_SECONDS),
    ],
)
def test_each_state_has_its_time(
    connections: OpenConnections, pairs: Pairs, clock: Clock, state: str, seconds: float
) -> None:
    reached(connections, pairs["a"], state)
    clock.now += seconds
    connections.close_slow()
    assert pairs.closed() == set()
    clock.now += 1
    connections.close_slow()
    assert pairs.closed() == {"a"}


def test_a_slow_body_goes_on_and_a_silent_one_ends(
    connections: OpenConnections, pairs: Pairs, clock: Clock
) -> None:
    for name in ("slow", "silent"):
        reached(connections, pairs[name], "body")
    for _ in range(100):
        clock.now += PIECE_SECONDS - 1
        connections.piece_arrived(environ(pairs["slow"]))
        connections.close_slow()
    assert pairs.closed() == {"silent"}


def test_headers_that_drip_end_though_bytes_keep_coming(
    connections: OpenConnections, pairs: Pairs, clock: Clock
) -> None:
    reached(connections, pairs["a"], "headers")
    clock.now += HEADER_SECONDS + 1
    connections.close_slow()
    assert pairs.closed() == {"a"}


def test_of_too_many_connections_the_oldest_of_the_busiest_address_gives_way(
    connections: OpenConnections, pairs: Pairs
) -> None:
    for name, address in (
        ("other", "2.2.2.2"),
        ("first", "6.6.6.6"),
        ("second", "6.6.6.6"),
        ("third", "6.6.6.6"),
    ):
        connections.opened(pairs[name])
        connections.awaits_request(pairs[name], address)
    connections.opened(pairs["new"])
    assert pairs.closed() == {"first"}


def test_addresses_of_one_network_count_together(connections: OpenConnections, pairs: Pairs) -> None:
    addresses = {"other": "2001:db8:1:1::1", "first": "2001:db8:2:2::1", "second": "2001:db8:2:2::2"}
    for name, address in addresses.items():
        connections.opened(pairs[name])
        connections.awaits_request(pairs[name], address)
    reached(connections, pairs["waits"], "waits")
    connections.opened(pairs["new"])
    assert pairs.closed() == {"first"}


def test_who_waits_for_a_response_never_gives_way(connections: OpenConnections, pairs: Pairs) -> None:
    for name in "abcd":
        reached(connections, pairs[name], "waits")
    connections.opened(pairs["new"])
    assert pairs.closed() == set()


def test_a_body_that_has_arrived_no_longer_gives_way(connections: OpenConnections, pairs: Pairs) -> None:
    for name in "abcd":
        reached(connections, pairs[name], "body")
    for name in "abc":
        connections.body_arrived(environ(pairs[name]))
    connections.opened(pairs["new"])
    assert pairs.closed() == {"d"}


def test_an_idle_connection_is_closed_for_reading_only(connections: OpenConnections) -> None:
    idle, caller = socket.socketpair()
    with idle, caller:
        connections.idle.add(idle)
        connections.close_idle()
        assert idle.recv(1) == b""
        idle.send(b"!")
        assert caller.recv(1) == b"!"
