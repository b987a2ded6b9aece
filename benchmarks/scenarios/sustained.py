"""Ten times the retention at the highest rate: what expires makes room for what comes; nothing is refused.

The highest rate is found first. A machine that becomes faster meanwhile gets no more than that. The sizes are
those that `python -m ecs up` names for WANTED predictions a second. Redis' memory and the retention are both
cut to a tenth, and the memory also to what this machine reaches of that rate.
"""

import time
from dataclasses import dataclass
from statistics import median
from threading import Event, Thread

from benchmarks.client import Client
from benchmarks.load import PATH, WAITED_ROW
from benchmarks.project import Project, project
from benchmarks.session import Session
from ecs.capacity import redis_mib, sustained_rate
from ecs.redis_sizes import redis_parameters
from ecs.template import ParameterizedTemplate, Template

SCENARIO = "sustained"
WANTED = 3_000
UP_RETENTION_SECONDS = 600
RETENTION_SECONDS = 60
"""The shortest that there is."""
PERIODS = 10
CONNECTIONS = 128
CALIBRATION_SECONDS = 15
_MIB_STEP = 512
TAIL = RETENTION_SECONDS
"""Samples of the last period, one a second."""


@dataclass(frozen=True)
class Sample:
    """Bytes that the store uses, and the keys in it: a record has one."""

    at: float
    used: int
    keys: int


def measure(session: Session) -> None:
    """Find the highest rate, cut the memory to it, and keep the rate up."""
    mib, carried = sizes_for(WANTED)
    with project(worker=True, PAYGRADE_RETENTION_SECONDS=str(RETENTION_SECONDS)) as contender:
        with contender.redis() as redis:
            redis.config_set("appendfsync", "everysec")  # as on ECS
        found = session.run(SCENARIO, contender, WAITED_ROW, CONNECTIONS, CALIBRATION_SECONDS).rate
        most = int(mib * 2**20 * RETENTION_SECONDS / UP_RETENTION_SECONDS * found / WANTED)
        session.say(
            f"{contender.name:<15} {found:,.0f}/s; `up --redis-memory {mib} --retention 10m` carries "
            f"{carried:,.0f}/s, and {most / 2**20:.0f} MiB the same share of it for {RETENTION_SECONDS} s"
        )
        with contender.redis() as redis:
            redis.config_set("maxmemory", most)
        _keep_up(session, contender, most, found)


def sizes_for(rate: float) -> tuple[int, float]:
    """The least memory of Redis that `up` takes for this rate, in MiB, and the rate that it carries."""
    for mib in range(_MIB_STEP, 15 * 1024, _MIB_STEP):
        parameters = {**redis_parameters(mib), "RetentionSeconds": UP_RETENTION_SECONDS, "WebCpu": 4096}
        app = ParameterizedTemplate(
            Template("app").parsed, {name: str(each) for name, each in parameters.items()}
        )
        carried, _ = sustained_rate(app)
        if carried >= rate:
            return redis_mib(app), carried
    raise ValueError(f"no size carries {rate} predictions a second")


def _keep_up(session: Session, contender: Project, most: int, found: float) -> None:
    """The first period fills the store; from then on it must stay as it is."""
    samples: list[Sample] = []
    stopped = Event()
    watch = Thread(target=_watch, args=(contender, samples, stopped))
    started = time.monotonic()
    watch.start()
    try:
        seconds = PERIODS * RETENTION_SECONDS
        one = session.run(SCENARIO, contender, WAITED_ROW, CONNECTIONS, seconds, pace=found)
    finally:
        stopped.set()
        watch.join()
    session.record(contender, SCENARIO, WAITED_ROW, CONNECTIONS, [one])
    session.weigh(contender, SCENARIO)
    levels = [_level(samples, started, period) for period in range(PERIODS)]
    shares = " ".join(f"{level / most:.0%}" for level in levels)
    session.say(f"{contender.name:<15} used at the end of each period, of maxmemory: {shares}")
    session.figure("sustained-rate", one.rate / found)
    session.figure("sustained-growth", _bytes_of_a_key(samples[-TAIL:]) / _bytes_of_a_key(_second(samples)))
    session.figure("sustained-full", 100 * max(each.used for each in samples) / most)
    session.require(_kept(contender) == RETENTION_SECONDS, "records are not kept as long as was asked")


def _watch(contender: Project, samples: list[Sample], stopped: Event) -> None:
    with contender.redis() as redis:
        while not stopped.wait(1):
            used = int(redis.info("memory")["used_memory"])
            samples.append(Sample(time.monotonic(), used, int(redis.dbsize())))


def _level(samples: list[Sample], started: float, period: int) -> float:
    """The median of the last third of a period."""
    end = started + (period + 1) * RETENTION_SECONDS
    return median(each.used for each in samples if end - RETENTION_SECONDS / 3 <= each.at <= end)


def _second(samples: list[Sample]) -> list[Sample]:
    """Those of the second period, when the store is full for the first time."""
    begin = samples[0].at + RETENTION_SECONDS
    return [each for each in samples if begin <= each.at < begin + RETENTION_SECONDS]


def _bytes_of_a_key(samples: list[Sample]) -> float:
    """Whatever the rate was: a machine is not equally fast for ten minutes."""
    return median(each.used / max(each.keys, 1) for each in samples)


def _kept(contender: Project) -> int:
    """For how many seconds a record is kept that has just ended."""
    with Client(contender.port) as client:
        job = client.ask(WAITED_ROW, [2.5])
        shown = client.get(f"{PATH}/{job['id']}")
    with contender.redis() as redis:
        return round(int(redis.pttl(f"job:{shown['id']}")) / 1000)
