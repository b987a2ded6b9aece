"""The rows that kill workers are found by few losses, and all others are scored."""

from collections.abc import Sequence

import pytest

from worker.tables.bisect import FIRST_SLICE, LOST, Bisection
from worker.tables.score import all_at_once, give_up_all

ROWS = 40_000


def lost_with(killers: Sequence[int], lost: Sequence[range]) -> range | None:
    """The slice that the next worker is lost with; None if it scores all rows but the killers."""
    noted: list[range | None] = []
    given_up: list[int] = []
    scored: list[int] = []
    for piece in range(0, ROWS, 30_000):  # a chunk may be read in pieces
        for some, reason in Bisection(lost, noted.append).slices(piece, min(30_000, ROWS - piece)):
            rows = range(piece + some.start, piece + some.stop)
            (given_up if reason else scored).extend(rows)
            if not reason and any(killer in rows for killer in killers):
                assert noted[-1] == rows
                return rows
        assert noted[-1] is None
    assert (given_up, len(scored)) == (list(killers), ROWS - len(killers))
    return None


@pytest.mark.parametrize("killers", [[0], [ROWS - 1], [29_999, 30_000], [7, 8, 1030, 20_000]])
def test_three_losses_find_a_row(killers: list[int]) -> None:
    lost: list[range] = []
    while found := lost_with(killers, lost):
        assert found not in lost
        lost.append(found)
    assert len(lost) <= 3 * len(killers)


def test_a_slice_that_was_lost_by_chance_is_scored_after_all() -> None:
    assert lost_with([], [range(FIRST_SLICE), range(32, 64)]) is None


def test_a_chunk_is_scored_at_once_or_given_up_as_a_whole() -> None:
    assert list(all_at_once(5, 10)) == [(range(10), "")]
    [(rows, reason)] = give_up_all(5, 10)
    assert (rows, bool(reason), reason != LOST) == (range(10), True, True)
