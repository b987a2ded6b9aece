"""One command of operators as it is typed, against a Redis in memory."""

import os
from collections.abc import Callable
from pathlib import Path

import pytest
from redis import Redis

import ops.doctor
import ops.stored_jobs
from ops.__main__ import main

Ops = Callable[..., tuple[int, str, str]]


@pytest.fixture
def operate(capsys: pytest.CaptureFixture[str]) -> Ops:
    """Exit status, standard output and standard error of `python -m ops ...`."""

    def run(*arguments: str) -> tuple[int, str, str]:
        try:
            status = main(arguments)
        except SystemExit as exit_:
            status = int(exit_.code or 0)
        return status, *capsys.readouterr()

    return run


@pytest.fixture
def connected(redis: Redis, monkeypatch: pytest.MonkeyPatch) -> Redis:
    """Every command finds this Redis, whose INFO is that of one without a limit."""
    monkeypatch.setattr(redis, "info", lambda *_: {"maxmemory": 0, "used_memory": 0})
    for module in (ops.stored_jobs, ops.doctor):
        monkeypatch.setattr(module, "connect", lambda _: redis)
    return redis


@pytest.fixture(autouse=True)
def _empty_environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in [name for name in os.environ if name.startswith("PAYGRADE_") or name == "REDIS_URL"]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("PAYGRADE_DATA", str(tmp_path))
