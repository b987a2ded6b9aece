"""One row in, its score out: all three contenders."""

from benchmarks.contenders import article, in_process
from benchmarks.load import ARTICLE_ROW, IN_PROCESS_ROW, WAITED_ROW
from benchmarks.project import project
from benchmarks.session import Measurement, Session

SCENARIO = "waited"
CONNECTIONS = (1, 32, 128)


def measure(session: Session) -> None:
    """All by turns, Paygrade with `Prefer: wait`."""
    with article() as tutorial, in_process() as rival, project() as ours:
        loads = [(tutorial, ARTICLE_ROW), (rival, IN_PROCESS_ROW), (ours, WAITED_ROW)]
        measured = {
            connections: session.measure_by_turns(loads, SCENARIO, connections) for connections in CONNECTIONS
        }
        for contender, _ in loads:
            session.weigh(contender, SCENARIO)
    for connections in (128, 32):
        _, theirs, own = measured[connections]
        session.figure(f"waited-{connections}", own.rate / theirs.rate)
    _, theirs, own = measured[1]
    session.figure("waited-1-p50", own.p50 / theirs.p50)


def measure_rival(session: Session) -> dict[int, Measurement]:
    """What (b) does with single rows, by connections: measured once in a session."""
    if session.rival(1, CONNECTIONS[0]) is None:
        with in_process() as contender:
            for connections in CONNECTIONS:
                session.measure(contender, SCENARIO, IN_PROCESS_ROW, connections)
            session.weigh(contender, SCENARIO)
    known = {connections: session.rival(1, connections) for connections in CONNECTIONS}
    return {connections: rival for connections, rival in known.items() if rival}
