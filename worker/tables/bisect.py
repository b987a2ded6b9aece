"""A chunk that workers were lost with: a few rows may be what kills them, and all others are to be scored."""

from collections.abc import Callable, Iterator, Sequence
from typing import NamedTuple

FIRST = 1_024
"""Rows of a slice that nothing is known against."""
PIECES = 32
"""Into how many a slice is cut that a worker was lost with: three losses find a row."""

LOST = "every worker that tried this row was lost"
LOST_AROUND = "every worker that tried the rows around this one was lost"


class Slice(NamedTuple):
    """Rows that are scored together, or, with a reason, given up."""

    rows: range
    given_up: str = ""


Slices = Callable[[int, int], Iterator[Slice]]
"""How to score some rows, by the number of the first in its chunk, from which slices count, and how many."""


def all_at_once(_: int, number: int) -> Iterator[Slice]:
    yield Slice(range(number))


def give_up_all(_: int, number: int) -> Iterator[Slice]:
    yield Slice(range(number), LOST_AROUND)


class Bisection:
    """Slice by slice, each noted before it is tried: so it is known which a worker was lost with."""

    def __init__(self, lost: Sequence[range], note: Callable[[range | None], None]) -> None:
        self._lost = lost
        self._note = note

    def slices(self, first: int, number: int) -> Iterator[Slice]:
        at, end = first, first + number
        while at < end:
            some = self._next(at, end)
            reason = LOST if len(some) == 1 and some in self._lost else ""
            if not reason:
                self._note(some)
            yield Slice(range(some.start - first, some.stop - first), reason)
            at = some.stop
        self._note(None)

    def _next(self, at: int, end: int) -> range:
        """Small where workers were lost, and never across the edge of what they were lost with."""
        around = [len(rows) for rows in self._lost if at in rows]
        size = max(min(around) // PIECES, 1) if around else FIRST
        edges = (edge for rows in self._lost for edge in (rows.start, rows.stop) if edge > at)
        return range(at, min(at + size, end, *edges))
