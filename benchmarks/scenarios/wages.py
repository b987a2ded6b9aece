"""Rows of nine features, some of them categories or missing, and an interval with each score."""

from benchmarks.contenders import in_process
from benchmarks.load import IN_PROCESS_WAGE, WAITED_WAGE
from benchmarks.project import project
from benchmarks.session import Session

SCENARIO = "wages"
CONNECTIONS = 128


def measure(session: Session) -> None:
    """The rival, then Paygrade."""
    with in_process() as contender:
        rival = session.measure(contender, SCENARIO, IN_PROCESS_WAGE, CONNECTIONS)
        session.weigh(contender, SCENARIO)
    with project() as contender:
        ours = session.measure(contender, SCENARIO, WAITED_WAGE, CONNECTIONS)
        session.weigh(contender, SCENARIO)
    session.figure("wages-128", ours.rate / rival.rate)
