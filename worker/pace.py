"""How many rows to claim at once."""

AIM_SECONDS = 0.5
"""A claim is to be about this much work: enough to share a call, and soon over."""
FEWEST, MOST = 1, 20_000
_WEIGHT = 0.2


class Pace:
    """Follows the measured rate, so that a claim of `rows` rows takes about AIM_SECONDS."""

    def __init__(self) -> None:
        self.rows = 1_000
        self._seconds_per_row: float | None = None

    def measured(self, rows: int, seconds: float) -> None:
        sample = seconds / rows
        known = self._seconds_per_row
        self._seconds_per_row = sample if known is None else known + _WEIGHT * (sample - known)
        self.rows = max(FEWEST, min(MOST, int(AIM_SECONDS / max(self._seconds_per_row, 1e-9))))
