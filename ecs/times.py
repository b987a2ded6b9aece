"""When a schedule starts: in words of ours, or as EventBridge Scheduler has it."""

import re
from datetime import UTC, datetime, timedelta
from typing import NamedTuple
from zoneinfo import ZoneInfo

from ecs.errors import InvalidUsage

_DAY = "(?:mon|tue|wed|thu|fri|sat|sun)"
_WORDS = re.compile(rf"(daily|{_DAY}(?:-{_DAY})?) ([01]?\d|2[0-3]):([0-5]\d) (\S+)", re.IGNORECASE)
_EXPRESSION = re.compile(r"(cron\([^()]+\)|rate\([^()]+\))(?: (\S+))?")
_DAYS_AHEAD = 366


class ScheduleTime(NamedTuple):
    """`expression` as EventBridge Scheduler has it."""

    expression: str
    zone: str


def parse_time(text: str) -> ScheduleTime:
    """Raises InvalidUsage."""
    words = " ".join(text.split())
    if match := _WORDS.fullmatch(words):
        days = "* * ?" if match[1].lower() == "daily" else f"? * {match[1].upper()}"
        found = ScheduleTime(f"cron({int(match[3])} {int(match[2])} {days} *)", match[4])
    elif match := _EXPRESSION.fullmatch(words):
        found = ScheduleTime(match[1], match[2] or "UTC")
    else:
        raise InvalidUsage(
            f"--at {text!r} is not in the format DAYS TIME ZONE",
            'for example --at "daily 02:30 Europe/Berlin", --at "Mon-Fri 18:00 UTC" or '
            '--at "cron(0 6 1 * ? *) Europe/Berlin"',
        )
    if not _exists(found.zone):
        raise InvalidUsage(
            f"--at {text!r}: there is no time zone {found.zone}", "for example Europe/Berlin, or UTC"
        )
    return found


def skipped_on(text: str, now: datetime) -> datetime | None:
    """The next day on which clocks skip this time, and Scheduler starts nothing; None without one."""
    match = _WORDS.fullmatch(" ".join(text.split()))
    if not match:
        return None
    zone = ZoneInfo(match[4])
    for number in range(_DAYS_AHEAD):
        day = now.astimezone(zone) + timedelta(days=number)
        local = day.replace(hour=int(match[2]), minute=int(match[3]), second=0, microsecond=0, fold=0)
        if local.astimezone(UTC).astimezone(zone).hour != local.hour:
            return local
    return None


def _exists(zone: str) -> bool:
    try:
        ZoneInfo(zone)
    except (KeyError, OSError, ValueError):
        return False
    return True
