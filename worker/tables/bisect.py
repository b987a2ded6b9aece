"""Bisects a chunk that workers were lost with: finds the rows that kill workers and scores all others."""

from collections.abc import Callable, Iterator, Sequence

from worker.tables.score import Slice

FIRST_SLICE = 1_024
"""Rows of a slice in which no worker was lost."""
PARTS_OF_LOST = 32
"""A slice that a worker was lost with is cut into so many parts, so three losses find a row."""

LOST = "every worker that tried this row was lost"


class Bisection:
    """Cuts smaller slices where workers were lost.

    Each slice is noted before it is scored, so that the slice that a worker was lost with is known.
    """

    def __init__(self, lost: Sequence[range], note: Callable[[range | None], None]) -> None:
        self._lost = lost
        self._note = note

    def slices(self, first: int, number: int) -> Iterator[Slice]:
        at, end = first, first + number
        while at < end:
            rows = self._next(at, end)
            reason = LOST if len(rows) == 1 and rows in self._lost else ""
            if not reason:
                self._note(rows)
            yield Slice(range(rows.start - first, rows.stop - first), reason)
            at = rows.stop
        self._note(None)

    def _next(self, at: int, end: int) -> range:
        """The next slice, which never crosses the edge of a slice that a worker was lost with."""
        around = [len(rows) for rows in self._lost if at in rows]
        size = max(min(around) // PARTS_OF_LOST, 1) if around else FIRST_SLICE
        edges = (edge for rows in self._lost for edge in (rows.start, rows.stop) if edge > at)
        return range(at, min(at + size, end, *edges))
