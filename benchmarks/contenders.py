"""The services that are compared: each is started alone, and ended before the next."""

import sys
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from benchmarks.process import Process, free_port, running, wait_for

ARTICLE, IN_PROCESS = "(a) article", "(b) in process"
PROCESSES = 2


@dataclass
class Contender:
    """A server that is up: its port, and its processes by their role."""

    name: str
    port: int
    directory: Path
    processes: dict[str, Process] = field(default_factory=dict)


@contextmanager
def article() -> Iterator[Contender]:
    """Rival (a): Flask on gunicorn, sync workers."""
    port = free_port()
    command = ["gunicorn", "--workers", str(PROCESSES), "--bind", f"127.0.0.1:{port}"]
    command += ["benchmarks.rivals.article:app"]
    # Without it, the threads that XGBoost starts in each process fight for the cores: 60/s instead of 2,400.
    alone = {"OMP_NUM_THREADS": "1"}
    # Its one route takes POST only: 405 means that it is up.
    with _rival(ARTICLE, port, command, "/recms", 405, environment=alone) as contender:
        yield contender


@contextmanager
def in_process(niceness: int = 0) -> Iterator[Contender]:
    """Rival (b): FastAPI on uvicorn, without the log that would cost it time."""
    port = free_port()
    command = ["uvicorn", "--workers", str(PROCESSES), "--host", "127.0.0.1", "--port", str(port)]
    command += ["--no-access-log", "--log-level", "warning", "benchmarks.rivals.in_process:app"]
    with _rival(IN_PROCESS, port, command, "/openapi.json", 200, niceness) as contender:
        yield contender


@contextmanager
def _rival(
    name: str,
    port: int,
    command: list[str],
    path: str,
    status: int,
    niceness: int = 0,
    environment: Mapping[str, str] | None = None,
) -> Iterator[Contender]:
    with tempfile.TemporaryDirectory(prefix="paygrade-bench-", ignore_cleanup_errors=True) as directory:
        contender = Contender(name, port, Path(directory))
        log = contender.directory / "web.log"
        command = ["nice", "-n", str(niceness), sys.executable, "-m", *command]
        with running(command, log, **(environment or {})) as process:
            wait_for(path, port, process, log, status)
            contender.processes["web"] = process
            yield contender
