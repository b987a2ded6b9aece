"""Dates: how callers write them, and the numbers that stand for them."""

import re
from datetime import date
from typing import Final

PARTS: Final = ("year", "month", "day", "weekday")
"""What the trees see of a date; Monday is weekday 0."""
DATE = re.compile(r"([0-9]{4}-[0-9]{2}-[0-9]{2})(?:[T ]00:00(?::00(?:\.0+)?)?)?")
"""ISO 8601; a time must be midnight, as tables write a date that is stored with a time."""
EPOCH: Final = date(1970, 1, 1).toordinal()


def parse_date(text: str) -> str | None:
    """Return the date as YYYY-MM-DD; None if the text is no date."""
    found = DATE.fullmatch(text)
    try:
        return date.fromisoformat(found[1]).isoformat() if found else None
    except ValueError:  # such as 2026-02-30
        return None


def day_number(text: str) -> int:
    """Return the days from 1970-01-01 to a date that is written as YYYY-MM-DD."""
    return date.fromisoformat(text).toordinal() - EPOCH


def date_of_day(number: int) -> str:
    """Return the date that is so many days after 1970-01-01."""
    return date.fromordinal(number + EPOCH).isoformat()


def part_names(feature: str) -> list[str]:
    """Return what the trees call the parts of this feature."""
    return [f"{feature}.{part}" for part in PARTS]
