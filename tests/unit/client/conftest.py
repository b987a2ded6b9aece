"""One command as it is typed, against a played service."""

import os
from collections.abc import Callable

import httpx
import pytest
from paygrade.commands import main

Paygrade = Callable[..., tuple[int, str, str]]


@pytest.fixture
def paygrade(capsys: pytest.CaptureFixture[str]) -> Paygrade:
    """Exit status, standard output and standard error of `paygrade ...`."""

    def run(*arguments: str, service: httpx.BaseTransport | None = None) -> tuple[int, str, str]:
        try:
            status = main(arguments, service)
        except SystemExit as exit_:
            status = int(exit_.code or 0)
        return status, *capsys.readouterr()

    return run


@pytest.fixture(autouse=True)
def _empty_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [name for name in os.environ if name.startswith("PAYGRADE_")]:
        monkeypatch.delenv(name)
