"""What the benchmark reports."""

from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from typing import Any

import pytest

from benchmarks.contenders import Contender
from benchmarks.load import POSTED_ROW, Load
from benchmarks.project import Project
from benchmarks.session import Session
from benchmarks.wrk import Run


def test_the_cpu_of_two_workers_is_that_of_both(monkeypatch: pytest.MonkeyPatch) -> None:
    used = iter([3.0, 4.0])

    def running(*_: Any, **__: str) -> AbstractContextManager[float]:
        return nullcontext(next(used))

    monkeypatch.setattr("benchmarks.project.running", running)
    monkeypatch.setattr("benchmarks.contenders.cpu_seconds", lambda process: process)
    monkeypatch.setattr("benchmarks.contenders.memory", lambda process: [10 * process])
    contender = Project("paygrade", 0, Path())
    with contender.worker(), contender.worker():
        assert contender.cpu_seconds() == {"worker": 7.0}
        assert contender.memory("worker") == [30.0, 40.0]
    assert contender.cpu_seconds() == {"worker": 0}


def test_contenders_are_measured_by_turns(monkeypatch: pytest.MonkeyPatch) -> None:
    rates = {1: iter([0, 10, 30, 20]), 2: iter([0, 3, 2, 1])}  # after a warm-up
    order = []

    def run(load: Load, port: int, *_: float) -> Run:
        order.append(port)
        return Run(next(rates[port]), 1, p50=1, p99=1, wrong=0, connect=0, read=0, write=0, timeout=0)

    monkeypatch.setattr("benchmarks.session.run", run)
    loads = [(Contender(name, port, Path()), POSTED_ROW) for name, port in (("first", 1), ("second", 2))]
    first, second = Session(seconds=1, runs=3).measure_by_turns(loads, "posted", 32)
    assert order == [1, 2] * 4
    assert (first.contender, first.rate) == ("first", 20)
    assert (second.contender, second.rate) == ("second", 2)
