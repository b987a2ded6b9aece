"""How many workers are needed, and where. Numbers in, numbers out: nothing here knows a clock or a client."""

import math
from typing import NamedTuple

from jobs.keeper.state import KeeperState, Totals, WorkerPace

DOWN_AFTER_SECONDS = 300.0
"""Fewer workers run only once fewer were needed for this long."""
FULL_LOAD = 0.8
"""How busy workers may be for one fewer not to be enough."""
SPOT_PATIENCE_SECONDS = 120.0
"""After this long a worker that Spot does not give is asked for on demand."""
SPOT_SHORT_SECONDS = 1800.0
"""For this long after that, Spot is not asked."""


class WaitingWork(NamedTuple):
    """What nobody has claimed."""

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


class Seen(NamedTuple):
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
    """So many workers stay, whatever waits."""
    most: int
    within_seconds: float = 120.0
    """How long work may wait."""
    idle_seconds: float = 600.0


class Decision(NamedTuple):
    counts: Counts
    asleep: bool
    state: KeeperState
    needed: int


def decide(seen: Seen, state: KeeperState, limits: Limits) -> Decision:
    """Up at once, down slowly.

    To sleep takes two rounds. The first announces it, so that whoever posts in between wakes the workers.
    """
    state = _watched(seen, state, limits)
    needed = _needed(seen, state, limits)
    state = _window_moved(seen, state, needed)
    idle = seen.now - state.busy_at >= limits.idle_seconds
    target = limits.least if idle else max(needed, state.most, state.most_before, 1)
    target = min(max(target, limits.least), max(limits.most, limits.least))
    state = _spot_watched(seen, state)
    asleep = target == 0 and not seen.deploying
    announced = asleep and state.sleeping and seen.asleep
    keep = seen.deploying or (target == 0 and not announced)
    counts = _divided(target, seen, state, seen.desired if keep else Counts(0, 0))
    return Decision(counts, asleep, state._replace(sleeping=asleep), needed)


def workers_for(work: WaitingWork, pace: WorkerPace, within_seconds: float) -> int:
    """How many workers do it in this time. The same processes score and explain; others score chunks."""
    seconds = max(work.rows / pace.rows + work.explained / pace.explained, work.chunks / pace.chunks)
    return math.ceil(seconds / within_seconds)


def _watched(seen: Seen, state: KeeperState, limits: Limits) -> KeeperState:
    """Notes work and paces. After a clock was set back, everything begins anew."""
    if not 0 < state.busy_at <= seen.now:
        # Where nothing runs, there is no reason to start anything.
        busy_at = seen.now - (0 if seen.desired.total else limits.idle_seconds)
        state = state._replace(
            busy_at=busy_at, totals=seen.totals, spot_waits_since=0.0, spot_short_until=0.0
        )
    woken = state.sleeping and not seen.asleep
    if seen.busy or woken or seen.totals != state.totals:
        state = state._replace(busy_at=seen.now)
    return state._replace(totals=seen.totals, pace=_learned(seen, state.pace))


def _learned(seen: Seen, known: WorkerPace) -> WorkerPace:
    """Learns from workers that have more than they can take at once: one row alone shows no pace."""
    waiting = (seen.work.rows, seen.work.explained, seen.work.chunks)
    return WorkerPace(
        *(
            (old + new) / 2 if new > 0 and waits else old
            for old, new, waits in zip(known, seen.pace, waiting, strict=True)
        )
    )


def _needed(seen: Seen, state: KeeperState, limits: Limits) -> int:
    needed = workers_for(seen.work, state.pace, limits.within_seconds)
    return max(needed, 1 if seen.busy else 0)


def _window_moved(seen: Seen, state: KeeperState, needed: int) -> KeeperState:
    """What was needed is remembered for one window and the one after, with what the work of a window took."""
    if not 0 < state.window_at <= seen.now:
        before = seen.desired.total  # nothing is known of what these were needed for
        return state._replace(window_at=seen.now, window_totals=seen.totals, most=needed, most_before=before)
    if seen.now - state.window_at < DOWN_AFTER_SECONDS:
        return state._replace(most=max(state.most, needed))
    # What kept them busy is a reason not to go down, and none to go up.
    busy = min(_kept_busy(state, seen.now - state.window_at), seen.desired.total)
    return state._replace(
        window_at=seen.now, window_totals=seen.totals, most=needed, most_before=max(state.most, needed, busy)
    )


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


def _spot_watched(seen: Seen, state: KeeperState) -> KeeperState:
    """Notes since when Spot gives too few workers, and for how long it is not asked again."""
    if seen.spot is None or seen.spot.running >= seen.spot.desired:
        return state._replace(spot_waits_since=0.0)
    since = state.spot_waits_since or seen.now
    if seen.now - since < SPOT_PATIENCE_SECONDS:
        return state._replace(spot_waits_since=since)
    return state._replace(spot_waits_since=0.0, spot_short_until=seen.now + SPOT_SHORT_SECONDS)


def _divided(target: int, seen: Seen, state: KeeperState, stay: Counts) -> Counts:
    """Spot first; what runs on demand stays until Spot has given as much.

    `stay`: so many stay, but for those that Spot does not give: a deployment would wait for them.
    """
    if seen.spot is None:
        counts = Counts(target, 0)
    elif seen.now < state.spot_short_until:
        spot = min(target, seen.spot.running)
        counts, stay = Counts(target - spot, spot), stay._replace(spot=min(stay.spot, seen.spot.running))
    else:
        counts = Counts(min(seen.on_demand.desired, max(target - seen.spot.running, 0)), target)
    return Counts(*map(max, counts, stay))
