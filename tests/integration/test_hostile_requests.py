"""Thousands of requests that went wrong: web refuses or serves each, and stays as it was."""

import re
import socket
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from tests.integration.conftest import StartStack
from tests.integration.hostile import mutated_post, raw_request
from tests.integration.stack import Stack

SEED = 15
AT_ONCE = 6
LONGEST_SECONDS = 45
"""Longer than any wait: a connection that is open for longer hangs."""
MOST_MEGABYTES = 350
_HEAD = re.compile(rb"HTTP/1\.1 (\d{3}) [^\r]*\r\n(.*?)\r\n\r\n", re.DOTALL)


def faults(stack: Stack, request: bytes) -> tuple[list[str], list[str]]:
    """The statuses of the responses, and what is wrong with them."""
    with socket.create_connection(("127.0.0.1", stack.port), timeout=LONGEST_SECONDS) as connection:
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
    with ThreadPoolExecutor(AT_ONCE) as threads:
        answers = threads.map(lambda number: faults(stack, make(SEED, number)), range(count))
        for number, (given, wrong) in enumerate(answers):
            assert not wrong, f"{make.__name__}({SEED}, {number}): {wrong}"
            statuses.update(given)
    assert stack.web.alive
    assert stack.status("/healthz") == 200
    assert stack.web.events("unexpected_error") == []
    assert megabytes(pid) < MOST_MEGABYTES
    return statuses


@pytest.mark.timeout(300)
@pytest.mark.parametrize("make", [mutated_post, raw_request])
def test_400_hostile_requests_are_served_or_refused(shared: Stack, make: Callable[[int, int], bytes]) -> None:
    statuses = all_are_answered(shared, make, 400)
    assert {"202", "400", "422"} <= statuses.keys()


@pytest.mark.slow
@pytest.mark.timeout(1500)
@pytest.mark.parametrize("make", [mutated_post, raw_request])
def test_5000_hostile_requests_are_served_or_refused(
    start_stack: StartStack, make: Callable[[int, int], bytes]
) -> None:
    stack = start_stack({"PAYGRADE_QUEUES": "predictions,batches", "PAYGRADE_BATCH_CHILDREN": "1"})
    stack.start_web()
    stack.ready(stack.start_worker(), children=2)
    assert sum(all_are_answered(stack, make, 5_000).values()) > 4_000
