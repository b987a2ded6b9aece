"""What the benchmark reports of a part is that of all its processes."""

from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from typing import Any

import pytest

from benchmarks.project import Project


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
