import os
import socket
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

import gevent
import gevent.socket
import pytest
from gevent.pool import Pool

from web import listener
from web.listener import Listener, Share, Shares

pytestmark = pytest.mark.process


@pytest.fixture
def bound() -> Iterator[socket.socket]:
    with socket.create_server(("127.0.0.1", 0)) as made:
        yield made


@contextmanager
def listening(bound: socket.socket, share: Share) -> Iterator[Listener]:
    own = gevent.socket.socket(fileno=os.dup(bound.fileno()))
    environ = {"wsgi.multiprocess": True}  # as in gunicorn's server: one connection is accepted at a time
    server = Listener(share, own, lambda *_: [], spawn=Pool(100), log=None, environ=environ)
    server.start()
    try:
        yield server
    finally:
        server.stop(timeout=0.1)


@contextmanager
def connections(bound: socket.socket, number: int) -> Iterator[None]:
    with ExitStack() as stack:
        for _ in range(number):
            stack.enter_context(socket.create_connection(bound.getsockname()))
        yield


def wait_until_accepted(*servers: Listener, connections: int) -> list[int]:
    with gevent.Timeout(30):
        while sum(len(server.pool) for server in servers) < connections:
            gevent.sleep(0.001)
    return [len(server.pool) for server in servers]


def test_a_process_leaves_a_connection_to_one_that_holds_fewer(
    bound: socket.socket, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(listener, "PAUSE_SECONDS", 60)
    shares = Shares(2)
    with listening(bound, shares.enter()) as first, connections(bound, 5):
        assert wait_until_accepted(first, connections=5) == [5]
        with listening(bound, shares.enter()) as second, connections(bound, 5):
            assert wait_until_accepted(first, second, connections=10) == [5, 5]


def test_a_process_accepts_what_no_other_does(bound: socket.socket) -> None:
    shares = Shares(2)
    shares.enter()  # a process that stands still
    with listening(bound, shares.enter()) as only, connections(bound, 20):
        assert wait_until_accepted(only, connections=20) == [20]


def test_closed_connections_no_longer_count(bound: socket.socket) -> None:
    share, other = (shares := Shares(2)).enter(), shares.enter()
    other.add(1)
    with listening(bound, share) as server:
        with connections(bound, 2):
            wait_until_accepted(server, connections=2)
            assert share.is_larger_than_another
        with gevent.Timeout(30):
            while len(server.pool):
                gevent.sleep(0.001)
    assert not share.is_larger_than_another
    assert other.is_larger_than_another


def test_a_process_that_ended_no_longer_counts() -> None:
    ended, other = (shares := Shares(2)).enter(), shares.enter()
    other.add(3)
    assert other.is_larger_than_another
    ended.leave()
    assert not other.is_larger_than_another


def test_an_ended_process_leaves_its_share_to_the_next() -> None:
    shares = Shares(1)
    for _ in range(10):
        share = shares.enter()
        share.add(5)
        assert not share.is_larger_than_another
        share.leave()


def test_more_processes_than_there_is_room_for_are_served_too() -> None:
    shares = Shares(1)
    for share in [shares.enter() for _ in range(5)]:
        share.add(1)


def test_a_forked_process_shows_the_others_what_it_holds() -> None:
    share, other = (shares := Shares(2)).enter(), shares.enter()
    other.add(1)
    if (child := os.fork()) == 0:
        share.add(2)
        os._exit(0)
    os.waitpid(child, 0)
    assert share.is_larger_than_another
