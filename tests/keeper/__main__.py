"""Prints what a day of each kind of arrivals costs, and how long callers wait: `python -m tests.keeper`."""

import argparse
from collections.abc import Callable

from tests.keeper.arrivals import bursts, by_the_hour, poisson
from tests.keeper.world import Scene, World

HOUR, DAY = 3_600.0, 86_400.0
COLUMNS = ("jobs", "starts", "most", "hours", "median s", "longest s")
OFFICE = [0.0] * 8 + [8_000.0] * 10 + [0.0] * 6
KINDS: dict[str, Callable[[World], object]] = {
    "nothing": lambda world: None,
    "a row every hour": lambda world: poisson(world, HOUR, DAY - HOUR),
    "a row every minute": lambda world: poisson(world, 60, DAY - HOUR),
    "400,000 rows every two hours": lambda world: bursts(world, 2 * HOUR, 400_000, DAY),
    "2,000,000 rows once": lambda world: bursts(world, 12 * HOUR, 2_000_000, DAY),
    "8,000 rows a second from 8 to 18": lambda world: by_the_hour(world, OFFICE),
    "a row every hour, and no Spot": lambda world: without_spot(world),
    "a row every hour, and a tenth of the calls refused": lambda world: with_refusals(world),
}


def without_spot(world: World) -> None:
    world.ecs.has_spot = False
    poisson(world, HOUR, DAY - HOUR)


def with_refusals(world: World) -> None:
    world.ecs.throttled = 0.1
    poisson(world, HOUR, DAY - HOUR)


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.keeper", description=__doc__)
    parser.add_argument("--seed", type=int, default=0)
    seed = parser.parse_args().seed
    print(f"{'arrivals':<52}", *(f"{name:>9}" for name in COLUMNS))
    for kind, begin in KINDS.items():
        world = World(Scene(seed=seed))
        begin(world)
        world.timeline.run(DAY)
        print(f"{kind:<52}", *(f"{value:>9}" for value in _row(world)))


def _row(world: World) -> tuple[float, ...]:
    waits = sorted(job.done_at - job.posted_at for job in world.tally.jobs if job.done_at) or [0.0]
    most = max((count for _, count in world.ecs.history), default=0)
    hours = round(world.ecs.task_seconds / HOUR, 1)
    median, longest = round(waits[len(waits) // 2], 1), round(waits[-1], 1)
    return len(world.tally.jobs), len(world.tally.starts), most, hours, median, longest


if __name__ == "__main__":
    main()
