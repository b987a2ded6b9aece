"""Posting while 2,000 callers wait for jobs that no worker claims."""

import json
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager

from benchmarks.bundle import ROOT
from benchmarks.load import POSTED_ROW
from benchmarks.process import StartFailedError
from benchmarks.project import project
from benchmarks.scenarios.waiting import NO_LIMIT
from benchmarks.session import Session

SCENARIO = "crowd"
CALLERS = 2_000
CONNECTIONS = 32


def measure(session: Session) -> None:
    """Without the crowd, then with it, on the same web process."""
    with project(worker=False, **NO_LIMIT) as contender:
        alone = session.measure(contender, "no callers waiting", POSTED_ROW, CONNECTIONS)
        with _crowd(session, contender.port):
            crowded = session.measure(contender, f"{CALLERS:,} callers waiting", POSTED_ROW, CONNECTIONS)
            session.weigh(contender, SCENARIO)
    session.figure("crowd-p99", crowded.p99 / alone.p99)


@contextmanager
def _crowd(session: Session, port: int) -> Iterator[None]:
    command = [sys.executable, "-m", "benchmarks.callers", str(port), str(CALLERS)]
    process = subprocess.Popen(
        command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, start_new_session=True
    )
    try:
        assert process.stdin
        assert process.stdout
        if process.stdout.readline().strip() != "waiting":
            raise StartFailedError("the callers could not be brought to wait")
        yield
        process.stdin.close()
        report = json.loads(process.stdout.readline())
        session.say(f"{'callers':<15} {report}")
        session.require(not report["faults"], f"{SCENARIO}: callers were not served: {report['faults']}")
        session.require(report["fewest"] >= 0.99 * CALLERS, f"{SCENARIO}: only {report['fewest']} waited")
    finally:
        process.kill()
        process.wait()
