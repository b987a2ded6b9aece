"""Schemathesis, with all of its phases and checks, against the real thing: no case finds anything."""

import hashlib
import re
import sys
from pathlib import Path
from subprocess import STDOUT, run
from tempfile import TemporaryFile

import pytest

from tests.integration.conftest import StartStack
from tests.integration.service import ROOT, clean_environment
from tests.integration.stack import Stack
from tests.integration.unharmed import ENDS_WITHIN_SECONDS, unharmed

KEY = "key of ann"
KEYS = f"ann:{hashlib.sha256(KEY.encode()).hexdigest()}:predict+operate"
SCHEMATHESIS = Path(sys.executable).with_name("schemathesis")
SECONDS, LONG_SECONDS = 540, 3_600
"""How long a run may take."""
MORE_SECONDS = ENDS_WITHIN_SECONDS + 120
"""What the test around it may take more."""


def cases(stack: Stack, *options: str, seconds: float = SECONDS) -> int:
    """How many there were; fails if any of them found something, or if they take longer."""
    with unharmed(stack):
        status, output = schemathesis(f"{stack.address}/openapi.json", *options, seconds=seconds)
    assert status == 0
    found = re.search(r"(\d+) generated, (\d+) passed", output)
    assert found
    assert found[1] == found[2]
    return int(found[1])


def schemathesis(*arguments: str, seconds: float) -> tuple[int, str]:
    """Prints the end of its output, however it ends: the test that fails shows how to repeat a case."""
    command = [str(SCHEMATHESIS), "run", "--no-color", *arguments]
    with TemporaryFile("w+") as file:
        try:
            done = run(
                command, cwd=ROOT, env=clean_environment(), stdout=file, stderr=STDOUT, timeout=seconds
            )
        finally:
            file.seek(0)
            output = file.read()
            sys.stdout.write(output[-10_000:])
    return done.returncode, output


def test_the_case_that_killed_web_is_shown(
    start_stack: StartStack,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    stack = start_stack()
    stack.start_web().kill_group()
    found = tmp_path / "schemathesis"
    found.write_text("#!/bin/sh\necho 'Reproduce with: curl'\nexit 1\n")
    found.chmod(0o700)
    monkeypatch.setattr("tests.integration.test_openapi.SCHEMATHESIS", found)
    with pytest.raises(AssertionError):
        cases(stack)
    assert "Reproduce with: curl" in capsys.readouterr().out


@pytest.mark.slow
@pytest.mark.timeout(LONG_SECONDS + MORE_SECONDS)
def test_no_case_of_20000_finds_anything(shared: Stack) -> None:
    assert cases(shared, "--seed", "7", "--max-examples", "800", seconds=LONG_SECONDS) >= 20_000


@pytest.mark.timeout(SECONDS + MORE_SECONDS)
def test_no_case_of_1000_finds_anything(shared: Stack) -> None:
    assert cases(shared, "--seed", "9", "--max-examples", "30") >= 1_000


@pytest.mark.timeout(SECONDS + MORE_SECONDS)
def test_nothing_is_found_where_keys_are_set(start_stack: StartStack) -> None:
    queues = {"PAYGRADE_QUEUES": "predictions,batches", "PAYGRADE_BATCH_CHILDREN": "1"}
    stack = start_stack({"PAYGRADE_API_KEYS": KEYS} | queues)
    stack.start_web()
    stack.ready(stack.start_worker(), children=2)
    assert (
        cases(stack, "--seed", "8", "--max-examples", "50", "--header", f"Authorization: Bearer {KEY}") > 500
    )
