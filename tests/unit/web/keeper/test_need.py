"""The keeper's decision: up at once, down slowly, to sleep in two rounds, and never down in a deployment."""

from dataclasses import dataclass, field

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jobs.keeper.state import KeeperState, Totals, WorkerPace
from web.keeper.need import (
    DOWN_AFTER_SECONDS,
    SPOT_PATIENCE_SECONDS,
    SPOT_SHORT_SECONDS,
    Counts,
    Decision,
    Limits,
    Observation,
    ServiceCount,
    WaitingWork,
    decide,
    workers_for,
)

PACE = WorkerPace(rows=1_000, explained=10, chunks=1)
SLEEPY = Limits(least=0, most=10)
WARM = Limits(least=1, most=10)
NONE, NOTHING_DONE = ServiceCount(), Totals()


@dataclass
class Rounds:
    """Rounds every five seconds, with services that obey at once."""

    limits: Limits = SLEEPY
    on_demand: ServiceCount = NONE
    spot: ServiceCount | None = None
    now: float = 1_000_000.0
    asleep: bool = False
    state: KeeperState = field(default_factory=lambda: KeeperState(pace=PACE))
    totals: Totals = NOTHING_DONE
    log: list[Counts] = field(default_factory=list)

    def round(self, work: WaitingWork = WaitingWork(), busy: bool | None = None) -> Decision:  # noqa: B008 (a tuple)
        observed = Observation(
            now=self.now,
            asleep=self.asleep,
            work=work,
            busy=any(work) if busy is None else busy,
            totals=self.totals,
            on_demand=self.on_demand,
            spot=self.spot,
        )
        decision = decide(observed, self.state, self.limits)
        self.state, self.asleep, self.now = decision.state, decision.asleep, self.now + 5
        self.on_demand = self._obeyed(self.on_demand, decision.counts.on_demand)
        if self.spot is not None:
            self.spot = self._obeyed(self.spot, decision.counts.spot)
        self.log.append(decision.counts)
        return decision

    def rest(self, seconds: float) -> Decision:
        for _ in range(round(seconds / 5) - 1):
            self.round()
        return self.round()

    @staticmethod
    def _obeyed(service: ServiceCount, desired: int) -> ServiceCount:
        return service._replace(desired=desired, running=desired)


def running(number: int) -> ServiceCount:
    return ServiceCount(number, number)


def test_what_one_process_does_in_turn_adds_up_and_what_others_do_beside_it_does_not() -> None:
    assert workers_for(WaitingWork(rows=60_000, explained=600), PACE, 120) == 1
    assert workers_for(WaitingWork(rows=60_001, explained=600), PACE, 120) == 2
    assert workers_for(WaitingWork(rows=60_000, explained=600, chunks=120), PACE, 120) == 1
    assert workers_for(WaitingWork(chunks=121), PACE, 120) == 2
    assert workers_for(WaitingWork(), PACE, 120) == 0


def test_sleeping_workers_are_asked_for_at_once_as_many_as_the_work_needs() -> None:
    rounds = Rounds()
    rounds.round()
    assert rounds.asleep
    assert rounds.round(WaitingWork(rows=250_000)).counts == Counts(3, 0)
    assert not rounds.asleep


def test_no_more_than_the_most_are_asked_for() -> None:
    rounds = Rounds()
    assert rounds.round(WaitingWork(rows=10**9)).counts.total == SLEEPY.most


def test_a_row_that_is_claimed_keeps_a_worker() -> None:
    rounds = Rounds(on_demand=running(1), limits=SLEEPY._replace(idle_seconds=10))
    for _ in range(10):
        assert rounds.round(busy=True).counts.total == 1


def test_work_that_came_and_went_between_two_rounds_counts() -> None:
    rounds = Rounds(on_demand=running(1))
    rounds.rest(590)
    rounds.totals = Totals(rows=1)
    rounds.rest(590)
    assert rounds.on_demand.desired == 1
    rounds.rest(30)
    assert rounds.on_demand.desired == 0


def test_fewer_are_asked_for_only_when_fewer_were_needed_for_five_minutes() -> None:
    rounds = Rounds()
    rounds.round(WaitingWork(rows=600_000))
    for _ in range(round(DOWN_AFTER_SECONDS / 5) - 1):
        assert rounds.round(WaitingWork(rows=1)).counts.total == 5
    for _ in range(round(2 * DOWN_AFTER_SECONDS / 5)):
        rounds.round(WaitingWork(rows=1))
    assert rounds.on_demand.desired == 1


def test_workers_that_keep_up_with_a_steady_load_stay() -> None:
    """Nothing waits then, and two of them would not do."""
    rounds = Rounds(on_demand=running(3))
    for _ in range(400):
        rounds.totals = rounds.totals._replace(rows=rounds.totals.rows + 5 * 2_200)
        rounds.round(WaitingWork(rows=500))
    assert set(rounds.log) == {Counts(3, 0)}


def test_after_ten_idle_minutes_sleep_is_announced_and_begins_a_round_later() -> None:
    rounds = Rounds(on_demand=running(4))
    rounds.rest(595)
    assert not rounds.asleep
    assert rounds.on_demand.desired >= 1
    rounds.rest(10)
    assert (rounds.asleep, rounds.on_demand.desired >= 1) == (True, True)
    rounds.round()
    assert (rounds.asleep, rounds.on_demand.desired) == (True, 0)


def test_a_post_between_announcement_and_sleep_keeps_the_worker() -> None:
    rounds = Rounds(on_demand=running(1))
    while not rounds.asleep:
        rounds.round()
    rounds.asleep = False  # a caller has woken them
    assert rounds.round().counts.total == 1
    assert rounds.rest(590).counts.total == 1


def test_a_wake_whose_job_was_canceled_is_kept_for_ten_minutes() -> None:
    rounds = Rounds()
    rounds.rest(20)
    rounds.asleep, rounds.on_demand = False, running(1)
    assert rounds.rest(590).counts.total == 1
    rounds.rest(30)
    assert rounds.on_demand.desired == 0


def test_warm_workers_never_sleep() -> None:
    rounds = Rounds(limits=WARM, on_demand=running(1))
    rounds.rest(7_200)
    assert set(rounds.log) == {Counts(1, 0)}
    assert not rounds.asleep


def test_when_the_warm_hours_begin_workers_come_without_work() -> None:
    rounds = Rounds()
    rounds.rest(60)
    rounds.limits = WARM._replace(least=2)
    assert rounds.round().counts.total == 2


def test_nothing_goes_down_in_a_deployment_and_more_is_still_asked_for() -> None:
    rounds = Rounds(on_demand=running(4)._replace(deploying=True))
    rounds.rest(3_600)
    assert rounds.on_demand.desired == 4
    assert not rounds.asleep
    assert rounds.round(WaitingWork(rows=600_000)).counts.total == 5


def test_spot_is_asked_first() -> None:
    rounds = Rounds(spot=ServiceCount())
    assert rounds.round(WaitingWork(rows=250_000)).counts == Counts(on_demand=0, spot=3)


def test_what_spot_does_not_give_in_two_minutes_is_asked_for_on_demand() -> None:
    rounds = Rounds(spot=ServiceCount())
    rounds.round(WaitingWork(rows=250_000))
    waited = 0.0
    while rounds.on_demand.desired == 0:
        rounds.spot = ServiceCount(3, 1)
        rounds.round(WaitingWork(rows=250_000))
        waited += 5
    assert SPOT_PATIENCE_SECONDS <= waited <= SPOT_PATIENCE_SECONDS + 10
    assert rounds.log[-1] == Counts(on_demand=2, spot=1)


def test_while_spot_is_short_all_are_asked_for_on_demand_and_later_spot_takes_over() -> None:
    state = KeeperState(busy_at=999_990, pace=PACE, spot_short_until=1_000_000 + SPOT_SHORT_SECONDS)
    rounds = Rounds(limits=WARM._replace(least=2), on_demand=running(2), spot=running(0), state=state)
    assert rounds.round().counts == Counts(2, 0)
    rounds.rest(SPOT_SHORT_SECONDS)
    assert rounds.log[-1] == Counts(on_demand=2, spot=2)  # until they run
    rounds.spot = running(2)
    assert rounds.round().counts == Counts(on_demand=0, spot=2)


@pytest.mark.parametrize("least", [0, 1])
def test_a_deployment_does_not_wait_for_what_spot_does_not_give(least: int) -> None:
    rounds = Rounds(limits=WARM._replace(least=least), spot=ServiceCount(1, 0, deploying=True))
    for _ in range(200):
        rounds.spot = ServiceCount(rounds.spot.desired if rounds.spot else 0, 0, deploying=True)
        rounds.round()
    assert rounds.log[-1].spot == 0
    assert rounds.log[-1].on_demand >= least


def test_the_pace_is_learned_from_workers_that_have_enough_to_do() -> None:
    observed = Observation(now=1, pace=WorkerPace(10, 0, 0), on_demand=running(1))
    alone = decide(observed, KeeperState(pace=PACE), SLEEPY).state.pace
    assert alone == PACE
    loaded = decide(
        observed._replace(work=WaitingWork(rows=5_000)), KeeperState(pace=PACE), SLEEPY
    ).state.pace
    assert loaded == WorkerPace(rows=505, explained=10, chunks=1)


def test_a_clock_that_was_set_back_begins_everything_anew() -> None:
    rounds = Rounds(on_demand=running(2))
    rounds.rest(60)
    rounds.now -= 86_400
    assert rounds.rest(590).counts.total >= 1
    rounds.rest(30)
    assert rounds.on_demand.desired == 0


amounts = st.floats(0, 1e9)
totals = st.builds(Totals, amounts, amounts, amounts, amounts)
whole = st.integers(0, 10**7)
counts = st.builds(ServiceCount, st.integers(0, 20), st.integers(0, 20), st.booleans())
works = st.builds(WaitingWork, whole, whole, st.integers(0, 10**4))
states = st.builds(
    KeeperState,
    busy_at=st.floats(0, 2e6),
    totals=totals,
    pace=st.just(PACE),
    window_at=st.floats(0, 2e6),
    window_totals=totals,
    most=st.integers(0, 10),
    most_before=st.integers(0, 10),
    sleeping=st.booleans(),
    spot_waits_since=st.floats(0, 2e6),
    spot_short_until=st.floats(0, 2e6),
    reported_at=st.floats(0, 2e6),
    reported_rows=amounts,
    rounds=st.integers(0, 100),
)
sights = st.builds(
    Observation,
    now=st.floats(1, 2e6),
    asleep=st.booleans(),
    work=works,
    busy=st.booleans(),
    totals=totals,
    pace=st.just(PACE) | st.just(WorkerPace(0, 0, 0)),
    on_demand=counts,
    spot=st.none() | counts,
)


@given(sights, states, st.integers(0, 5))
def test_every_decision_keeps_to_the_limits(observed: Observation, state: KeeperState, least: int) -> None:
    decision = decide(observed, state, Limits(least, 10))
    if not observed.deploying and not decision.asleep:
        on_the_way = (
            observed.on_demand.desired if observed.spot else 0
        )  # what runs until Spot has given as much
        assert least <= decision.counts.total <= 10 + on_the_way
    if observed.deploying:
        stays = observed.desired
        if observed.spot and observed.now < decision.state.spot_short_until:
            stays = stays._replace(spot=min(stays.spot, observed.spot.running))
        assert all(new >= old for new, old in zip(decision.counts, stays, strict=True))
    if observed.busy:
        assert decision.counts.total >= 1
        assert not decision.asleep
    assert KeeperState.decode(decision.state.encode()) == decision.state


@given(works, works)
def test_more_work_never_needs_fewer_workers(some: WaitingWork, more: WaitingWork) -> None:
    both = WaitingWork(*(a + b for a, b in zip(some, more, strict=True)))
    assert workers_for(both, PACE, 120) >= workers_for(some, PACE, 120)


@pytest.mark.parametrize(
    "text",
    [
        b"",
        b"{",
        b"[1]",
        b"[2, 0, [], [], 0, []]",
        b'[1,"a",[],[],0,[]]',
        b"[1,1,[0,0,0,0],[0,0,0],0,[]]",
        b"\xff",
    ],
)
def test_a_state_that_cannot_be_read_is_as_none(text: bytes) -> None:
    assert KeeperState.decode(text) == KeeperState()
