"""The options that say how many workers run, and when: web's keeper follows them."""

import argparse
import re
from collections.abc import Mapping
from zoneinfo import ZoneInfo

from ecs.errors import InvalidUsage

MAX_TASKS = 5_000
"""The most tasks that an ECS service can have."""
_DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
_DAY_MINUTES = 24 * 60
_TIME = r"(?:[01]?\d|2[0-4])(?::[0-5]\d)?"
_DAY = f"(?:{'|'.join(_DAYS)})"
_HOURS = re.compile(rf"{_DAY}(?:-{_DAY})? ({_TIME})-({_TIME}) (\S+)", re.IGNORECASE)


def add_keeping_options(group: argparse._ArgumentGroup) -> None:
    group.add_argument(
        "--warm",
        metavar="HOURS",
        help="when workers stay although nothing waits: always (the default), never, or as in "
        "Mon-Fri 08-18 Europe/Berlin",
    )
    group.add_argument("--least", type=int, metavar="N", help="workers in the warm hours (default: 1)")
    group.add_argument("--most", type=int, metavar="N", help="the most workers at any time (default: 10)")
    group.add_argument(
        "--within", type=int, metavar="SECONDS", help="how long work may wait for more workers (default: 120)"
    )
    group.add_argument(
        "--spot",
        action=argparse.BooleanOptionalAction,
        help="ask for workers on Spot first, and on demand for what it does not give (default: yes)",
    )


def keeping_parameters(options: argparse.Namespace) -> dict[str, str | int | None]:
    """Raises InvalidUsage for values that web would refuse."""
    _check_warm(options.warm)
    for option, value, least in (
        ("--least", options.least, 0),
        ("--most", options.most, 1),
        ("--within", options.within, 1),
    ):
        if value is not None and not least <= value <= MAX_TASKS:
            raise InvalidUsage(
                f"{option} {value}: the number must be from {least} to {MAX_TASKS}",
                f"for example {option} {max(least, 2)}",
            )
    return {
        "Warm": options.warm,
        "LeastWorkers": options.least,
        "MostWorkers": options.most,
        "WithinSeconds": options.within,
        "Spot": None if options.spot is None else "yes" if options.spot else "no",
    }


def check_keeping(parameters: Mapping[str, str]) -> None:
    """Raises InvalidUsage if the parameters, new and current together, contradict each other."""
    least, most = (
        int(parameters.get(name, default)) for name, default in (("LeastWorkers", 1), ("MostWorkers", 10))
    )
    if least > most:
        raise InvalidUsage(
            f"--least {least} is more than --most {most}", f"pass --most {least}, or a smaller --least"
        )


def warm_share(warm: str) -> float:
    """How much of a week is warm, at most all of it."""
    if warm in ("always", "never"):
        return float(warm == "always")
    return min(sum(map(_share, warm.split(","))), 1.0)


def _share(span: str) -> float:
    days, hours, _ = span.split(maxsplit=2)
    first, _, last = days.lower().partition("-")
    number = (_DAYS.index(last or first) - _DAYS.index(first)) % 7 + 1
    begin, end = (_minutes(each) for each in hours.split("-"))
    return number * ((end - begin) % _DAY_MINUTES or _DAY_MINUTES) / (7 * _DAY_MINUTES)


def _minutes(time: str) -> int:
    hour, _, minute = time.partition(":")
    return int(hour) * 60 + int(minute or 0)


def _check_warm(warm: str | None) -> None:
    if warm in (None, "always", "never"):
        return
    for span in str(warm).split(","):
        match = _HOURS.fullmatch(" ".join(span.split()))
        if not match or match[1] == match[2] or not _exists(match[3]):
            raise InvalidUsage(
                f"--warm {warm!r}: {span.strip()!r} is not in the format DAYS HOURS ZONE",
                'for example --warm "Mon-Fri 08-18 Europe/Berlin", --warm always or --warm never',
            )


def _exists(zone: str) -> bool:
    try:
        ZoneInfo(zone)
    except (KeyError, OSError, ValueError):
        return False
    return True
