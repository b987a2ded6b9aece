"""The command line refuses what web would refuse, and counts the warm hours as web keeps them."""

from argparse import ArgumentParser, Namespace

import pytest
from pydantic import ValidationError

from ecs.errors import InvalidUsage
from ecs.keeping import add_keeping_options, check_keeping, keeping_parameters, warm_share
from jobs.keeper.hours import WarmHours
from jobs.settings import Settings

HOURS = [
    "always",
    "never",
    "Mon-Fri 08-18 Europe/Berlin",
    "Sat 22:30-06 America/New_York",
    "Fri-Mon 00-24 UTC",
    "Mon-Fri 08-12 UTC, Mon-Fri 13-17:15 UTC",
]
NO_HOURS = [
    "",
    "soon",
    "Mon-Fri 08-18",
    "Mon 08-08 UTC",
    "Mon 08-25 UTC",
    "Mon 08-18 Europe/Berlim",
    "mo 8-9 UTC",
]
MINUTES_OF_A_WEEK = 7 * 24 * 60


def options(*arguments: str) -> Namespace:
    parser = ArgumentParser()
    add_keeping_options(parser.add_argument_group())
    return parser.parse_args(arguments)


@pytest.mark.parametrize("warm", HOURS)
def test_hours_that_web_accepts_are_accepted_and_counted(warm: str) -> None:
    assert keeping_parameters(options("--warm", warm))["Warm"] == warm
    hours = WarmHours(Settings(warm=warm).warm)
    minutes = sum(hours.include(1_795_300_800 + 60 * minute) for minute in range(MINUTES_OF_A_WEEK))
    assert warm_share(warm) == pytest.approx(minutes / MINUTES_OF_A_WEEK)


@pytest.mark.parametrize("warm", NO_HOURS)
def test_hours_that_web_refuses_are_refused(warm: str) -> None:
    with pytest.raises(InvalidUsage, match="DAYS HOURS ZONE"):
        keeping_parameters(options("--warm", warm))
    with pytest.raises(ValidationError):
        Settings(warm=warm)


@pytest.mark.parametrize(
    "arguments", [("--least", "-1"), ("--most", "0"), ("--within", "0"), ("--most", "5001")]
)
def test_numbers_that_make_no_sense_are_refused(arguments: tuple[str, str]) -> None:
    with pytest.raises(InvalidUsage):
        keeping_parameters(options(*arguments))


def test_the_least_may_not_be_more_than_the_most_that_is_set_already() -> None:
    check_keeping({"LeastWorkers": "10"})
    with pytest.raises(InvalidUsage, match="--least 3 is more than --most 2"):
        check_keeping({"LeastWorkers": "3", "MostWorkers": "2"})
