"""The cost of batches: memory, the speed of predictions beside them, how soon they start and stop."""

import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from benchmarks import batch
from benchmarks.load import WAITED_ROW
from benchmarks.project import Project, project
from benchmarks.scenarios.batches import BOTH
from benchmarks.session import Session
from benchmarks.tables import make_bundles, make_csv

FEW, SOME, MANY = 1_000_000, 5_000_000, 20_000_000
SMALL_BATCHES, SMALL_ROWS = 1_000, 100
CONNECTIONS = 8
SAMPLED_EVERY_SECONDS = 0.05


def measure(session: Session) -> None:
    with tempfile.TemporaryDirectory(prefix="paygrade-bench-") as directory:
        folder = Path(directory)
        bundles = str(make_bundles(folder / "bundles"))
        with project(PAYGRADE_BUNDLES=bundles, PAYGRADE_QUEUES=BOTH) as contender:
            _many_small(session, contender)
            _beside(session, contender, make_csv(folder / "some.csv", SOME))
        peaks = {}
        for rows in (FEW, MANY):
            file = make_csv(folder / "rows.csv", rows)
            with project(PAYGRADE_BUNDLES=bundles, PAYGRADE_QUEUES=BOTH) as contender:
                peaks[rows] = _peak(contender, file)
                session.say(f"{rows:,} rows: web {peaks[rows][0]:.0f} MiB, worker {peaks[rows][1]:.0f} MiB")
    session.figure("batch-web-memory", peaks[MANY][0])
    session.figure("batch-worker-memory", peaks[MANY][1])
    session.figure("batch-memory-growth", max(peaks[MANY][part] / peaks[FEW][part] for part in (0, 1)))


def _many_small(session: Session, contender: Project) -> None:
    rows = [{"years": round(number / 7, 3)} for number in range(SMALL_ROWS)]
    service = batch.service_at(contender.port)
    started = time.monotonic()
    posted = [batch.post_rows(service, rows, "salary") for _ in range(SMALL_BATCHES)]
    done = [batch.wait(service, each) for each in posted]
    took = time.monotonic() - started
    wrong = [each["id"] for each in done if each["counts"]["succeeded"] != SMALL_ROWS]
    session.require(not wrong, f"{len(wrong)} of {SMALL_BATCHES} small batches are not all right")
    session.figure("small-batches", SMALL_BATCHES * SMALL_ROWS / took)


def _beside(session: Session, contender: Project, file: Path) -> None:
    alone = session.measure(contender, "no batch running", WAITED_ROW, CONNECTIONS)
    service = batch.service_at(contender.port)
    with _batches(service, file):
        beside = session.measure(contender, "beside a batch", WAITED_ROW, CONNECTIONS)
    session.figure("batch-beside-p99", beside.p99 / alone.p99)
    posted = batch.post(service, file, "large")
    uploaded = time.monotonic()
    while not (now := batch.ask(service, "GET", posted["urls"]["self"]))["counts"]["succeeded"]:
        time.sleep(0.02)
    session.figure("batch-first-rows", time.monotonic() - uploaded)
    batch.ask(service, "POST", posted["urls"]["cancel"])
    canceled = time.monotonic()
    session.require(batch.wait(service, now)["status"] == "canceled", "the batch was not canceled")
    session.figure("batch-cancel", time.monotonic() - canceled)


@contextmanager
def _batches(service: Any, file: Path) -> Iterator[None]:
    """One batch after the other, until the block ends."""
    ended = threading.Event()

    def run() -> None:
        while not ended.is_set():
            posted = batch.post(service, file, "large")
            while (
                not ended.wait(0.2) and not batch.ask(service, "GET", posted["urls"]["self"])["finished_at"]
            ):
                pass
            batch.ask(service, "POST", posted["urls"]["cancel"]) if ended.is_set() else None
            batch.remove(service, batch.wait(service, posted))

    thread = threading.Thread(target=run)
    thread.start()
    time.sleep(2)
    try:
        yield
    finally:
        ended.set()
        thread.join()


def _peak(contender: Project, file: Path) -> tuple[float, float]:
    """The most MiB that a process of web, and of the worker, had meanwhile."""
    web = worker = 0.0
    ended = threading.Event()

    def sample() -> None:
        nonlocal web, worker
        while not ended.wait(SAMPLED_EVERY_SECONDS):
            web = max(web, *contender.memory("web"))
            worker = max(worker, *contender.memory("worker"))

    thread = threading.Thread(target=sample)
    thread.start()
    service = batch.service_at(contender.port)
    done = batch.wait(service, batch.post(service, file, "small"))
    batch.fetch(service, done, contender.directory / "out")
    ended.set()
    thread.join()
    assert done["status"] == "succeeded"
    return web, worker
