"""How fast a child works, and so how many rows it claims at once."""

AIM_SECONDS = 0.5
"""A claim is to be about this much work: enough to share a call, and soon over."""
FEWEST, MOST = 1, 20_000
_WEIGHT = 0.2
REMEMBERED_SECONDS = 5
"""Of work, by which the speed is told."""


class Pace:
    """Follows the measured rate, so that a claim of `rows` rows takes about as long as is aimed at."""

    def __init__(self, first_rows: int = 1_000, aim_seconds: float = AIM_SECONDS) -> None:
        self.rows = first_rows
        self._aim_seconds = aim_seconds
        self._seconds_per_row: float | None = None
        self._worked_seconds = 0.0
        self._worked_rows = 0.0

    def measured(self, rows: int, seconds: float) -> None:
        """So many rows were scored together in so long."""
        sample = seconds / rows
        known = self._seconds_per_row
        self._seconds_per_row = sample if known is None else known + _WEIGHT * (sample - known)
        self.rows = self.within(self._aim_seconds)

    def within(self, seconds: float) -> int:
        """How many rows take about so long."""
        if self._seconds_per_row is None:
            return self.rows
        return max(FEWEST, min(MOST, int(seconds / max(self._seconds_per_row, 1e-9))))

    def worked(self, rows: int, seconds: float) -> None:
        """So many were scored and recorded, and the next claimed, in so long."""
        kept = max(1 - seconds / REMEMBERED_SECONDS, 0)
        self._worked_rows = self._worked_rows * kept + rows
        self._worked_seconds = self._worked_seconds * kept + seconds

    @property
    def rows_per_second(self) -> int:
        """0 before the first."""
        return round(self._worked_rows / self._worked_seconds) if self._worked_seconds else 0
