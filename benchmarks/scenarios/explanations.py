"""Lists of 100 rows, explained and waited for; and how they affect predictions that are not explained."""

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np

from benchmarks.bundle import explain
from benchmarks.client import Client
from benchmarks.contenders import PROCESSES, Contender, in_process
from benchmarks.load import EXPLAINED_ROWS, IN_PROCESS_EXPLAINED, WAITED_EXPLAINED, WAITED_ROW
from benchmarks.project import project
from benchmarks.session import WARM_UP_SECONDS, Session
from benchmarks.wrk import Run

SCENARIO = "explanations"
CONNECTIONS = 8
NICENESS = 10
"""The niceness of our explanations, so that other load on the machine slows down both alike."""
NEAR = 1e-4
"""By how much contributions and base may miss the margin that they sum to."""


def measure(session: Session) -> None:
    """The rival and Paygrade by turns, each with two processes that score, and one thread in each."""
    with in_process(NICENESS) as rival, project(PAYGRADE_CHILDREN=str(PROCESSES)) as ours:
        _compare(session, ours)
        loads = ((rival, IN_PROCESS_EXPLAINED), (ours, WAITED_EXPLAINED))
        for contender, load in loads:
            session.run(f"{SCENARIO}, warm-up", contender, load, CONNECTIONS, WARM_UP_SECONDS)
        runs: dict[str, list[Run]] = {rival.name: [], ours.name: []}
        for _ in range(session.runs):
            for contender, load in loads:
                name = f"{SCENARIO}, {contender.name}"
                runs[contender.name].append(session.run(name, contender, load, CONNECTIONS))
        theirs, own = (
            session.record(contender, SCENARIO, load, CONNECTIONS, runs[contender.name])
            for contender, load in loads
        )
        session.weigh(ours, SCENARIO)
    session.figure("explained", own.rate / theirs.rate)
    with project() as ours:
        _beside(session, ours)


def _compare(session: Session, ours: Contender) -> None:
    """Every contribution is XGBoost's float32; with the base they sum to its margin."""
    experience = [round(float(years), 7) for years in np.linspace(0.25, 24, EXPLAINED_ROWS)]
    with Client(ours.port) as client:
        outputs = client.ask(WAITED_EXPLAINED, experience)["outputs"]
    contributions, margins = explain(json.loads(WAITED_EXPLAINED.body(experience))["inputs"])
    answered = np.array([list(output["contributions"].values()) for output in outputs], dtype=np.float32)
    bases = np.array([output["base"] for output in outputs], dtype=np.float64)
    wrong = int((answered != contributions).sum())
    session.say(f"{SCENARIO}: {answered.size - wrong} of {answered.size} contributions are XGBoost's")
    session.require(not wrong, f"{SCENARIO}: {wrong} of {answered.size} contributions are not XGBoost's")
    off = float(np.abs(answered.sum(axis=1, dtype=np.float64) + bases - margins).max())
    session.require(off < NEAR, f"{SCENARIO}: contributions and base miss the margin by up to {off:g}")


def _beside(session: Session, ours: Contender) -> None:
    """Single rows that are not explained: with nothing beside them and with explanations, by turns."""
    alone, beside = [], []
    session.run(f"{SCENARIO}, warm-up", ours, WAITED_ROW, CONNECTIONS, WARM_UP_SECONDS)
    for _ in range(session.runs):
        alone.append(session.run("nothing explained", ours, WAITED_ROW, CONNECTIONS))
        with _explaining(session, ours):
            beside.append(session.run("beside explanations", ours, WAITED_ROW, CONNECTIONS))
    without = session.record(ours, "nothing explained", WAITED_ROW, CONNECTIONS, alone)
    with_some = session.record(ours, "beside explanations", WAITED_ROW, CONNECTIONS, beside)
    session.figure("explained-p99", with_some.p99 / without.p99)


@contextmanager
def _explaining(session: Session, ours: Contender) -> Iterator[None]:
    """Explanations are requested from before the block until after it."""
    seconds = session.seconds + 2 * WARM_UP_SECONDS
    arguments = (f"{SCENARIO}, beside others", ours, WAITED_EXPLAINED, CONNECTIONS, seconds)
    thread = threading.Thread(target=session.run, args=arguments)
    thread.start()
    thread.join(WARM_UP_SECONDS)
    yield
    thread.join()
