"""Compose stacks for the tests, and their logs when a test fails."""

from collections.abc import Generator, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.containers.compose import Compose, NoEngine, check_engine, fresh_clone
from tests.integration.callers import Caller

LAST_LINES = 40
SECRET = "visible-to-nobody-else"

_running: list[Compose] = []


BUILD_SECONDS = 900
"""Whichever test is the first builds the images, perhaps without a cache and on a busy machine."""


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if Path(__file__).parent in item.path.parents:
            item.add_marker(pytest.mark.timeout(BUILD_SECONDS))


@pytest.fixture(scope="session", autouse=True)
def engine() -> None:
    """Without a Docker engine, these tests are skipped locally and fail in CI."""
    try:
        check_engine()
    except NoEngine as error:
        pytest.skip(str(error))


@pytest.fixture(scope="session")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Compose]:
    """A running stack with the settings of .env.example, for tests that do not change it."""
    clone = fresh_clone(tmp_path_factory.mktemp("clone"))
    settings = (clone / ".env.example").read_text()
    (clone / ".env").write_text(f"{settings}\nAWS_SECRET_ACCESS_KEY={SECRET}\n")
    yield from (compose.up() for compose in _running_in(clone))


@pytest.fixture
def stack(tmp_path: Path) -> Iterator[Compose]:
    """A stack for one test, not yet running."""
    yield from _running_in(fresh_clone(tmp_path / "clone"))


@pytest.fixture
def caller(shared: Compose) -> Iterator[Caller]:
    caller = Caller(shared.address)
    yield caller
    caller.close()


def _running_in(clone: Path) -> Iterator[Compose]:
    compose = Compose(clone)
    _running.append(compose)
    try:
        yield compose
    finally:
        _running.remove(compose)
        compose.down()


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport() -> Generator[None, Any, Any]:
    report = yield
    if report.failed:
        report.sections += [(f"logs of {compose.project}", compose.logs(LAST_LINES)) for compose in _running]
    return report
