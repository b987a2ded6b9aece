"""Runs wrk, and installs it where that is possible."""

import json
import os
import shutil
import subprocess
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from itertools import count
from pathlib import Path

from benchmarks.load import Load

SCRIPT = Path(__file__).parent / "load" / "distinct.lua"
# Longer than the longest wait, so that a slow answer is measured and only a missing one fails.
TIMEOUT_SECONDS = 30
# Farther apart than the requests of one run: no run repeats what another has sent.
_FIRST_NUMBERS = count(0, 400_000)


@dataclass(frozen=True)
class Run:
    """One run of wrk: times in milliseconds, and the number of failures of each kind.

    `cpu` are the seconds that each part of the server used meanwhile.
    """

    requests: int
    seconds: float
    p50: float
    p99: float
    wrong: int
    connect: int
    read: int
    write: int
    timeout: int
    cpu: Mapping[str, float] = field(default_factory=dict)

    @property
    def rate(self) -> float:
        """Requests in a second."""
        return self.requests / self.seconds

    @property
    def failures(self) -> dict[str, int]:
        """The kinds of failure that occurred."""
        kinds = ("wrong", "connect", "read", "write", "timeout")
        return {kind: number for kind, number in asdict(self).items() if kind in kinds and number}


def run(load: Load, port: int, connections: int, seconds: int, pace: float = 0) -> Run:
    """Load one server; each body differs from every other of this session.

    `pace` is how many requests a second are sent at most; 0 sends as many as the server answers.
    """
    arguments = [load.status, load.prefer, load.answer, next(_FIRST_NUMBERS), load.rows]
    command = ["wrk", "--threads", 1, "--connections", connections, "--duration", f"{seconds}s"]
    command += ["--timeout", f"{TIMEOUT_SECONDS}s", "--script", SCRIPT, f"http://127.0.0.1:{port}{load.path}"]
    command += ["--", *arguments, load.before, load.between, load.after, pace]
    ended = subprocess.run([str(part) for part in command], capture_output=True, text=True, check=False)
    if ended.returncode:
        raise RuntimeError(f"wrk failed: {(ended.stderr or ended.stdout).strip()}")
    return Run(**json.loads(ended.stdout.splitlines()[-1]))


def require_wrk() -> None:
    """Find wrk; if it is missing, install it as root on Debian, else raise RuntimeError with the command."""
    if shutil.which("wrk"):
        return
    if os.geteuid() != 0 or not shutil.which("apt-get"):
        raise SystemExit("wrk is missing; install it: apt-get install wrk (Debian), brew install wrk (macOS)")
    print("Installing wrk", flush=True)
    for command in ("update -qq", "install -y -qq --no-install-recommends wrk"):
        subprocess.run(["apt-get", *command.split()], stdout=subprocess.DEVNULL, check=False)
    if not shutil.which("wrk"):
        raise SystemExit("wrk is missing, and apt-get could not install it")
