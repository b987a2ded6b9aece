"""Days of sleeping and waking, simulated with the keeper's own code. The guide promises the figures."""

import statistics
from collections.abc import Iterator
from datetime import datetime
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest

from tests.keeper.arrivals import bursts, by_the_hour, poisson
from tests.keeper.backlog import Job
from tests.keeper.cluster import CALL_SECONDS, FARGATE_START_SECONDS
from tests.keeper.world import DETECTION_SECONDS, REFRESH_SECONDS, ROUND_SECONDS, Scene, World
from web.keeper.need import DOWN_AFTER_SECONDS, SPOT_PATIENCE_SECONDS

LONGEST_START = FARGATE_START_SECONDS[1]
MINUTE, HOUR, DAY = 60.0, 3_600.0, 86_400.0


def cold_arrivals(world: World, number: int) -> Iterator[Job]:
    """Each comes when the workers sleep, or are about to, at a random moment after the last."""
    for _ in range(number):
        job = world.post()
        while job.done_at is None:
            world.timeline.run(10)
        yield job
        world.timeline.run(world.timeline.chance.uniform(0.5, 5) * world.scene.idle)


def seconds_of_ours(world: World, number: int) -> list[float]:
    return [world.tally.ours(job) for job in cold_arrivals(world, number) if job.asleep]


@pytest.mark.parametrize(
    "number", [1_000, pytest.param(13_000, marks=[pytest.mark.slow, pytest.mark.timeout(1_200)])]
)
def test_what_is_ours_of_a_cold_start_takes_three_seconds(number: int) -> None:
    world = World(Scene(seed=1, idle=60))
    ours = seconds_of_ours(world, number)
    assert len(ours) > 0.75 * number
    assert statistics.quantiles(ours, n=1_000)[-1] <= 3
    assert max(ours) <= 10


def test_with_refused_calls_it_takes_ten_at_most() -> None:
    world = World(Scene(seed=2, idle=60))
    world.ecs.throttled = 0.02
    took = seconds_of_ours(world, 1_000)
    assert world.refused > 100
    assert max(took) <= 10


def test_with_processes_that_die_while_they_wake_or_keep_it_takes_ten_at_most() -> None:
    world = World(Scene(seed=3, idle=60))
    took = []
    for number, job in enumerate(cold_arrivals(world, 1_000)):
        if job.asleep:
            took.append(world.tally.ours(job))
        if number % 10 == 3:
            world.ecs.caller_dies = True  # whoever asks next, after it has said that it does
        if number % 10 == 7:
            world.webs[0].dies_in_round = True
    assert world.deaths > 100
    assert max(took) <= 10


def test_one_message_starts_one_worker_by_one_call() -> None:
    world = World(Scene())
    world.timeline.run(MINUTE)
    for _ in range(50):
        world.post()
    world.timeline.run(5 * MINUTE)
    assert [count for _, count in world.ecs.history] == [1]
    assert len(world.tally.starts) == 1


def test_work_that_no_post_announces_wakes_them_within_a_second() -> None:
    world = World(Scene(seed=15, idle=60))
    for _ in range(100):
        world.timeline.run(world.timeline.chance.uniform(2, 5) * MINUTE)
        assert world.ecs.desired == 0
        job = world.add()
        world.timeline.run(REFRESH_SECONDS + DETECTION_SECONDS + CALL_SECONDS[1])
        assert world.ecs.desired == 1
        world.timeline.run(2 * MINUTE)
        assert job.done_at


def test_nobody_works_while_nothing_comes() -> None:
    world = World(Scene(seed=3))
    poisson(world, gap=40 * MINUTE, until=2 * DAY)
    world.timeline.run(3 * DAY)
    assert world.tally.idle_with_workers <= world.scene.idle + 4 * ROUND_SECONDS
    assert world.ecs.desired == 0
    assert not world.ecs.living
    used = sum(job.done_at is not None for job in world.tally.jobs)
    assert world.ecs.task_seconds <= used * (world.scene.idle + LONGEST_START + 60)


def test_messages_that_come_every_few_minutes_keep_their_worker() -> None:
    """Each would otherwise wait for a start, and pay for one."""
    world = World(Scene(seed=4))
    poisson(world, gap=90.0, until=DAY)
    world.timeline.run(DAY)
    assert len(world.tally.starts) <= 5
    waits = [job.done_at - job.posted_at for job in world.tally.jobs if job.done_at]
    assert statistics.median(waits) < 1


@pytest.mark.parametrize("seed", range(5))
def test_two_million_rows_are_drained_in_time(seed: int) -> None:
    world = World(Scene(seed=seed))
    world.timeline.run(HOUR)
    jobs = [world.post(1_000) for _ in range(2_000)]
    world.timeline.run(30 * MINUTE)
    took = max((job.done_at or 1e12) - job.posted_at for job in jobs)
    assert took <= 1.3 * world.scene.within + LONGEST_START + world.scene.boot_seconds
    world.timeline.run(30 * MINUTE)
    assert world.ecs.desired == 0


@pytest.mark.parametrize(("backlog", "amount"), [("explained", 20_000.0), ("chunks", 300.0)])
def test_explanations_and_files_are_drained_in_time_by_their_own_pace(backlog: str, amount: float) -> None:
    world = World(Scene(seed=5))
    world.timeline.run(HOUR)
    job = world.post(amount, getattr(world, backlog))
    world.timeline.run(30 * MINUTE)
    assert job.done_at
    assert job.done_at - job.posted_at <= 1.3 * world.scene.within + LONGEST_START + world.scene.boot_seconds


def test_a_pace_that_was_guessed_wrong_is_learned() -> None:
    """The model is a tenth as fast as the first guess: the second burst finds as many workers as it needs."""
    world = World(Scene(seed=6, rows=500, most=40))
    world.timeline.run(HOUR)
    for _ in range(2):
        job = world.post(1_000_000)
        world.timeline.run(2 * HOUR)
    assert job.done_at
    assert job.done_at - job.posted_at <= 1.3 * world.scene.within + LONGEST_START + world.scene.boot_seconds


def test_a_steady_load_finds_its_number_of_workers_and_keeps_it() -> None:
    world = World(Scene(seed=7))
    by_the_hour(world, [12_000.0] * 24)  # rows a second: three workers are needed
    world.timeline.run(DAY)
    late = [count for at, count in world.ecs.history if at > world.timeline.now - 20 * HOUR]
    assert len(late) <= 2, late
    assert 3 <= world.ecs.desired <= 5


def test_days_and_nights_are_followed_without_flapping() -> None:
    night_and_day = (
        [0.0] * 7 + [2_000.0, 8_000.0, 20_000.0, 20_000.0, 12_000.0, 20_000.0] + [8_000.0] * 5 + [500.0] * 6
    )
    world = World(Scene(seed=8))
    by_the_hour(world, night_and_day * 3)
    world.timeline.run(3 * DAY)
    waits = sorted(job.done_at - job.posted_at for job in world.tally.jobs if job.done_at)
    assert waits[-1] <= 1.3 * world.scene.within + LONGEST_START + world.scene.boot_seconds
    assert turns(world) <= 3 * 12
    ideal = 3 * sum(night_and_day) * HOUR / world.scene.rows
    assert world.ecs.task_seconds <= 2.5 * ideal


def turns(world: World) -> int:
    """How often the number of workers went down after it had gone up, or up after down."""
    counts = [0, *(count for _, count in world.ecs.history)]
    steps = [after - before for before, after in pairwise(counts) if after != before]
    return sum((a > 0) != (b > 0) for a, b in pairwise(steps))


def test_bursts_are_served_and_do_not_leave_workers_behind() -> None:
    world = World(Scene(seed=9))
    jobs = bursts(world, every=2 * HOUR, rows=400_000, until=2 * DAY)
    world.timeline.run(2 * DAY + HOUR)
    late = 1.3 * world.scene.within + LONGEST_START + world.scene.boot_seconds
    assert max((job.done_at or 1e12) - job.posted_at for job in jobs) <= late
    assert world.ecs.desired == 0
    assert world.ecs.task_seconds <= len(jobs) * 15 * MINUTE


def test_spot_that_stays_pending_is_replaced_on_demand_after_two_minutes() -> None:
    world = World(Scene(seed=10))
    world.ecs.has_spot = False
    world.timeline.run(HOUR)
    job = world.post()
    world.timeline.run(10 * MINUTE)
    assert job.done_at
    waited = job.done_at - job.posted_at
    assert waited >= SPOT_PATIENCE_SECONDS
    assert waited <= SPOT_PATIENCE_SECONDS + 2 * ROUND_SECONDS + LONGEST_START + world.scene.boot_seconds + 3
    world.timeline.run(20 * MINUTE)
    assert world.ecs.desired == 0
    second = world.post()  # Spot is not asked again so soon
    world.timeline.run(2 * MINUTE)
    assert second.done_at
    assert second.done_at - second.posted_at <= LONGEST_START + world.scene.boot_seconds + 3


def test_workers_that_spot_takes_away_come_back_on_demand_and_later_on_spot() -> None:
    world = World(Scene(seed=11, least=2))
    world.timeline.run(HOUR)
    world.ecs.reclaim_spot()
    world.timeline.run(5 * MINUTE)
    assert (world.ecs.on_demand.desired, len(world.ecs.living)) == (2, 2)
    world.ecs.bring_spot_back()
    world.timeline.run(HOUR)
    assert world.ecs.spot
    assert (world.ecs.on_demand.desired, world.ecs.spot.desired, len(world.ecs.living)) == (0, 2, 2)


def test_warm_hours_begin_before_the_first_message() -> None:
    berlin = ZoneInfo("Europe/Berlin")
    world = World(Scene(seed=12, least=1, warm="Mon-Fri 08-18 Europe/Berlin"))
    world.timeline.run(datetime(2026, 11, 30, 7, 59, tzinfo=berlin).timestamp() - world.timeline.now)
    assert not world.ecs.living
    world.timeline.run(3 * MINUTE)
    assert len(world.ecs.living) == 1
    world.timeline.run(datetime(2026, 11, 30, 18, 20, tzinfo=berlin).timestamp() - world.timeline.now)
    assert not world.ecs.living


def test_a_deployment_never_takes_workers_away() -> None:
    world = World(Scene(seed=13))
    world.timeline.run(HOUR)
    world.post(2_000_000)
    world.timeline.run(3 * MINUTE)
    before = world.ecs.desired
    world.ecs.deploying = True
    world.timeline.run(2 * HOUR)
    assert world.ecs.desired >= before > 1
    world.ecs.deploying = False
    world.timeline.run(2 * DOWN_AFTER_SECONDS + MINUTE)
    assert world.ecs.desired == 0


def test_a_seed_is_the_same_every_time() -> None:
    histories = []
    for _ in range(2):
        world = World(Scene(seed=14))
        poisson(world, gap=5 * MINUTE, until=DAY)
        world.timeline.run(DAY)
        histories.append(world.ecs.history)
    assert histories[0] == histories[1]
