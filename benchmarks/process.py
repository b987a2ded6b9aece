"""Starts servers, waits until they answer, and always ends them."""

import contextlib
import http.client
import os
import signal
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psutil

from benchmarks.bundle import ROOT

START_SECONDS = 60
END_SECONDS = 15

Process = subprocess.Popen[bytes]


class StartFailedError(Exception):
    """A server did not come up; the message ends with what it last wrote."""


def free_port() -> int:
    """A port on the loopback that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


@contextmanager
def running(command: list[str], log: Path, **environment: str) -> Iterator[Process]:
    """Run a command from the root of the repository, in a process group of its own."""
    inherited = {
        name: value
        for name, value in os.environ.items()
        if name != "REDIS_URL" and not name.startswith("PAYGRADE_")
    }
    with log.open("ab") as output:
        process = subprocess.Popen(
            command,
            cwd=ROOT,
            env=inherited | environment,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    try:
        yield process
    finally:
        end(process)


def end(process: Process) -> None:
    """Ask the process to stop, then kill what is left of its group."""
    process.terminate()
    with contextlib.suppress(subprocess.TimeoutExpired):
        process.wait(END_SECONDS)
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()


def wait_for(path: str, port: int, process: Process, log: Path, status: int = 200) -> None:
    """Return at the first answer with that status."""
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline:
        if process.poll() is not None:
            raise StartFailedError(f"exited with {process.returncode}: {last_words(log)}")
        if _status(path, port) == status:
            return
        time.sleep(0.01)
    raise StartFailedError(f"no {status} from {path} in {START_SECONDS} s: {last_words(log)}")


def last_words(log: Path) -> str:
    """The end of a log, in one line."""
    return " | ".join(log.read_text(errors="replace").splitlines()[-4:]) or "it wrote nothing"


def _status(path: str, port: int) -> int | None:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=2)
    try:
        connection.request("GET", path)
        return connection.getresponse().status
    except (OSError, http.client.HTTPException):
        return None
    finally:
        connection.close()


def memory(process: Process) -> list[float]:
    """MiB that each process of a tree would free (USS), parent first."""
    return [round(each.memory_full_info().uss / 2**20, 1) for each in _tree(process)]


def cpu_seconds(process: Process) -> float:
    """What all processes of a tree have used."""
    return sum(sum(each.cpu_times()[:2]) for each in _tree(process))


def _tree(process: Process) -> list[psutil.Process]:
    parent = psutil.Process(process.pid)
    return [parent, *parent.children(recursive=True)]
