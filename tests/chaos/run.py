"""One run: the schedule of a seed happens to a town whose callers go on calling."""

import heapq
import time
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import partial
from itertools import count
from pathlib import Path

from redis import RedisError

from tests.chaos.batch_callers import ChaosBatchCaller
from tests.chaos.callers import ChaosCaller, Probe
from tests.chaos.endings import EndingsListener
from tests.chaos.faults import Undo, strike
from tests.chaos.ledger import ChaosLedger
from tests.chaos.schedule import Schedule, ScheduledFault
from tests.chaos.town import Town
from tests.chaos.verdict import Judge
from tests.integration.service import wait_until
from tests.simulation.promises import left_in_queues

CALLERS = 10
RECOVERY_SECONDS = 30.0
PROMISES = ("lost", "wrong", "doubled", "changed", "stuck")


@dataclass
class ChaosReport:
    """`broken` has each broken promise, with how it was broken."""

    schedule: Schedule
    accepted: int = 0
    rows: int = 0
    stall: float = 0.0
    recovery: float = 0.0
    broken: list[tuple[str, str]] = field(default_factory=list)

    def line(self) -> list[str]:
        counts = Counter(promise for promise, _ in self.broken)
        return [
            f"{self.schedule.seed}",
            self.schedule.shape,
            f"{len(self.schedule.faults)}",
            f"{self.accepted}",
            f"{self.rows}",
            *(f"{counts[promise]}" for promise in PROMISES),
            f"{self.stall:.1f} s",
            f"{self.recovery:.1f} s",
        ]


HEADINGS = ["seed", "files", "faults", "accepted", "rows", *PROMISES, "longest stall", "recovery"]


def run(schedule: Schedule, folder: Path) -> ChaosReport:
    report, ledger = ChaosReport(schedule), ChaosLedger()
    with Town(schedule, folder) as town, EndingsListener(town.direct_url) as endings:
        probe = Probe(town.address, ledger, "probe", schedule.seed)
        wait_until("a first prediction is scored", probe.scores)
        callers = _callers(town, ledger, schedule.seed)
        for caller in callers:
            caller.start()
        Player(town, schedule).play()
        _settle(town, callers, probe, report)
        report.broken += Judge(town, ledger, schedule.harms).broken()
        report.broken += [
            ("doubled", f"{job_id} is said to have ended {times} times")
            for (_, job_id), times in endings.told.items()
            if times > 1
        ]
    accepted = ledger.accepted()
    report.accepted, report.rows = len(accepted), sum(posted.rows for posted in accepted)
    report.stall = ledger.longest_stall
    return report


def _callers(town: Town, ledger: ChaosLedger, seed: int) -> list[ChaosCaller]:
    uploader = ChaosBatchCaller(town.address, ledger, "uploader", seed)
    uploader.s3 = town.s3
    return [ChaosCaller(town.address, ledger, f"caller-{number}", seed) for number in range(CALLERS)] + [
        uploader
    ]


class Player:
    """Does each fault at its time, and ends it at its time."""

    def __init__(self, town: Town, schedule: Schedule) -> None:
        self._town = town
        self._seconds = schedule.seconds
        self._order = count()
        self._due: list[tuple[float, int, Callable[[], object]]] = []
        for fault in schedule.faults:
            self._add(fault.at, partial(self._strike, fault))

    def play(self) -> None:
        """Returns when the last fault has ended."""
        began = time.monotonic()
        while self._due or time.monotonic() - began < self._seconds:
            self._now = time.monotonic() - began
            while self._due and self._due[0][0] <= self._now:
                heapq.heappop(self._due)[2]()
            self._town.supervise()
            time.sleep(0.02)

    def _add(self, at: float, action: Callable[[], object]) -> None:
        heapq.heappush(self._due, (at, next(self._order), action))

    def _strike(self, fault: ScheduledFault) -> None:
        self._add(self._now + fault.seconds, partial(self._end, strike(self._town, fault)))

    def _end(self, undo: Undo) -> None:
        try:
            undo()
        except (OSError, RedisError):  # the disk is read-only, or the store away: later
            self._add(self._now + 0.2, partial(self._end, undo))


def _settle(town: Town, callers: list[ChaosCaller], probe: Probe, report: ChaosReport) -> None:
    """Waits while the work that is left gets done; what does not move for 30 s is stuck."""
    over = time.monotonic()
    while not probe.scores() and time.monotonic() - over < RECOVERY_SECONDS:
        town.supervise()
        time.sleep(0.1)
    report.recovery = time.monotonic() - over
    for caller in callers:
        caller.stopped.set()
    _finish(town, callers, probe)
    report.broken += [("stuck", text) for text in _stuck(town, callers)]
    if report.recovery > RECOVERY_SECONDS:
        report.broken.append(("stuck", f"no prediction was scored until {report.recovery:.0f} s had passed"))


def _finish(town: Town, callers: list[ChaosCaller], probe: Probe) -> None:
    moved, before = time.monotonic(), -1.0
    while _left(probe.ledger, callers) and time.monotonic() - moved < RECOVERY_SECONDS:
        town.supervise()
        now = _progress(probe)
        if now != before:
            moved, before = time.monotonic(), now
        time.sleep(0.2)


def _stuck(town: Town, callers: list[ChaosCaller]) -> Iterator[str]:
    """What should have come to an end by now, beside the jobs."""
    yield from (f"{caller.name} gets no answer" for caller in callers if caller.is_alive())
    until = time.monotonic() + RECOVERY_SECONDS
    while (left := list(left_in_queues(town.redis))) and time.monotonic() < until:
        time.sleep(0.2)
    yield from left
    yield from (f"{service.log.name} does not stop" for service in town.told_to_stop if service.alive)


def _left(ledger: ChaosLedger, callers: list[ChaosCaller]) -> int:
    unfinished = sum(not posted.told and not posted.may_be_gone for posted in ledger.accepted())
    return unfinished + sum(caller.is_alive() for caller in callers)


def _progress(probe: Probe) -> float:
    """Asks for all that has not ended, and gives a number that grows while anything happens."""
    done = 0.0
    for posted in probe.ledger.accepted():
        if posted.told is None and not posted.may_be_gone:
            path = posted.path.partition("?")[0]
            answer = probe.request("GET", f"{path}/{next(iter(posted.ids))}")
            probe.tell(posted, answer)
            if posted.told is None and answer is not None and answer.status_code == 200:
                done += answer.json().get("progress", 0)
        done += posted.told is not None
    return done
