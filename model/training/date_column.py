"""Columns of dates: their values are days since 1970-01-01."""

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from model.description.dates import DATE, date_of_day, day_number, parse_date
from model.training.column import TableColumn


class DateColumn(TableColumn):
    """`values` are whole numbers of days; NaN is a missing value."""

    def select(self, rows: NDArray[np.bool_]) -> TableColumn:
        return DateColumn(self.name, self.type, self.values[rows])

    def value(self, row: int) -> str | None:
        """Return the date of a row as a caller would send it."""
        day = float(self.values[row])
        return None if np.isnan(day) else date_of_day(int(day))


def read_dates(name: str, values: pa.ChunkedArray) -> DateColumn | None:
    """Convert a column in which every value is a date; None for any other column."""
    kind = values.type
    if pa.types.is_date(kind) or (pa.types.is_timestamp(kind) and kind.tz is None):
        values = values.cast(pa.string())
    if not (pa.types.is_string(values.type) or pa.types.is_large_string(values.type)):
        return None
    if (
        values.null_count == len(values)
        or not pc.all(pc.match_substring_regex(values, f"^{DATE.pattern}$")).as_py()
    ):
        return None
    encoded = values.combine_chunks().dictionary_encode()
    dates = [parse_date(text) for text in encoded.dictionary.to_pylist()]
    if None in dates:
        return None
    days = np.array([day_number(text) for text in dates if text], dtype=np.float64)
    codes = encoded.indices.cast(pa.float64()).to_numpy(zero_copy_only=False)
    missing = np.isnan(codes)
    return DateColumn(name, "date", np.where(missing, np.nan, days[np.where(missing, 0, codes).astype(int)]))
