"""python -m jobs score, as somebody at a shell uses it."""

import subprocess
from pathlib import Path

import pytest

from tests.integration.conftest import StartStack
from tests.integration.service import PYTHON, ROOT
from tests.integration.stack import Stack

CSV = b"id,years\na,2.5\nb,12.5\n"
WARNING = b"years is above what training saw (1 to 12)"
RESULT = b"id,prediction,warnings,error\na,260.00012,,\nb,749.99884,%b,\n" % WARNING


@pytest.fixture
def stack(start_stack: StartStack) -> Stack:
    stack = start_stack({"PAYGRADE_QUEUES": "predictions,batches", "PAYGRADE_BATCH_CHILDREN": "1"})
    stack.start_web()
    stack.ready(stack.start_worker(), children=2)
    return stack


def score(stack: Stack, *arguments: str, given: bytes | None = None) -> "subprocess.CompletedProcess[bytes]":
    command = [PYTHON, "-m", "jobs", "score", *arguments, "--url", stack.address]
    return subprocess.run(command, cwd=ROOT, input=given, capture_output=True, timeout=60, check=False)


def test_files_and_pipes_are_scored_and_the_exit_status_tells_how(stack: Stack, tmp_path: Path) -> None:
    file = tmp_path / "people.csv"
    file.write_bytes(CSV)
    done = score(stack, str(file), "-o", str(tmp_path / "scored.csv"))
    assert (done.returncode, done.stdout, done.stderr) == (0, b"", b"2 rows scored\n")
    assert (tmp_path / "scored.csv").read_bytes() == RESULT

    piped = score(stack, "-", given=CSV)
    assert (piped.returncode, piped.stdout) == (0, RESULT)

    some = score(stack, "-", given=CSV + b"c,many\n")
    assert some.returncode == 1
    assert b"1 of 3 rows failed\n  row 2: years must be a number" in some.stderr

    refused = score(stack, "-", given=b"age\n1\n")
    assert refused.returncode == 2
    assert refused.stderr == b"jobs: 422: there is no column years\n"

    absent = score(stack, str(tmp_path / "no.csv"))
    assert absent.returncode == 2
    assert b"No such file" in absent.stderr
    assert b"Traceback" not in absent.stderr
