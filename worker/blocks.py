"""Scores what had to wait for its turn in blocks, so that others need not wait for all of it."""

from collections.abc import Callable, Sequence

from jobs.predictions.record import Row
from worker.measurements import Pace
from worker.scoring import Score

BLOCK_SECONDS = 0.002
"""About how long a block takes; to ask between two blocks who waits takes a twentieth of that."""


def in_blocks(score: Score, pace: Pace, between: Callable[[], None]) -> Score:
    """Makes the function that scores block by block, and calls `between` before each but the first."""

    def score_in_blocks(rows: Sequence[Row]) -> list[bytes]:
        outputs: list[bytes] = []
        while len(outputs) < len(rows):
            if outputs:
                between()
            outputs += score(rows[len(outputs) : len(outputs) + pace.within(BLOCK_SECONDS)])
        return outputs

    return score_in_blocks
