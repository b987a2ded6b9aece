"""The answer: its headline, its interval, and what the bars add up to."""

from math import log
from typing import Any

import pytest

from web.page.answers import AnswerView, ContributionScale, view
from web.page.writing import MINUS


def answer(output: dict[str, Any], **model: Any) -> AnswerView:
    return view({"unit": "euros", "quantiles": [], **model}, output, {})


@pytest.mark.parametrize(
    ("output", "headline", "unit"),
    [
        ({"prediction": 260.00012}, "260.00012", "euros"),
        ({"prediction": 1234567.891234}, "1234568", "euros"),
        ({"prediction": 1, "probability": 0.75}, "75 %", ""),
        ({"prediction": 1, "label": "yes", "probability": 0.75}, "yes", ""),
        ({"prediction": {"height": 1.5, "weight": 60}}, "1.5, 60", "euros"),
    ],
)
def test_the_headline_is_what_a_person_asked_for(output: dict[str, Any], headline: str, unit: str) -> None:
    shown = answer(output)
    assert (shown.headline, shown.unit) == (headline, unit)


def test_an_interval_says_how_often_it_should_hold() -> None:
    shown = answer({"prediction": 5, "interval": [2, 8.5]}, quantiles=[0.05, 0.5, 0.95])
    assert (shown.interval, shown.share_within) == (("2", "8.5"), "90")
    assert shown.spoken == "5 euros, between 2 and 8.5"


def test_bars_end_at_the_prediction() -> None:
    shown = answer({"prediction": 12, "base": 10, "contributions": {"a": 3, "b": -1}})
    assert shown.bars is not None
    assert shown.scale is ContributionScale.PREDICTION
    assert [shown.added(bar.amount) for bar in shown.bars.bars] == ["+3", f"{MINUS}1"]
    assert (shown.end(shown.bars.base), shown.end(shown.bars.margin)) == ("10", "12")


def test_of_a_logarithm_they_say_by_how_many_percent() -> None:
    shown = answer({"prediction": 15, "base": log(10), "contributions": {"a": log(2), "b": log(0.75)}})
    assert shown.bars is not None
    assert shown.scale is ContributionScale.LOGARITHM
    assert [shown.added(bar.amount) for bar in shown.bars.bars] == ["+100 %", f"{MINUS}25 %"]
    assert (shown.end(shown.bars.base), shown.end(shown.bars.margin)) == ("10", "15")


@pytest.mark.parametrize("base", [0.5, 5_000])
def test_of_another_scale_they_say_so(base: float) -> None:
    assert answer({"prediction": 1, "base": base, "contributions": {"a": 1}}).scale is ContributionScale.OTHER


def test_the_likeliest_class_comes_first() -> None:
    shown = answer({"prediction": 1, "label": "b", "probabilities": {"a": 0.25, "b": 0.75}})
    assert [(score.name, score.value) for score in shown.scores] == [("b", "75 %"), ("a", "25 %")]
