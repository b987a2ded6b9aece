"""One command as somebody types it."""

import os
from collections.abc import Callable

import pytest

from jobs.__main__ import main
from jobs.settings import PREFIX
from tests.unit.jobs.cli.answering import Answering

Jobs = Callable[..., tuple[int, str, str]]


@pytest.fixture
def jobs(capsys: pytest.CaptureFixture[str]) -> Jobs:
    """Exit status, standard output and standard error of `python -m jobs ...`, asking the server if given."""

    def run(*arguments: str, server: Answering | None = None) -> tuple[int, str, str]:
        try:
            status = main([*arguments, *(["--url", server.url] if server else [])])
        except SystemExit as exit_:
            status = int(exit_.code or 0)
        return status, *capsys.readouterr()

    return run


@pytest.fixture(autouse=True)
def empty_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [name for name in os.environ if name.startswith(PREFIX) or name == "REDIS_URL"]:
        monkeypatch.delenv(name)
