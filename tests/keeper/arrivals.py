"""What callers post, and when."""

from functools import partial

from tests.keeper.backlog import Job
from tests.keeper.world import World

STEP_SECONDS = 10.0
"""A steady load comes in pieces of so many seconds."""


def poisson(world: World, gap: float, until: float) -> None:
    """Single rows, at random moments, `gap` seconds apart on average."""
    end = world.timeline.now + until

    def next_one() -> None:
        if world.timeline.now < end:
            world.post()
            world.timeline.after(world.timeline.chance.expovariate(1 / gap), next_one)

    world.timeline.after(world.timeline.chance.expovariate(1 / gap), next_one)


def bursts(world: World, every: float, rows: float, until: float) -> list[Job]:
    """As many rows at once; the list fills with their jobs."""
    jobs: list[Job] = []
    for number in range(1, int(until / every)):
        world.timeline.after(number * every, lambda: jobs.append(world.post(rows)))
    return jobs


def by_the_hour(world: World, rows_per_second: list[float]) -> None:
    """A load for each hour from now on, which varies by a third."""
    for hour, rate in enumerate(rows_per_second):
        for step in range(int(3_600 / STEP_SECONDS)):
            rows = rate * STEP_SECONDS * world.timeline.chance.uniform(0.67, 1.33)
            if rows:
                world.timeline.after(hour * 3_600 + step * STEP_SECONDS, partial(_post, world, rows))


def _post(world: World, rows: float) -> None:
    world.post(rows)
