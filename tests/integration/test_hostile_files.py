"""No file costs more than its share: each is scored or refused with a reason, and the child lives on."""

from collections.abc import Iterable
from itertools import islice

import pytest

from jobs.files.store import MIB
from tests.hostile.cost import SETTINGS, Cost, MeasuredChild
from tests.hostile.files import HostileFile, costly_files, damaged_files
from tests.integration.conftest import StartStack
from worker.limits import LEAST_BUDGET

ENDED = ("succeeded", "partially_succeeded", "failed", "400", "422")
FIXED_SECONDS, SECONDS_PER_MIB = 10, 3
"""CPU that a file may take: most of the fixed part is for a slow machine."""
KEPT = LEAST_BUDGET * 3 // 4
"""What a child may have afterwards, so that there is room for the next file."""
LONG_TEXTS = 3
"""The first of the costly files."""
FIXED_RESULTS, RESULTS_PER_BYTE = 700 * MIB, 200


@pytest.fixture
def child(start_stack: StartStack) -> MeasuredChild:
    """The only one of a worker, with the least memory that one may have."""
    stack = start_stack(SETTINGS | {"PAYGRADE_CHILD_MEMORY": str(LEAST_BUDGET)})
    stack.start_web()
    return MeasuredChild(stack, stack.ready(stack.start_worker()))


def costs_of(child: MeasuredChild, files: Iterable[HostileFile]) -> Iterable[tuple[HostileFile, Cost]]:
    for file in files:
        cost = child.cost_of(file)
        assert child.lives(), (file.name, cost)
        assert child.events() == set(), (file.name, cost)
        assert cost.status in ENDED, (file.name, cost)
        yield file, cost


@pytest.mark.timeout(300)
def test_a_long_text_in_each_row_takes_not_much_memory_time_or_room(child: MeasuredChild) -> None:
    check_costs(child, islice(costly_files(), LONG_TEXTS))


@pytest.mark.slow
@pytest.mark.timeout(3600)
def test_no_small_file_takes_much_memory_time_or_room(child: MeasuredChild) -> None:
    check_costs(child, costly_files())


def check_costs(child: MeasuredChild, files: Iterable[HostileFile]) -> None:
    for file, cost in costs_of(child, files):
        assert cost.peak <= LEAST_BUDGET, (file.name, cost)
        assert cost.kept <= KEPT, (file.name, cost)
        assert cost.cpu <= FIXED_SECONDS + SECONDS_PER_MIB * len(file.data) / MIB, (file.name, cost)
        assert cost.results <= FIXED_RESULTS + RESULTS_PER_BYTE * len(file.data), (file.name, cost)


@pytest.mark.timeout(900)
def test_a_damaged_file_is_scored_or_refused_with_a_reason(child: MeasuredChild) -> None:
    check_damaged(child, seed=1, number=150)


@pytest.mark.slow
@pytest.mark.timeout(3600)
def test_none_of_many_damaged_files_does_harm(child: MeasuredChild) -> None:
    check_damaged(child, seed=2, number=5_000)


def check_damaged(child: MeasuredChild, seed: int, number: int) -> None:
    for file, cost in costs_of(child, damaged_files(seed, number)):
        assert cost.peak <= LEAST_BUDGET, (file.name, cost)
        assert cost.status in ("succeeded", "partially_succeeded") or cost.error, (file.name, cost)
