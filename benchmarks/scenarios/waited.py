"""One row in, its score out: all three contenders."""

from benchmarks.contenders import article, in_process
from benchmarks.load import ARTICLE_ROW, IN_PROCESS_ROW, WAITED_ROW
from benchmarks.project import project
from benchmarks.session import Measurement, Session

SCENARIO = "waited"
CONNECTIONS = (1, 32, 128)


def measure(session: Session) -> None:
    """The rivals first, then Paygrade with `Prefer: wait`."""
    with article() as contender:
        for connections in CONNECTIONS:
            session.measure(contender, SCENARIO, ARTICLE_ROW, connections)
        session.weigh(contender, SCENARIO)
    rival = measure_rival(session)
    with project() as contender:
        ours = {
            connections: session.measure(contender, SCENARIO, WAITED_ROW, connections)
            for connections in CONNECTIONS
        }
        session.weigh(contender, SCENARIO)
    session.figure("waited-128", ours[128].rate / rival[128].rate)
    session.figure("waited-32", ours[32].rate / rival[32].rate)
    session.figure("waited-1-p50", ours[1].p50 / rival[1].p50)


def measure_rival(session: Session) -> dict[int, Measurement]:
    """What (b) does with single rows, by connections: measured once in a session."""
    if session.rival(1, CONNECTIONS[0]) is None:
        with in_process() as contender:
            for connections in CONNECTIONS:
                session.measure(contender, SCENARIO, IN_PROCESS_ROW, connections)
            session.weigh(contender, SCENARIO)
    known = {connections: session.rival(1, connections) for connections in CONNECTIONS}
    return {connections: rival for connections, rival in known.items() if rival}
