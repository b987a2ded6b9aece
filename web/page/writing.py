"""How the page writes numbers, values, durations and times."""

from datetime import UTC, datetime
from typing import Any

NOTHING = "\N{EN DASH}"
MINUS = "\N{MINUS SIGN}"
LONGEST_EXACT = 10
"""A number with more characters is rounded where it is shown, and exact where it is downloaded."""


def write_value(value: Any) -> str:
    """A value of a row as a person would type it; empty if it is missing."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float) and value.is_integer() and abs(value) < 1e15:
        return str(int(value))
    return str(value)


def write_number(value: float | int | None) -> str:
    if value is None:
        return NOTHING
    text = write_value(value)
    exact = len(text) <= LONGEST_EXACT or isinstance(value, int)
    return (text if exact else f"{value:.7g}").replace("-", MINUS)


def write_rounded(value: float, digits: int = 6) -> str:
    """Rounds to this many significant digits."""
    return write_value(float(f"{value:.{digits}g}")).replace("-", MINUS)


def write_signed(value: float) -> str:
    return ("+" if value >= 0 else MINUS) + write_rounded(abs(value))


def write_count(value: int | None) -> str:
    return NOTHING if value is None else f"{value:,}"


def write_duration(seconds: float | None) -> str:
    if seconds is None:
        return "not known yet"
    if seconds < 1:
        return "under a second"
    if seconds < 120:
        return f"{round(seconds)} s"
    minutes = round(seconds / 60)
    return f"{minutes} min" if minutes < 120 else f"{minutes // 60} h {minutes % 60} min"


def write_time(text: str | None) -> str:
    """A time of the API, to the minute."""
    return NOTHING if not text else f"{text[:10]} {text[11:16]} UTC"


def seconds_between(start: str | None, end: str | None, now: datetime | None = None) -> float:
    """From one time of the API to another, or until now; at least a millisecond."""
    if not start:
        return 0.001
    until = datetime.fromisoformat(end) if end else now or datetime.now(UTC)
    return max((until - datetime.fromisoformat(start)).total_seconds(), 0.001)
