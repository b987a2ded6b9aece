"""100,000 jobs that wait for a worker: the memory of each in Redis, and whether posting is still as fast."""

from statistics import median

from benchmarks.load import POSTED_ROW
from benchmarks.project import Project, project
from benchmarks.session import WARM_UP_SECONDS, Session
from benchmarks.wrk import Run

SCENARIO = "waiting"
JOBS = 100_000
CONNECTIONS = 32
# More than the longest session posts, so that no post is refused.
NO_LIMIT = {"PAYGRADE_MAX_WAITING": "1000000"}


def measure(session: Session) -> None:
    """Post to several empty stores; fill the last one; post again."""
    emptier: list[Run] = []
    for _ in range(session.runs):
        with project(worker=False, **NO_LIMIT) as contender:
            before = _used_memory(contender)
            _post(session, contender, WARM_UP_SECONDS)
            emptier.append(_post(session, contender))
            if len(emptier) < session.runs:
                continue
            waiting = _fill(session, contender)
            used = _used_memory(contender) - before
            fuller = [_post(session, contender) for _ in range(session.runs)]
            session.weigh(contender, SCENARIO)
            session.record(contender, "none waiting", POSTED_ROW, CONNECTIONS, emptier)
            session.record(contender, f"{waiting:,} waiting", POSTED_ROW, CONNECTIONS, fuller)
            session.figure("waiting-bytes", used / waiting)
            session.figure("waiting-rate", median(_rates(fuller)) / median(_rates(emptier)))


def _fill(session: Session, contender: Project) -> int:
    while (waiting := _jobs(contender)) < JOBS:
        session.say(f"{contender.name:<15} {waiting:,} jobs wait")
        posted = _post(session, contender)
        if posted.failures or not posted.requests:
            raise RuntimeError(f"posts were refused at {waiting:,} waiting jobs")
    return waiting


def _post(session: Session, contender: Project, seconds: int | None = None) -> Run:
    return session.run(SCENARIO, contender, POSTED_ROW, CONNECTIONS, seconds)


def _rates(runs: list[Run]) -> list[float]:
    return [each.rate for each in runs]


def _used_memory(contender: Project) -> int:
    with contender.redis() as redis:
        return int(redis.info("memory")["used_memory"])


def _jobs(contender: Project) -> int:
    with contender.redis() as redis:
        return sum(1 for _ in redis.scan_iter(match="job:*", count=10_000))
