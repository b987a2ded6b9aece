"""The keeper's memory in Redis: one round at a time, and one waker at a time."""

import pytest

from jobs.keeper.state import KeeperState, Totals
from jobs.keeper.store import FIRST_START_SECONDS, ROUND_EVERY_MS, KeeperRound, KeeperStore, Sleep
from jobs.predictions.consumer import PredictionConsumer
from tests.unit.conftest import Clock, living
from tests.unit.in_memory import MemoryRedis


@pytest.fixture
def memory(redis: MemoryRedis) -> KeeperStore:
    return KeeperStore(redis)


def begun(memory: KeeperStore) -> KeeperRound:
    round_ = memory.begin()
    assert round_
    return round_


def put_to_sleep(memory: KeeperStore, clock: Clock) -> None:
    assert memory.finish(begun(memory), Sleep(asleep=True), KeeperState())
    clock.forward(ROUND_EVERY_MS / 1000)


def test_one_of_all_processes_has_the_round_and_any_has_the_next(memory: KeeperStore, clock: Clock) -> None:
    first = begun(memory)
    assert memory.begin() is None
    clock.forward(ROUND_EVERY_MS / 1000 - 0.1)
    assert memory.begin() is None
    clock.forward(0.2)  # the first has died: that costs nothing
    assert begun(memory).number == first.number + 1


def test_a_clock_that_was_set_back_does_not_stop_the_rounds(memory: KeeperStore, clock: Clock) -> None:
    begun(memory)
    clock.forward(-86_400)
    assert memory.begin()


def test_what_a_round_leaves_is_what_the_next_finds(memory: KeeperStore, clock: Clock) -> None:
    state = KeeperState(busy_at=12.5, totals=Totals(rows=3), most=4, sleeping=True)
    sleep = Sleep(asleep=True, requested_at=1_000.25, start_seconds=31.5)
    assert memory.finish(begun(memory), sleep, state)
    clock.forward(6)
    found = begun(memory)
    assert (found.sleep, found.state) == (sleep, state)
    assert memory.read()[1:] == (sleep, state)


def test_a_round_that_took_too_long_changes_nothing(memory: KeeperStore, clock: Clock) -> None:
    late = begun(memory)
    clock.forward(6)
    begun(memory)
    assert not memory.finish(late, Sleep(asleep=True), KeeperState(most=9))
    assert memory.read().state == KeeperState()


def test_only_the_first_of_many_callers_wakes_the_workers(memory: KeeperStore, clock: Clock) -> None:
    assert not memory.wake()  # they are awake
    put_to_sleep(memory, clock)
    assert [memory.wake() for _ in range(3)] == [True, False, False]


def test_a_round_that_overlaps_with_a_wake_does_not_put_them_to_sleep(
    memory: KeeperStore, clock: Clock
) -> None:
    put_to_sleep(memory, clock)
    round_ = begun(memory)
    memory.wake()
    assert not memory.finish(round_, Sleep(asleep=True), KeeperState(sleeping=True))
    assert not memory.read().sleep.asleep


def test_the_start_counts_from_the_wake(memory: KeeperStore, clock: Clock) -> None:
    put_to_sleep(memory, clock)
    memory.wake()
    now, sleep, _ = memory.read()
    assert sleep.requested_at == pytest.approx(now, abs=0.1)
    assert sleep.seconds_left(now + 15) == pytest.approx(FIRST_START_SECONDS - 15, abs=0.1)
    assert sleep.seconds_left(now + 100) == 1


def test_a_worker_that_has_not_stopped_yet_is_no_start(
    memory: KeeperStore, consumer: PredictionConsumer, clock: Clock
) -> None:
    put_to_sleep(memory, clock)
    consumer.report_alive(living("host:1:2"))
    assert memory.wake()
    assert memory.read().sleep.requested_at is None


def test_what_somebody_else_has_written_there_is_as_nothing(
    memory: KeeperStore, redis: MemoryRedis, clock: Clock
) -> None:
    fields = ("begun_at", "round", "asleep", "requested_at", "start_ms", "state")
    redis.hset("keeper", mapping=dict.fromkeys(fields, b"\xffno number"))
    redis.set("queue:explanations:added", "many")
    round_ = begun(memory)
    assert round_[2:] == (Sleep(), KeeperState(), 0)
    assert memory.read()[1:] == (Sleep(), KeeperState())
    assert memory.finish(round_, Sleep(asleep=True), KeeperState())
    assert memory.wake()
