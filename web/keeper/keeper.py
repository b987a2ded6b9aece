"""The keeper: every five seconds one of all web processes sizes the services of the workers."""

import logging
from collections.abc import Callable
from typing import NamedTuple

from jobs.keeper.hours import WarmHours
from jobs.keeper.state import KeeperState, Totals, WorkerPace
from jobs.keeper.store import KeeperMemory, KeeperRound, Sleep
from jobs.queues.capacity import Capacity
from web.keeper.need import Counts, Decision, Limits, Observation, WaitingWork, decide
from web.keeper.services import FoundServices, WorkerServices

log = logging.getLogger(__name__)

TICK_SECONDS = 1.0
"""How often a web process looks whether a round is due."""
REPORT_EVERY_SECONDS = 60.0
START_WEIGHT = 0.5
"""How much the last start counts beside those before it."""


class LimitsByHour:
    """How many workers there may be at which time, by the settings."""

    def __init__(
        self, least: int, most: int, warm: WarmHours, within_seconds: float, idle_seconds: float
    ) -> None:
        self._least, self._most = least, most
        self._warm = warm
        self._within_seconds = within_seconds
        self._idle_seconds = idle_seconds

    def at(self, now: float) -> Limits:
        least = self._least if self._warm.include(now) else 0
        return Limits(least, self._most, self._within_seconds, self._idle_seconds)


class SinceReport(NamedTuple):
    rounds: int
    rows_per_second: float


class RoundOutcome(NamedTuple):
    """What a round saw, for the report."""

    capacity: Capacity
    services: FoundServices
    since_report: SinceReport


class Keeper:
    """`totals` reads what all workers have done; `report` is called once a minute."""

    def __init__(
        self,
        memory: KeeperMemory,
        services: WorkerServices,
        limits: LimitsByHour,
        capacity: Callable[[], Capacity],
        totals: Callable[[], Totals],
        report: Callable[[RoundOutcome], None],
        sleep: Callable[[float], object],
    ) -> None:
        self._memory = memory
        self._services = services
        self._limits = limits
        self._capacity = capacity
        self._totals = totals
        self._report = report
        self._sleep = sleep

    def run(self) -> None:
        """Raises StoreUnavailable, and what the client of ECS raises; the next round is five seconds away."""
        self._services.count()  # so each process has its connection before work comes
        while True:
            self.tick()
            self._sleep(TICK_SECONDS)

    def tick(self) -> None:
        """Begins a round if one is due."""
        round_ = self._memory.begin()
        if round_ is not None:
            self._keep(round_)

    def _keep(self, round_: KeeperRound) -> None:
        capacity, services = self._capacity(), self._services.count()
        totals = self._totals()._replace(explained=round_.explained)
        observed = observe(round_, capacity, services, totals)
        decision = decide(observed, round_.state, self._limits.at(round_.now))
        state, since_report = _counted(decision.state, round_.now)
        sleep = sleep_after(round_, capacity, observed.desired, decision)
        if not self._memory.finish(round_, sleep, state):
            return
        if decision.counts != observed.desired:
            self._ask(observed, decision)
        if since_report:
            self._report(RoundOutcome(capacity, services, since_report))

    def _ask(self, observed: Observation, decision: Decision) -> None:
        self._services.ask(decision.counts, before=observed.desired)
        counts = decision.counts
        log.info(
            "workers_sized",
            extra={
                "on_demand": counts.on_demand,
                "spot": counts.spot,
                "before": observed.desired.total,
                "needed": decision.needed,
                **observed.work._asdict(),
            },
        )


def observe(round_: KeeperRound, capacity: Capacity, services: FoundServices, totals: Totals) -> Observation:
    capacity = capacity.for_workers
    batches, workers = capacity.batches, max(capacity.workers, 1)
    work = WaitingWork(max(capacity.rows - capacity.explained, 0), capacity.explained, batches.waiting)
    seconds = totals.chunk_seconds - round_.state.totals.chunk_seconds
    chunks = totals.chunks - round_.state.totals.chunks
    chunks_per_second = chunks / seconds * len(batches.children) / workers if seconds > 0 else 0.0
    return Observation(
        now=round_.now,
        asleep=round_.sleep.asleep,
        work=work,
        busy=capacity.busy,
        totals=totals,
        pace=WorkerPace(
            capacity.rows_per_second / workers, capacity.explained_per_second / workers, chunks_per_second
        ),
        on_demand=services.on_demand,
        spot=services.spot,
    )


def sleep_after(round_: KeeperRound, capacity: Capacity, before: Counts, decision: Decision) -> Sleep:
    """Measures the start: from the moment when a worker was asked for to the round that sees it."""
    sleep = round_.sleep._replace(asleep=decision.asleep)
    if capacity.workers:
        if sleep.requested_at is None:
            return sleep
        took = max(round_.now - sleep.requested_at, 1.0)
        known = sleep.start_seconds + START_WEIGHT * (took - sleep.start_seconds)
        return sleep._replace(requested_at=None, start_seconds=known)
    if decision.counts.total and not before.total and sleep.requested_at is None:
        return sleep._replace(requested_at=round_.now)
    return sleep if decision.counts.total else sleep._replace(requested_at=None)


def _counted(state: KeeperState, now: float) -> tuple[KeeperState, SinceReport | None]:
    """Counts the round. Returns the state and, once a minute, what to report."""
    rounds, seconds = state.rounds + 1, now - state.reported_at
    if 0 <= seconds < REPORT_EVERY_SECONDS:
        return state._replace(rounds=rounds), None
    rows = state.totals.rows - state.reported_rows if state.reported_at else 0.0
    since_report = SinceReport(rounds, round(max(rows, 0.0) / max(seconds, 1.0), 1))
    return state._replace(reported_at=now, reported_rows=state.totals.rows, rounds=0), since_report
