"""The hours in which workers stay warm, as in `Mon-Fri 08-18 Europe/Berlin`."""

import re
from datetime import UTC, datetime, timedelta
from typing import NamedTuple
from zoneinfo import ZoneInfo

ALWAYS, NEVER = "always", "never"
FORMAT = f"{ALWAYS}, {NEVER}, or as in Mon-Fri 08-18 Europe/Berlin; several are separated by commas"
_DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
_TIME = r"([01]?\d|2[0-4])(?::([0-5]\d))?"
_SPAN = re.compile(rf"([A-Za-z]{{3}})(?:-([A-Za-z]{{3}}))? {_TIME}-{_TIME} ([A-Za-z0-9_+/-]+)")
_DAY_MINUTES = 24 * 60


class _Span(NamedTuple):
    """Begins on these days of the week, and lasts so many minutes, perhaps past midnight."""

    days: frozenset[int]
    begin: int
    minutes: int
    zone: ZoneInfo

    @classmethod
    def parse(cls, text: str) -> "_Span":
        match = _SPAN.fullmatch(" ".join(text.split()))
        if not match:
            raise ValueError(text)
        first, last, hour, minute, end_hour, end_minute, zone = match.groups()
        begin, end = _minutes(hour, minute), _minutes(end_hour, end_minute)
        if begin == end:
            raise ValueError(text)
        from_day, to_day = _DAYS.index(first.lower()), _DAYS.index((last or first).lower())
        days = frozenset((from_day + day) % 7 for day in range((to_day - from_day) % 7 + 1))
        return cls(days, begin, (end - begin) % _DAY_MINUTES or _DAY_MINUTES, ZoneInfo(zone))

    def includes(self, moment: datetime) -> bool:
        """By local time, which moves twice a year."""
        local = moment.astimezone(self.zone)
        minute = local.hour * 60 + local.minute
        today, yesterday = local.weekday(), (local - timedelta(days=1)).weekday()
        return any(
            day in self.days and self.begin <= at < self.begin + self.minutes
            for day, at in ((today, minute), (yesterday, minute + _DAY_MINUTES))
        )


def _minutes(hour: str, minute: str | None) -> int:
    minutes = int(hour) * 60 + int(minute or 0)
    if minutes > _DAY_MINUTES:
        raise ValueError(hour)
    return minutes


class WarmHours:
    """Raises ValueError for a text in another format; for an unknown zone also KeyError or OSError."""

    def __init__(self, text: str) -> None:
        self._always = text == ALWAYS
        self._spans = [] if text in (ALWAYS, NEVER) else [_Span.parse(part) for part in text.split(",")]

    def include(self, seconds: float) -> bool:
        """`seconds` since 1970."""
        moment = datetime.fromtimestamp(seconds, UTC)
        return self._always or any(span.includes(moment) for span in self._spans)
