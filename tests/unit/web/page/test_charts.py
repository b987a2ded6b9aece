"""The geometry of the charts: every bar, point and column is where its number is."""

import pytest

from web.page.charts import BINS, MOST_BARS, SIZE, contributions, curve, distribution
from web.page.writing import MINUS


def test_bars_lead_from_the_base_to_the_margin() -> None:
    chart = contributions({"base": 10, "contributions": {"small": -1, "large": 3}}, {"large": "7"})
    assert chart is not None
    assert [(bar.name, bar.value, bar.amount) for bar in chart.bars] == [("large", "7", 3), ("small", "", -1)]
    assert [(bar.start, bar.width) for bar in chart.bars] == [(0, 100), (66.667, 33.333)]
    assert (chart.base, chart.base_at, chart.margin) == (10, 0, 12)
    assert chart.margin_at == pytest.approx(66.667, abs=0.001)


def test_small_contributions_are_one_bar_so_that_the_sum_stays_true() -> None:
    given = {f"f{number}": 1 / (number + 1) for number in range(MOST_BARS + 5)}
    chart = contributions({"base": 0, "contributions": given}, {})
    assert chart is not None
    assert chart.bars[-1].name == "5 others"
    assert chart.margin == pytest.approx(sum(given.values()))


def test_a_contribution_of_nothing_still_has_a_bar_within_the_chart() -> None:
    chart = contributions({"base": 1, "contributions": {"a": 0, "b": 0}}, {})
    assert chart is not None
    assert all(bar.width > 0 and bar.start + bar.width <= SIZE for bar in chart.bars)


def test_without_contributions_there_are_no_bars() -> None:
    assert contributions({"prediction": 1}, {}) is None


def test_a_curve_shows_where_training_has_not_been() -> None:
    drawn = curve([0, 5, 10], ["0", "5", "10"], [(1, ()), (2, ()), (3, ())], 1, {"minimum": 2, "maximum": 8})
    assert drawn.unseen == [(0, 20), (80, 20)]
    assert [point.x for point in drawn.points] == [0, 50, 100]
    heights = [point.y for point in drawn.points]
    assert heights == sorted(heights, reverse=True), "a higher score is further up"


def test_a_curve_that_does_not_move_lies_in_the_middle() -> None:
    drawn = curve([0, 1], ["0", "1"], [(4, ()), (4, ())], None, None)
    assert {point.y for point in drawn.points} == {50}


def test_an_interval_is_a_band_around_the_curve() -> None:
    drawn = curve([0, 1], ["0", "1"], [(4, (3, 5)), (6, (5, 7))], 0, None)
    assert len(drawn.band.split()) == 4


def test_few_scores_are_counted_each_by_itself() -> None:
    assert [(each.label, each.rows) for each in distribution([1.5, 0.5, 1.5])] == [("0.5", 1), ("1.5", 2)]
    assert [(each.label, each.rows) for each in distribution(["no", "yes", "yes"])] == [("yes", 2), ("no", 1)]


def test_rare_texts_are_counted_together() -> None:
    columns = distribution([f"class {number}" for number in range(BINS + 3)])
    assert (columns[-1].label, columns[-1].rows) == ("3 others", 3)


def test_many_scores_are_counted_by_ranges_and_none_is_lost() -> None:
    columns = distribution([float(number) for number in range(1000)])
    assert sum(column.rows for column in columns) == 1000
    assert max(column.height for column in columns) == SIZE


def test_nothing_has_no_distribution() -> None:
    assert distribution([]) == []


def test_the_scale_of_what_is_never_negative_ends_at_zero() -> None:
    chances = curve([0, 1], ["0", "1"], [(0.001, ()), (0.66, ())], 0, None)
    changes = curve([0, 1], ["0", "1"], [(-0.5, ()), (0.5, ())], 0, None)
    assert (chances.y_labels[-1], changes.y_labels[-1]) == ("0", f"{MINUS}0.58")
