"""For all tests: how many examples Hypothesis tries, and what a unit test may not do."""

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, settings

# A busy machine can be slow at any example. In CI Hypothesis loads its own profile, which agrees.
settings.register_profile("default", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.register_profile("long", settings.get_profile("default"), max_examples=1_000)

UNIT = Path(__file__).parent / "unit"
PROCESS_EVENTS = {"subprocess.Popen", "os.fork", "os.posix_spawn", "socket.bind", "socket.connect"}

_forbidden: set[str] = set()
"""The events that are refused now."""


def _refuse(event: str, _: tuple[Any, ...]) -> None:
    if event in _forbidden:
        raise RuntimeError(f"{event} in a unit test: give it the marker `process`, or move it")


sys.addaudithook(_refuse)


@pytest.fixture(autouse=True)
def no_process_and_no_network(request: pytest.FixtureRequest) -> Iterator[None]:
    """Unit tests start no process and open no socket, unless they are marked `process`."""
    if UNIT in request.path.parents and not request.node.get_closest_marker("process"):
        _forbidden.update(PROCESS_EVENTS)
    yield
    _forbidden.clear()
