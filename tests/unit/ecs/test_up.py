"""What `up` refuses, and what it says about time."""

from typing import Any

import pytest

from ecs import up
from ecs.changes import ResourceChange
from ecs.durations import describe, elapsed, parse_duration
from ecs.errors import InvalidUsage
from ecs.screen import Screen


class NamedStack:
    name = "paygrade-app"


def lost(action: str = "remove") -> list[ResourceChange]:
    return [ResourceChange(action, "FileSystem", "AWS::EFS::FileSystem", "")]


@pytest.mark.parametrize("action", ["remove", "replace", "may replace"])
def test_a_change_that_loses_data_needs_an_option_of_its_own(action: str) -> None:
    stack: Any = NamedStack()
    with pytest.raises(InvalidUsage, match="loses the data in FileSystem") as refused:
        up.check_data_is_kept(stack, lost(action), lose_jobs=False)
    assert "--lose-jobs" in refused.value.next_step
    up.check_data_is_kept(stack, lost(action), lose_jobs=True)
    up.check_data_is_kept(stack, lost("change"), lose_jobs=False)


def test_each_step_says_how_long_it_took(capsys: pytest.CaptureFixture[str]) -> None:
    with up.timed(Screen(), "images"):
        pass
    assert capsys.readouterr().out == "images: 0 s\n"


def test_a_step_that_fails_says_nothing_about_time(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(ZeroDivisionError), up.timed(Screen(), "images"):
        _ = 1 / 0
    assert not capsys.readouterr().out


@pytest.mark.parametrize(
    ("seconds", "text"), [(0.4, "0 s"), (59.4, "59 s"), (60, "1 min 0 s"), (432, "7 min 12 s")]
)
def test_elapsed_time_is_in_minutes_and_seconds(seconds: float, text: str) -> None:
    assert elapsed(seconds) == text


@pytest.mark.parametrize(("text", "seconds"), [("90s", 90), ("10m", 600), ("6h", 21_600), ("7d", 604_800)])
def test_a_duration_reads_back_as_it_was_given(text: str, seconds: int) -> None:
    assert parse_duration(text, "--retention") == seconds
    assert describe(seconds) == text


@pytest.mark.parametrize("text", ["", "10", "m", "1.5h", "-1h", "10 m", "1w"])
def test_what_is_no_duration_is_refused_with_an_example(text: str) -> None:
    with pytest.raises(InvalidUsage, match="--retention") as refused:
        parse_duration(text, "--retention")
    assert "--retention 10m" in refused.value.next_step
