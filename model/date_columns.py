"""The parts of dates as columns: what the trees take instead of a date."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

THURSDAY = 3
"""The weekday of 1970-01-01."""


def date_parts(days: NDArray[Any]) -> NDArray[np.float32]:
    """Return year, month, day and weekday of days since 1970-01-01, (rows, 4); those of NaN are NaN."""
    missing = np.isnan(days)
    numbers = np.where(missing, 0, days).astype(np.int64)
    dates = numbers.astype("datetime64[D]")
    months = dates.astype("datetime64[M]")
    years = dates.astype("datetime64[Y]")
    parts = [
        years.astype(np.int64) + 1970,
        (months - years).astype(np.int64) + 1,
        (dates - months).astype(np.int64) + 1,
        (numbers + THURSDAY) % 7,
    ]
    columns = np.stack(parts, axis=1).astype(np.float32)
    columns[missing] = np.nan
    return columns
