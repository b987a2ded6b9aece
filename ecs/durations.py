"""Durations of options, such as 90s, 10m, 6h and 7d."""

import re

from ecs.errors import InvalidUsage

SECONDS = {"s": 1, "m": 60, "h": 3600, "d": 86_400}


def parse_duration(value: str, option: str) -> int:
    """Seconds. Raises InvalidUsage."""
    match = re.fullmatch(r"(\d{1,6})([smhd])", value)
    if not match:
        raise InvalidUsage(
            f"{option} {value}: the format is a number and s, m, h or d", f"for example {option} 10m"
        )
    return int(match[1]) * SECONDS[match[2]]


def elapsed(seconds: float) -> str:
    """For example 48 s, or 7 min 12 s."""
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes} min {rest} s" if minutes else f"{rest} s"


def describe(seconds: int) -> str:
    """In the largest unit that is exact."""
    unit = next(unit for unit in "dhms" if seconds % SECONDS[unit] == 0)
    return f"{seconds // SECONDS[unit]}{unit}"
