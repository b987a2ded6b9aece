"""A claim takes about half a second of work."""

import pytest

from worker.measurements import FEWEST_ROWS, MOST_ROWS, Pace


@pytest.mark.parametrize(("rows_a_second", "wanted"), [(2_000, 1_000), (10, 5), (20_000, 10_000)])
def test_the_pace_follows_the_measured_rate(rows_a_second: int, wanted: int) -> None:
    pace = Pace()
    for rows in (10, 500, 3) * 20:
        pace.measured(rows, rows / rows_a_second)
    assert pace.rows == pytest.approx(wanted, abs=1)


def test_claim_seconds_sets_how_long_a_claim_takes() -> None:
    pace = Pace(first_rows=10, claim_seconds=0.1)
    assert pace.rows == 10
    pace.measured(10, 0.01)
    assert (pace.rows, pace.within(0.25)) == (100, 250)


def test_one_slow_call_changes_the_pace_a_little() -> None:
    pace = Pace()
    for seconds in (1.0, 1.0, 2.0):
        pace.measured(1_000, seconds)
    assert 400 < pace.rows < 500


@pytest.mark.parametrize(("seconds", "rows"), [(0.0, MOST_ROWS), (1e-9, MOST_ROWS), (60.0, FEWEST_ROWS)])
def test_a_claim_has_at_least_one_row_and_a_limit(seconds: float, rows: int) -> None:
    pace = Pace()
    pace.measured(1, seconds)
    assert pace.rows == rows
