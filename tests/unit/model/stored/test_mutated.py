"""A changed model is refused, or scores whatever it says; it never ends a process, hangs it, or fills it."""

import json
import subprocess
import sys
from typing import Any

import pytest

MOST_MEBIBYTES = 100
MOST_SECONDS = 5


def use_changed_models(first: int, last: int) -> dict[str, Any]:
    """Load and use changed models in a process of their own; returns what became of them."""
    command = [sys.executable, "-m", "tests.unit.model.stored.use_mutated", str(first), str(last)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=1_200, check=False)
    assert done.returncode == 0, f"after the seed {done.stderr[-2_000:]}"
    became: dict[str, Any] = json.loads(done.stdout)
    return became


def check(became: dict[str, Any], models: int) -> None:
    assert became.pop("mebibytes") < MOST_MEBIBYTES
    assert became.pop("seconds") < MOST_SECONDS
    assert sum(became.values()) == models
    assert became["refused"] > models / 2
    assert became["used"] > models / 20


@pytest.mark.process
def test_hundreds_of_changed_models_neither_end_nor_fill_a_process() -> None:
    check(use_changed_models(0, 400), 400)


@pytest.mark.slow
@pytest.mark.process
def test_thousands_of_changed_models_neither_end_nor_fill_a_process() -> None:
    check(use_changed_models(400, 4_400), 4_000)
