"""Rows handed in without waiting, while the worker works on them as it always does."""

from benchmarks.load import POSTED_ROW
from benchmarks.project import project
from benchmarks.scenarios.waited import CONNECTIONS, measure_rival
from benchmarks.session import Session

SCENARIO = "posted"


def measure(session: Session) -> None:
    """Against the same rival, which can only answer with the score."""
    rival = measure_rival(session)
    with project() as contender:
        for connections in CONNECTIONS:
            ours = session.measure(contender, SCENARIO, POSTED_ROW, connections)
            contender.settle()
        session.weigh(contender, SCENARIO)
    session.figure("posted-128", ours.rate / rival[128].rate)
