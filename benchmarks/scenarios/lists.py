"""Lists of 1,000 rows, each list in one request, and its scores waited for."""

from benchmarks.contenders import in_process
from benchmarks.load import IN_PROCESS_LIST, LIST_ROWS, WAITED_LIST
from benchmarks.project import project
from benchmarks.session import Session

SCENARIO = "lists"
CONNECTIONS = 8


def measure(session: Session) -> None:
    """The rival, then Paygrade."""
    with in_process() as contender:
        session.measure(contender, SCENARIO, IN_PROCESS_LIST, CONNECTIONS)
        session.weigh(contender, SCENARIO)
    with project() as contender:
        ours = session.measure(contender, SCENARIO, WAITED_LIST, CONNECTIONS)
        session.weigh(contender, SCENARIO)
    session.figure("lists", ours.rate * LIST_ROWS)
