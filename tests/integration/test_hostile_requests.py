"""Thousands of requests that went wrong: web refuses or serves each, and stays as it was."""

import re
import resource
import socket
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path

import pytest
import requests

from tests.integration.conftest import StartStack
from tests.integration.hostile import mutated_post, raw_request
from tests.integration.service import wait_until
from tests.integration.stack import Stack
from tests.integration.unharmed import ENDS_WITHIN_SECONDS, unharmed

SEED = 15
AT_ONCE = 6
LONGEST_SECONDS = 45
"""Longer than any wait: a connection that is open for longer hangs."""
MOST_MEGABYTES = 350
_HEAD = re.compile(rb"HTTP/1\.1 (\d{3}) [^\r]*\r\n(.*?)\r\n\r\n", re.DOTALL)


def faults(stack: Stack, request: bytes) -> tuple[list[str], list[str]]:
    """The statuses of the responses, and what is wrong with them."""
    try:
        connection = socket.create_connection(("127.0.0.1", stack.port), timeout=LONGEST_SECONDS)
    except OSError as error:
        return [], [f"web cannot be reached, {AT_ONCE} requests after a deadly one at most: {error}"]
    with connection:
        received = b""
        try:
            connection.sendall(request)
            connection.shutdown(socket.SHUT_WR)
            while piece := connection.recv(65_536):
                received += piece
        except TimeoutError:
            return [], ["it hangs"]
        except OSError:  # refused before all was sent
            pass
    heads = _HEAD.findall(received)
    wrong = [
        f"{status.decode()}: {received[:500]!r}"
        for status, headers in heads
        if status >= b"500" and (status != b"503" or b"Retry-After: " not in headers)
    ]
    return [status.decode() for status, _ in heads], wrong


def megabytes(pid: int) -> float:
    """Of a process and its children."""
    children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    kilobytes = re.search(r"VmRSS:\s+(\d+)", Path(f"/proc/{pid}/status").read_text())
    return int(kilobytes[1]) / 1024 + sum(megabytes(int(child)) for child in children) if kilobytes else 0


def all_are_answered(stack: Stack, make: Callable[[int, int], bytes], count: int) -> Counter[str]:
    """How often each status was given."""
    statuses: Counter[str] = Counter()
    pid = stack.web.pid
    with unharmed(stack), ThreadPoolExecutor(AT_ONCE) as threads:
        answers = threads.map(lambda number: faults(stack, make(SEED, number)), range(count))
        for number, (given, wrong) in enumerate(answers):
            assert not wrong, f"{make.__name__}({SEED}, {number}): {wrong}"
            statuses.update(given)
    assert stack.status("/healthz") == 200
    assert megabytes(pid) < MOST_MEGABYTES
    return statuses


def test_a_request_that_kills_web_is_named(start_stack: StartStack) -> None:
    stack = start_stack()
    stack.start_web().kill_group()
    wait_until("the port is closed", lambda: stack.status("/healthz") is None)
    with pytest.raises(AssertionError, match=r"mutated_post\(15, 0\).*deadly"):
        all_are_answered(stack, mutated_post, 1)


@contextmanager
def connections(stack: Stack, count: int, sent: bytes) -> Iterator[list[socket.socket]]:
    """So many connections that have sent this, and then nothing more."""
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
    with ExitStack() as opened:
        socks = []
        for _ in range(count):
            sock = opened.enter_context(socket.create_connection(("127.0.0.1", stack.port), timeout=10))
            with suppress(OSError):  # refused before all was sent
                sock.sendall(sent)
            socks.append(sock)
        yield socks


def starts_to_answer(sock: socket.socket) -> bytes:
    sock.settimeout(0.01)
    try:
        return sock.recv(12)
    except OSError:
        return b""


def test_unfinished_bodies_do_not_fill_the_memory_and_others_are_answered(start_stack: StartStack) -> None:
    stack = start_stack()
    stack.start_web()
    before = megabytes(stack.web.pid)
    head = b"POST /v1/predictions HTTP/1.1\r\nHost: localhost\r\nContent-Length: 4000000\r\n\r\n"
    with connections(stack, 60, head + b" " * 3_999_990) as socks:
        row = {"inputs": {"years": 2.5}}
        assert requests.post(f"{stack.address}/v1/predictions", json=row, timeout=10).status_code == 202
        assert megabytes(stack.web.pid) - before < 80
        assert [starts_to_answer(sock) for sock in socks].count(b"HTTP/1.1 503") >= 40


def test_connections_without_a_request_give_way_to_a_caller(start_stack: StartStack) -> None:
    stack = start_stack({"PAYGRADE_MAX_WAITING_CALLERS": "0"})
    stack.start_web()
    with connections(stack, 1_300, b"GET / HTTP/1.1\r\nX: "):
        for _ in range(5):
            assert requests.get(f"{stack.address}/healthz", timeout=10).status_code == 200


@pytest.mark.timeout(300 + ENDS_WITHIN_SECONDS)
@pytest.mark.parametrize("make", [mutated_post, raw_request])
def test_400_hostile_requests_are_served_or_refused(shared: Stack, make: Callable[[int, int], bytes]) -> None:
    statuses = all_are_answered(shared, make, 400)
    assert {"202", "400", "422"} <= statuses.keys()


@pytest.mark.slow
@pytest.mark.timeout(1_200 + ENDS_WITHIN_SECONDS)
@pytest.mark.parametrize("make", [mutated_post, raw_request])
def test_5000_hostile_requests_are_served_or_refused(
    start_stack: StartStack, make: Callable[[int, int], bytes]
) -> None:
    stack = start_stack({"PAYGRADE_QUEUES": "predictions,batches", "PAYGRADE_BATCH_CHILDREN": "1"})
    stack.start_web()
    stack.ready(stack.start_worker(), children=2)
    assert sum(all_are_answered(stack, make, 5_000).values()) > 4_000
