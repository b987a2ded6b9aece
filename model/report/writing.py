"""Numbers and texts as a report shows them."""

from collections.abc import Sequence

import numpy as np

from model.description.dates import date_of_day
from model.evaluation.metrics import Floats
from model.evaluation.resampling import Interval

NOTHING = "-"
LONGEST_NAME = 120
SMALLEST = 1e-12
"""What is nearer to zero is an error of rounding."""


def number(value: float) -> str:
    """Write four digits, or all of a larger whole number."""
    if not np.isfinite(value):
        return NOTHING
    if abs(value) < SMALLEST:
        return "0"
    if abs(value) >= 1_000:
        return f"{value:,.0f}"
    return f"{value:.4g}".replace("e+0", "e").replace("e-0", "e-")


def percent(share: float) -> str:
    """Write a share; one that is neither none nor all never looks like it."""
    if not np.isfinite(share):
        return NOTHING
    text = f"{share:.1%}"
    return {"0.0%": "under 0.1%", "100.0%": "over 99.9%"}.get(text, text) if 0 < share < 1 else f"{share:.0%}"


def interval(found: Interval) -> str:
    """Write a value and its interval."""
    return f"{number(found.value)} ({between(found)})"


def between(found: Interval) -> str:
    """Write an interval without its value."""
    return f"{number(found.low)} to {number(found.high)}"


def count(rows: int, what: str = "row") -> str:
    """Write a number of things: 1 row, 2,000 rows."""
    return f"{rows:,} {what}{'' if rows == 1 else 's'}"


def name(text: str) -> str:
    """Shorten a name that would fill the page."""
    return text if len(text) <= LONGEST_NAME else f"{text[:LONGEST_NAME]}…"


def value_of(kind: str, categories: Sequence[str], value: float) -> str:
    """Write the value of a feature as a caller would send it."""
    if np.isnan(value):
        return "missing"
    if kind == "category":
        return name(categories[int(value)]) if value >= 0 else "not seen"
    if kind == "boolean":
        return "true" if value else "false"
    return date_of_day(int(value)) if kind == "date" else number(value)


def spread_of(values: Floats) -> str:
    """Write the least, the middle and the greatest of some numbers."""
    return " · ".join(number(each) for each in np.quantile(values, (0, 0.5, 1)))
