"""How many workers are needed, and where. Numbers in, numbers out: nothing here knows a clock or a client."""

import math
from typing import NamedTuple

from jobs.keeper.state import KeeperState, Totals, WorkerPace

DOWN_AFTER_SECONDS = 300.0
"""Fewer workers run only once fewer were needed for this long."""
FULL_LOAD = 0.8
"""How busy workers may be for one fewer not to be enough."""
SPOT_PATIENCE_SECONDS = 120.0
"""How long Spot may take to give a worker before one is asked for on demand."""
SPOT_SHORT_SECONDS = 1800.0
"""How long Spot is not asked after that."""


class WaitingWork(NamedTuple):
    """The work that nobody has claimed."""

    rows: int = 0
    explained: int = 0
    """Rows to be explained."""
    chunks: int = 0


class ServiceCount(NamedTuple):
    """The tasks of one ECS service."""

    desired: int = 0
    running: int = 0
    deploying: bool = False


class Counts(NamedTuple):
    on_demand: int
    spot: int

    @property
    def total(self) -> int:
        return self.on_demand + self.spot


class Observation(NamedTuple):
    """What a round finds. A pace of 0 was not measured now; `spot` is None where Spot is not to be used."""

    now: float
    asleep: bool = False
    work: WaitingWork = WaitingWork()
    busy: bool = False
    """Something waits or is claimed, or a batch is open."""
    totals: Totals = Totals()
    pace: WorkerPace = WorkerPace(0, 0, 0)
    on_demand: ServiceCount = ServiceCount()
    spot: ServiceCount | None = None

    @property
    def desired(self) -> Counts:
        return Counts(self.on_demand.desired, self.spot.desired if self.spot else 0)

    @property
    def deploying(self) -> bool:
        return self.on_demand.deploying or bool(self.spot and self.spot.deploying)


class Limits(NamedTuple):
    least: int
    """How many workers stay, whatever waits."""
    most: int
    within_seconds: float = 120.0
    """How long work may wait."""
    idle_seconds: float = 600.0


class Decision(NamedTuple):
    counts: Counts
    asleep: bool
    state: KeeperState
    needed: int


def decide(observed: Observation, state: KeeperState, limits: Limits) -> Decision:
    """Up at once, down slowly.

    To sleep takes two rounds. The first announces it, so that whoever posts in between wakes the workers.
    """
    state = _watched(observed, state, limits)
    needed = _needed(observed, state, limits)
    state = _window_moved(observed, state, needed)
    idle = observed.now - state.busy_at >= limits.idle_seconds
    target = limits.least if idle else max(needed, state.most, state.most_before, 1)
    target = min(max(target, limits.least), max(limits.most, limits.least))
    state = _spot_watched(observed, state)
    asleep = target == 0 and not observed.deploying
    announced = asleep and state.sleeping and observed.asleep
    keep = observed.deploying or (target == 0 and not announced)
    counts = _divided(target, observed, state, observed.desired if keep else Counts(0, 0))
    return Decision(counts, asleep, state._replace(sleeping=asleep), needed)


def workers_for(work: WaitingWork, pace: WorkerPace, within_seconds: float) -> int:
    """How many workers do it in this time. The same processes score and explain; others score chunks."""
    seconds = max(work.rows / pace.rows + work.explained / pace.explained, work.chunks / pace.chunks)
    return math.ceil(seconds / within_seconds)


def _watched(observed: Observation, state: KeeperState, limits: Limits) -> KeeperState:
    """Notes work and paces. After a clock was set back, everything begins anew."""
    if not 0 < state.busy_at <= observed.now:
        # Where nothing runs, there is no reason to start anything.
        busy_at = observed.now - (0 if observed.desired.total else limits.idle_seconds)
        state = state._replace(
            busy_at=busy_at, totals=observed.totals, spot_waits_since=0.0, spot_short_until=0.0
        )
    woken = state.sleeping and not observed.asleep
    if observed.busy or woken or observed.totals != state.totals:
        state = state._replace(busy_at=observed.now)
    return state._replace(totals=observed.totals, pace=_learned(observed, state.pace))


def _learned(observed: Observation, known: WorkerPace) -> WorkerPace:
    """Learns from workers that have more than they can take at once: one row alone shows no pace."""
    waiting = (observed.work.rows, observed.work.explained, observed.work.chunks)
    return WorkerPace(
        *(
            (old + new) / 2 if new > 0 and waits else old
            for old, new, waits in zip(known, observed.pace, waiting, strict=True)
        )
    )


def _needed(observed: Observation, state: KeeperState, limits: Limits) -> int:
    needed = workers_for(observed.work, state.pace, limits.within_seconds)
    return max(needed, 1 if observed.busy else 0)


def _window_moved(observed: Observation, state: KeeperState, needed: int) -> KeeperState:
    """What was needed is remembered for one window and the one after, with what the work of a window took."""
    now, totals, desired = observed.now, observed.totals, observed.desired.total
    if not 0 < state.window_at <= now:
        # Nothing is known of what these were needed for.
        return state._replace(window_at=now, window_totals=totals, most=needed, most_before=desired)
    if now - state.window_at < DOWN_AFTER_SECONDS:
        return state._replace(most=max(state.most, needed))
    # What kept them busy is a reason not to go down, and none to go up.
    busy = min(_kept_busy(state, now - state.window_at), desired)
    before = max(state.most, needed, busy)
    return state._replace(window_at=now, window_totals=totals, most=needed, most_before=before)


def _kept_busy(state: KeeperState, seconds: float) -> int:
    """How many workers this window has kept busy: where they keep up, nothing waits that would tell."""
    rows, explained, chunks, _ = (
        max(now - before, 0.0) for now, before in zip(state.totals, state.window_totals, strict=True)
    )
    pace = state.pace
    share = max(
        max(rows - explained, 0.0) / pace.rows + explained / pace.explained,
        chunks / pace.chunks,
    )
    return math.ceil(share / seconds / FULL_LOAD)


def _spot_watched(observed: Observation, state: KeeperState) -> KeeperState:
    """Notes since when Spot gives too few workers, and for how long it is not asked again."""
    if observed.spot is None or observed.spot.running >= observed.spot.desired:
        return state._replace(spot_waits_since=0.0)
    since = state.spot_waits_since or observed.now
    if observed.now - since < SPOT_PATIENCE_SECONDS:
        return state._replace(spot_waits_since=since)
    return state._replace(spot_waits_since=0.0, spot_short_until=observed.now + SPOT_SHORT_SECONDS)


def _divided(target: int, observed: Observation, state: KeeperState, stay: Counts) -> Counts:
    """Spot first; what runs on demand stays until Spot has given as much.

    `stay`: so many stay, but for those that Spot does not give: a deployment would wait for them.
    """
    if observed.spot is None:
        counts = Counts(target, 0)
    elif observed.now < state.spot_short_until:
        spot = min(target, observed.spot.running)
        counts, stay = Counts(target - spot, spot), stay._replace(spot=min(stay.spot, observed.spot.running))
    else:
        counts = Counts(min(observed.on_demand.desired, max(target - observed.spot.running, 0)), target)
    return Counts(*map(max, counts, stay))
