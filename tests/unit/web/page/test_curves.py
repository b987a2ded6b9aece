"""The rows of a curve: round values over what training saw, and always the one that was entered."""

from dataclasses import replace
from typing import Any

import pytest

from web.page.curves import STEPS, draw_curve, measure, values_of_curve
from web.page.fields import Field, fields_of


def field(**feature: Any) -> Field:
    return fields_of({"features": [{"name": "x", "type": "number", **feature}]}, None)[0]


def test_a_number_moves_over_what_training_saw_and_through_what_was_entered() -> None:
    tried = values_of_curve(field(observed={"minimum": 0, "maximum": 10}), "3.33", [])
    assert tried is not None
    assert (tried.values[0], tried.values[-1]) == ("0", "10")
    assert tried.current is not None
    assert tried.values[tried.current] == "3.33"
    assert {"2.4", "5"} <= set(tried.values)
    assert len(tried.values) <= STEPS + 3


def test_it_moves_as_far_as_what_was_entered_beyond_training() -> None:
    tried = values_of_curve(field(observed={"minimum": 1, "maximum": 12}), "20", [])
    assert tried is not None
    assert tried.values[-1] == "20"


def test_an_integer_moves_by_whole_numbers() -> None:
    tried = values_of_curve(field(type="integer", observed={"minimum": 4, "maximum": 204}), "5", [])
    assert tried is not None
    assert all(value.isdecimal() for value in tried.values)
    assert len(tried.values) <= STEPS + 3


@pytest.mark.parametrize("value", ["1e30", "-1e-30", "0", "7"])
def test_a_number_of_which_nothing_is_known_moves_around_itself(value: str) -> None:
    tried = values_of_curve(field(), value, [])
    assert tried is not None
    assert len(tried.values) > 10


def test_examples_tell_where_to_move_when_training_does_not() -> None:
    tried = values_of_curve(field(), "5", [{"x": 2}, {"x": 9}])
    assert tried is not None
    assert (tried.values[0], tried.values[-1]) == ("2", "9")


def test_a_missing_number_is_no_point_of_the_curve() -> None:
    tried = values_of_curve(field(nullable=True, observed={"minimum": 0, "maximum": 1}), "", [])
    assert tried is not None
    assert tried.current is None


@pytest.mark.parametrize("value", ["many", "nan", "inf"])
def test_what_is_no_number_has_no_curve(value: str) -> None:
    assert values_of_curve(field(), value, []) is None


def test_choices_move_from_one_to_the_next() -> None:
    town = field(type="category", categories=["Bern", "Basel"], nullable=True)
    assert values_of_curve(town, "Basel", []) == (["Bern", "Basel"], 1, [])
    assert values_of_curve(town, "", []) == (["Bern", "Basel", ""], 2, [])
    assert values_of_curve(replace(town, nullable=False), "", []) is None


def test_a_curve_needs_a_score_for_each_row() -> None:
    numbers = field(observed={"minimum": 0, "maximum": 1})
    tried = values_of_curve(numbers, "0", [])
    assert tried is not None
    outputs = [{"prediction": 1.0} for _ in tried.values]
    assert draw_curve(numbers, tried, outputs) is not None
    assert draw_curve(numbers, tried, [{"error": {"detail": "no"}}, *outputs[1:]]) is None
    assert draw_curve(numbers, tried, []) is None


@pytest.mark.parametrize(
    ("output", "shown"),
    [
        ({"prediction": 2.5}, 2.5),
        ({"prediction": 1, "probability": 0.75}, 0.75),
        ({"prediction": 0, "label": "cat", "probabilities": {"cat": 0.6, "dog": 0.4}}, 0.6),
        ({"prediction": {"height": 1.5, "weight": 60}}, 1.5),
        ({"error": {"detail": "no"}}, None),
    ],
)
def test_a_curve_shows_a_probability_where_there_is_one(output: dict[str, Any], shown: float | None) -> None:
    assert measure(output, "cat") == shown
