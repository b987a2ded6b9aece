"""paygrade score as it is used at a shell."""

import os
import pty
import select
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import requests

from tests.integration.conftest import StartStack
from tests.integration.service import PATIENCE, PYTHON, ROOT, clean_environment
from tests.integration.stack import Stack

CSV = b"id,years\na,2.5\nb,12.5\n"
WARNING = b"years is above what training saw (1 to 12)"
RESULT = b"id,prediction,warnings,error\na,260.00012,,\nb,749.99884,%b,\n" % WARNING


ENVIRONMENT = clean_environment(PYTHONPATH=str(ROOT / "client"))
AS_ON_A_TERMINAL = """
import fcntl, os, sys, termios
fcntl.ioctl(0, termios.TIOCSCTTY, 0)  # so that Ctrl-C reaches it
os.execv(sys.executable, [sys.executable, *sys.argv[1:]])
"""


class Terminal:
    """A terminal that runs a command, whose output goes to a file."""

    def __init__(self, arguments: list[str], output: Path) -> None:
        self._end, theirs = pty.openpty()
        with output.open("wb") as results:
            self._process = subprocess.Popen(
                [PYTHON, "-c", AS_ON_A_TERMINAL, *arguments],
                cwd=ROOT,
                env=ENVIRONMENT,
                stdin=theirs,
                stdout=results,
                stderr=theirs,
                start_new_session=True,
            )
        os.close(theirs)
        self.shown = ""

    def see(self, text: str) -> None:
        """Returns when the text is on the screen."""
        while text not in self.shown:
            readable, _, _ = select.select([self._end], [], [], PATIENCE)
            assert readable, f"never seen: {text!r}, only {self.shown!r}"
            self.shown += os.read(self._end, 4096).decode()

    def type(self, keys: str) -> None:
        os.write(self._end, keys.encode())

    def ended(self) -> int:
        return self._process.wait(PATIENCE)

    def close(self) -> None:
        self._process.kill()
        self._process.wait()
        os.close(self._end)


@pytest.fixture
def stack(start_stack: StartStack) -> Stack:
    stack = start_stack({"PAYGRADE_QUEUES": "predictions,batches", "PAYGRADE_BATCH_CHILDREN": "1"})
    stack.start_web()
    stack.ready(stack.start_worker(), children=2)
    return stack


def score(stack: Stack, *arguments: str, given: bytes | None = None) -> "subprocess.CompletedProcess[bytes]":
    command = [PYTHON, "-m", "paygrade", "score", *arguments, "--url", stack.address]
    return subprocess.run(
        command, cwd=ROOT, env=ENVIRONMENT, input=given, capture_output=True, timeout=60, check=False
    )


def test_files_and_pipes_are_scored_and_the_exit_status_says_how_well(stack: Stack, tmp_path: Path) -> None:
    file = tmp_path / "people.csv"
    file.write_bytes(CSV)
    done = score(stack, str(file), "-o", str(tmp_path / "scored.csv"))
    assert (done.returncode, done.stdout, done.stderr) == (0, b"", b"2 rows scored\n")
    assert (tmp_path / "scored.csv").read_bytes() == RESULT

    piped = score(stack, "-", given=CSV)
    assert (piped.returncode, piped.stdout) == (0, RESULT)

    some = score(stack, "-", given=CSV + b"c,many\n")
    assert some.returncode == 1
    assert b"1 of 3 rows failed\n  row 3: years must be a number" in some.stderr

    refused = score(stack, "-", given=b"age\n1\n")
    assert refused.returncode == 2
    assert refused.stderr == b"paygrade: there is no column years\n"

    absent = score(stack, str(tmp_path / "no.csv"))
    assert absent.returncode == 2
    assert b"No such file" in absent.stderr
    assert b"Traceback" not in absent.stderr


@pytest.fixture
def waiting(start_stack: StartStack, tmp_path: Path) -> Iterator[tuple[Stack, Terminal]]:
    """A terminal that waits for a batch that no worker has claimed."""
    stack = start_stack({"PAYGRADE_QUEUES": "batches", "PAYGRADE_BATCH_CHILDREN": "1"})
    stack.start_web()
    (tmp_path / "people.csv").write_bytes(CSV)
    arguments = ["-m", "paygrade", "score", str(tmp_path / "people.csv"), "--url", stack.address]
    terminal = Terminal(arguments, tmp_path / "scored.csv")
    yield stack, terminal
    terminal.close()


def the_batch(stack: Stack) -> Any:
    [batch] = requests.get(f"{stack.address}/v1/batches", timeout=60).json()["data"]
    return batch


def test_a_terminal_shows_the_progress_and_removes_it_at_the_end(
    waiting: tuple[Stack, Terminal], tmp_path: Path
) -> None:
    stack, terminal = waiting
    terminal.see("validating [........................]   0% 0 rows, 0/s, 0 failed")
    stack.start_worker()
    terminal.see("\r\x1b[K2 rows scored")
    assert terminal.ended() == 0
    assert (tmp_path / "scored.csv").read_bytes() == RESULT


@pytest.mark.parametrize(
    ("answer", "said", "status"),
    [
        ("y\n", "is canceled", "canceled"),
        ("\n", "continues", "validating"),
        ("\x03", "continues", "validating"),
    ],
)
def test_ctrl_c_offers_to_cancel(
    waiting: tuple[Stack, Terminal], tmp_path: Path, answer: str, said: str, status: str
) -> None:
    stack, terminal = waiting
    terminal.see("validating")
    terminal.type("\x03")
    terminal.see(f"cancel {the_batch(stack)['id']}? [y/N] ")
    terminal.type(answer)
    terminal.see(said)
    assert terminal.ended() == 130
    assert the_batch(stack)["status"] == status
    assert (tmp_path / "scored.csv").read_bytes() == b""
