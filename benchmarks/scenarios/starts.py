"""How soon after its start a process is of use."""

import time
from statistics import median

from benchmarks.client import Client
from benchmarks.load import POSTED_ROW
from benchmarks.process import StartFailedError, last_words, wait_for
from benchmarks.project import Project, only_store, project
from benchmarks.session import Session

GIVE_UP_SECONDS = 60


def measure(session: Session) -> None:
    """Medians of starts, each of a new process."""
    with project(worker=False) as contender:
        worker = median(_worker(contender) for _ in range(session.runs))
    with only_store() as contender:
        web = median(_web(contender) for _ in range(session.runs))
    session.say(f"{contender.name:<15} worker starts in {worker:.2f} s, web in {web:.2f} s")
    session.figure("worker-start", worker)
    session.figure("web-start", web)


def _worker(contender: Project) -> float:
    """Seconds until a worker takes the job that waits for it."""
    with Client(contender.port) as client:
        job = client.ask(POSTED_ROW, [2.5])
        started = time.monotonic()
        with contender.worker() as process:
            while client.get(f"{POSTED_ROW.path}/{job['id']}")["status"] == "queued":
                if process.poll() is not None or time.monotonic() - started > GIVE_UP_SECONDS:
                    raise StartFailedError(f"no job was claimed: {last_words(contender.log('worker'))}")
                time.sleep(0.01)
            return time.monotonic() - started


def _web(contender: Project) -> float:
    """Seconds until web answers."""
    started = time.monotonic()
    with contender.web() as process:
        wait_for("/healthz", contender.port, process, contender.log("web"))
        return time.monotonic() - started
