"""When enough of what an owner keeps will have expired."""

import pytest

from jobs.queues.usage import Kept

NOW = 600.0
"""The beginning of the tenth minute since 1970."""
KEPT = Kept(((12, 1_000), (20, 3_000)))


@pytest.mark.parametrize(
    ("wanted", "seconds"),
    [
        (0, 120),
        (500, 150),  # within the minute, evenly
        (1_000, 180),
        (2_500, 630),
        (4_000, 660),
        (4_001, None),
    ],
)
def test_bytes_are_free_when_so_many_have_expired(wanted: int, seconds: int | None) -> None:
    assert KEPT.seconds_until_free(wanted, NOW) == seconds


def test_what_expires_now_is_free_in_a_second() -> None:
    assert KEPT.seconds_until_free(1_000, NOW + 1_000) == 1


def test_what_several_owners_keep_is_added_minute_by_minute() -> None:
    both = Kept.merge([KEPT, Kept(((11, 5), (20, 7)))])
    assert both == Kept(((11, 5), (12, 1_000), (20, 3_007)))
    assert both.size == 4_012
