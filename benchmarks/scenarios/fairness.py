"""Single rows and one-row batches of one key, alone and while another key floods the service."""

import hashlib
import json
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from statistics import quantiles
from typing import NamedTuple

import httpx

from benchmarks import batch
from benchmarks.bundle import ROOT
from benchmarks.client import Client
from benchmarks.load import WAITED_ROW
from benchmarks.process import StartFailedError
from benchmarks.project import project
from benchmarks.session import WARM_UP_SECONDS, Session

SCENARIO = "fairness"
QUIET, LOUD = "key of the quiet", "key of the loud"
KEYS = ",".join(
    f"{name}:{hashlib.sha256(key.encode()).hexdigest()}" for name, key in (("quiet", QUIET), ("loud", LOUD))
)
NO_LIMITS = {"PAYGRADE_ROWS_PER_MINUTE": "0", "PAYGRADE_MAX_BATCHES_PER_KEY": "0"}
"""The flood is not to be refused. How many rows of a key may wait stays limited."""


class Times(NamedTuple):
    p50: float
    p99: float
    calls: int


def measure(session: Session) -> None:
    """Alone and beside the flood, on the same web and worker."""
    settings = {"PAYGRADE_API_KEYS": KEYS, "PAYGRADE_QUEUES": "predictions,batches", **NO_LIMITS}
    with (
        project(worker=False, **settings) as ours,
        ours.worker(),
        Client(ours.port, QUIET) as client,
        batch.service_at(ours.port) as service,
    ):
        service.headers["X-API-Key"] = QUIET
        calls: dict[str, Callable[[], object]] = {
            "row": lambda: client.ask(WAITED_ROW, [2.5]),
            "batch": lambda: _score_batch(service),
        }
        for call in calls.values():
            _times(call, WARM_UP_SECONDS)
        alone = {name: _times(call, session.seconds) for name, call in calls.items()}
        with _flood(session, ours.port):
            beside = {name: _times(call, session.seconds) for name, call in calls.items()}
    for name in calls:
        session.say(f"{SCENARIO}, {name}: alone {_said(alone[name])}; beside a flood {_said(beside[name])}")
        session.figure(f"fair-{name}-p50", beside[name].p50 / alone[name].p50)
        session.figure(f"fair-{name}-p99", beside[name].p99 / alone[name].p99)


def _score_batch(service: httpx.Client) -> None:
    posted = batch.post_rows(service, [{"years": 2.5}], "salary")
    ended = batch.ask(service, "GET", posted["urls"]["self"], params={"wait": 20})
    assert ended["status"] == "succeeded", ended


def _times(call: Callable[[], object], seconds: float) -> Times:
    """Of one call after the other, in milliseconds."""
    taken: list[float] = []
    end = time.perf_counter() + seconds
    while len(taken) < 2 or time.perf_counter() < end:
        started = time.perf_counter()
        call()
        taken.append((time.perf_counter() - started) * 1_000)
    percentiles = quantiles(taken, n=100, method="inclusive")
    return Times(percentiles[49], percentiles[98], len(taken))


def _said(times: Times) -> str:
    return f"p50 {times.p50:.1f} ms, p99 {times.p99:.1f} ms of {times.calls}"


@contextmanager
def _flood(session: Session, port: int) -> Iterator[None]:
    """From the moment that the flood has posted 1,000 batches and 200,000 rows."""
    command = [sys.executable, "-m", "benchmarks.flood", str(port), LOUD]
    process = subprocess.Popen(
        command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, start_new_session=True
    )
    try:
        assert process.stdin
        assert process.stdout
        if process.stdout.readline().strip() != "flooding":
            raise StartFailedError("the flood could not be posted")
        yield
        process.stdin.close()
        session.say(f"{'the flood':<15} {json.loads(process.stdout.readline())}")
    finally:
        process.kill()
        process.wait()
