"""Scores lists whose workers were lost, row by row: one row may be what kills them."""

from collections.abc import Callable, Sequence

import orjson

from jobs.predictions.consumer import Claim
from jobs.predictions.record import Row

GIVEN_UP = orjson.dumps(
    {"error": {"type": "worker_lost", "detail": "every worker that tried this row was lost"}}
)


def outputs_row_by_row(
    claim: Claim, note_row: Callable[[int], None], score: Callable[[Sequence[Row]], list[bytes]]
) -> list[bytes]:
    """Notes each row before it is scored: if the worker is lost then, that row is given up."""
    outputs = []
    for number, row in enumerate(claim.rows):
        if number in claim.given_up:
            outputs.append(GIVEN_UP)
        else:
            note_row(number)
            outputs += score([row])
    return outputs
