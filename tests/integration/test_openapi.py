"""Schemathesis, with all of its phases and checks, against the real thing: no case finds anything."""

import hashlib
import re
import sys
from pathlib import Path
from subprocess import run

import pytest

from tests.integration.conftest import StartStack
from tests.integration.service import ROOT, clean_environment
from tests.integration.stack import Stack
from tests.integration.unharmed import unharmed

KEY = "key of ann"
KEYS = f"ann:{hashlib.sha256(KEY.encode()).hexdigest()}:predict+operate"
SCHEMATHESIS = Path(sys.executable).with_name("schemathesis")


def cases(stack: Stack, *options: str, seconds: float = 540) -> int:
    """How many there were; fails if any of them found something, or if they take longer."""
    command = [str(SCHEMATHESIS), "run", f"{stack.address}/openapi.json", "--no-color", *options]
    with unharmed(stack):
        done = run(
            command, cwd=ROOT, env=clean_environment(), capture_output=True, text=True, timeout=seconds
        )
    assert done.returncode == 0, done.stdout[-10_000:] + done.stderr
    found = re.search(r"(\d+) generated, (\d+) passed", done.stdout)
    assert found, done.stdout
    assert found[1] == found[2]
    return int(found[1])


@pytest.mark.slow
@pytest.mark.timeout(3_700)
def test_no_case_of_20000_finds_anything(shared: Stack) -> None:
    assert cases(shared, "--seed", "7", "--max-examples", "800", seconds=3_600) >= 20_000


@pytest.mark.timeout(600)
def test_no_case_of_1000_finds_anything(shared: Stack) -> None:
    assert cases(shared, "--seed", "9", "--max-examples", "30") >= 1_000


@pytest.mark.timeout(600)
def test_nothing_is_found_where_keys_are_set(start_stack: StartStack) -> None:
    queues = {"PAYGRADE_QUEUES": "predictions,batches", "PAYGRADE_BATCH_CHILDREN": "1"}
    stack = start_stack({"PAYGRADE_API_KEYS": KEYS} | queues)
    stack.start_web()
    stack.ready(stack.start_worker(), children=2)
    assert (
        cases(stack, "--seed", "8", "--max-examples", "50", "--header", f"Authorization: Bearer {KEY}") > 500
    )
