"""Stacks for the tests, and their logs when a test fails."""

import signal
from collections.abc import Callable, Generator, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from tests.integration.callers import Caller
from tests.integration.s3 import S3
from tests.integration.stack import NoStore, Stack, store_binary

LAST_LINES = 40

_running: list[Stack] = []

StartStack = Callable[..., Stack]


@pytest.fixture(scope="session", autouse=True)
def valkey() -> None:
    """Without a store these tests skip at home; in CI they fail."""
    try:
        store_binary()
    except NoStore as error:
        pytest.skip(str(error))


@pytest.fixture(scope="session", autouse=True)
def interruptible() -> None:
    """What a shell runs in the background ignores Ctrl-C, and so would all that these tests start."""
    signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.fixture(scope="session")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """PredictionStore, web and a worker, for tests that do them no harm."""
    settings = {"PAYGRADE_QUEUES": "predictions,batches", "PAYGRADE_BATCH_CHILDREN": "1"}
    with Stack(tmp_path_factory.mktemp("shared"), settings) as stack:
        _running.append(stack)
        stack.start_web()
        stack.ready(stack.start_worker(), children=2)
        yield stack
        _running.remove(stack)


@pytest.fixture
def start_stack(tmp_path: Path) -> Iterator[StartStack]:
    """Starts a store of the test's own; whatever the test adds to the stack ends with it."""
    with ExitStack() as running:

        def start(settings: dict[str, str] | None = None, maxmemory: str = "256mb") -> Stack:
            folder = tmp_path / f"stack-{len(_running)}"
            stack = running.enter_context(Stack(folder, settings, maxmemory))
            _running.append(stack)
            running.callback(_running.remove, stack)
            return stack

        yield start


@pytest.fixture
def s3(tmp_path: Path) -> Iterator[S3]:
    played = S3(tmp_path)
    yield played
    played.service.kill_group()


@pytest.fixture
def call() -> Iterator[Callable[[Stack], Caller]]:
    """A caller of a stack, whose connection is closed after the test."""
    with ExitStack() as callers:

        def caller_of(stack: Stack) -> Caller:
            caller = Caller(stack.address)
            callers.callback(caller.close)
            return caller

        yield caller_of


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport() -> Generator[None, Any, Any]:
    report = yield
    if report.failed:
        logs = [log for stack in _running for log in stack.logs()]
        for log in logs:
            lines = log.read_text(errors="replace").splitlines()[-LAST_LINES:]
            report.sections.append((f"log {log.name}", "\n".join(lines)))
    return report
