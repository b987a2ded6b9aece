"""Many seeds, several at a time."""

from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from typing import NamedTuple

from tests.simulation.simulation import Plan, run


class Outcome(NamedTuple):
    seed: int
    accepted: int
    calls: int
    broken: list[str]


def outcomes(seeds: range, jobs: int) -> Iterator[Outcome]:
    """In the order of the seeds, whichever of the `jobs` processes runs them."""
    with ProcessPoolExecutor(jobs, get_context("spawn")) as pool:
        yield from pool.map(_outcome, seeds, chunksize=10)


def _outcome(seed: int) -> Outcome:
    report = run(Plan.of(seed))
    return Outcome(seed, report.accepted, report.calls, report.broken)
