"""Three times what it can do: memory stays bounded, each Retry-After is true, accepted work is done."""

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import psutil
import pytest

from tests.integration.callers import Caller
from tests.integration.conftest import StartStack
from tests.integration.service import Service, wait_until
from tests.integration.stack import Stack
from web.keys import digest

PATIENT_EVERY_SECONDS = 5
LEAST_REFUSED = 10
PACE, TIMES = 400, 3
"""Rows that the worker scores in a second, and how many times as many are posted."""
LIST_ROWS = 40
ROWS = [{"years": 2.5}] * LIST_ROWS
ROOM_JOBS = 50
"""Lists that may wait; each of the two limits below stands for them."""
KEYS = ",".join(f"{name}:{digest(name)}" for name in ("quiet", "loud"))
LIMITS = {
    429: {"PAYGRADE_API_KEYS": KEYS, "PAYGRADE_MAX_WAITING_ROWS_PER_KEY": str(ROOM_JOBS * LIST_ROWS)},
    503: {"PAYGRADE_MAX_WAITING": str(ROOM_JOBS)},
}
"""By the status of a refusal: of one key that has its share waiting, or of all when the queue is full."""
SUCCEEDED = "jobs_ended|predictions|salary@1|succeeded"
MIB = 2**20
MOST_MEMORY = {"web": 350 * MIB, "worker": 700 * MIB, "store": 100 * MIB}
GROWTH = 1.3
"""How much more memory than in the first half may be taken in the second: expired jobs make room."""


@dataclass
class Flood:
    """Posts lists at a fixed rate, whatever it is answered, unless it is told to pause."""

    caller: Caller
    accepted: int = 0
    refused: dict[int, int] = field(default_factory=dict)
    paused: threading.Event = field(default_factory=threading.Event)

    @contextmanager
    def running(self) -> Iterator[None]:
        stopped = threading.Event()
        thread = threading.Thread(target=self._run, args=(stopped,), daemon=True)
        thread.start()
        try:
            yield
        finally:
            stopped.set()
            thread.join()

    def _run(self, stopped: threading.Event) -> None:
        due = time.monotonic()
        while not stopped.is_set():
            due += LIST_ROWS / (PACE * TIMES)
            time.sleep(max(due - time.monotonic(), 0))
            if not self.paused.is_set():
                self.post()

    def post(self) -> int:
        """Returns the seconds of Retry-After; 0 if the list was accepted."""
        answer = self.caller.post(ROWS)
        if answer.status_code == 202:
            self.accepted += 1
            return 0
        self.refused[answer.status_code] = self.refused.get(answer.status_code, 0) + 1
        return int(answer.headers["Retry-After"])


class Memory:
    """The most that each part has taken, in each half of the time."""

    def __init__(self, stack: Stack, worker: Service) -> None:
        self._stack = stack
        self._pids = {"web": stack.web.pid, "worker": worker.pid}
        self.peaks: dict[str, list[int]] = {name: [0, 0] for name in MOST_MEMORY}

    def look(self, half: int) -> None:
        taken = {name: _resident(pid) for name, pid in self._pids.items()}
        taken["store"] = int(self._stack.redis.info("memory")["used_memory"])
        for name, size in taken.items():
            self.peaks[name][half] = max(self.peaks[name][half], size)


def _resident(pid: int) -> int:
    process = psutil.Process(pid)
    return sum(int(each.memory_info().rss) for each in (process, *process.children(recursive=True)))


@pytest.mark.timeout(1_200)
@pytest.mark.parametrize("status", LIMITS)
@pytest.mark.parametrize("seconds", [15, pytest.param(600, marks=pytest.mark.slow)])
def test_three_times_what_it_can_do_does_no_harm(
    start_stack: StartStack, status: int, seconds: float
) -> None:
    limits = {"PAYGRADE_RETENTION_SECONDS": "60", "PAYGRADE_ROWS_PER_MINUTE": "0"} | LIMITS[status]
    stack = start_stack(limits)
    stack.start_web()
    worker = stack.start_worker("-m", "tests.integration.troubled_worker", "pace", str(PACE))
    memory = Memory(stack, stack.ready(worker))
    flood = Flood(Caller(stack.address, "loud"))
    patient = Patient(flood, Caller(stack.address, "loud"), status)
    quiet = Caller(stack.address, "quiet")
    answered = 0
    with flood.running():
        wait_until("the first list is refused", lambda: flood.refused)
        began = time.monotonic()
        while (elapsed := time.monotonic() - began) < seconds:
            if elapsed > PATIENT_EVERY_SECONDS * (patient.tries + 0.5):
                patient.try_again()
            memory.look(half=int(elapsed > seconds / 2))
            if status == 429:
                assert quiet.post({"years": 2.5}, wait=25).status_code == 200
                answered += 1
            time.sleep(0.5)
    accepted = flood.accepted + patient.accepted + answered
    wait_until("all that was accepted is done", lambda: _succeeded(stack) == accepted, within=120)
    assert set(flood.refused) == {status}
    assert sum(flood.refused.values()) >= LEAST_REFUSED
    assert patient.accepted == patient.tries > 1
    assert stack.web.events("unexpected_error") == worker.events("unexpected_error") == []
    for name, (first, second) in memory.peaks.items():
        assert max(first, second) <= MOST_MEMORY[name], (name, first, second)
        if seconds > 60:
            assert second <= first * GROWTH, (name, first, second)


def _succeeded(stack: Stack) -> int:
    found: Any = stack.redis.hget("metrics", SUCCEEDED)
    return int(found or 0)


class Patient:
    """A caller that waits as long as it is told to. Meanwhile nobody else posts, or the room is gone."""

    def __init__(self, flood: Flood, caller: Caller, status: int) -> None:
        self._flood = flood
        self._caller = caller
        self._status = status
        self.tries = 0
        self.accepted = 0

    def try_again(self) -> None:
        self.tries += 1
        answer = self._caller.post(ROWS)
        if answer.status_code == 202:
            self.accepted += 1
            return
        assert answer.status_code == self._status, answer.text
        self._flood.paused.set()
        time.sleep(int(answer.headers["Retry-After"]))
        self.accepted += self._caller.post(ROWS).status_code == 202
        self._flood.paused.clear()
