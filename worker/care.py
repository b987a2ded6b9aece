"""Lists that workers were lost with: one row may be what kills them, and its mates are to be scored."""

import orjson

from jobs.line import Claim, Line, Outcome
from worker.outputs import Score
from worker.scoring import outcome_of, outputs_of

GIVEN_UP = orjson.dumps(
    {"error": {"type": "worker_lost", "detail": "every worker that tried this row was lost"}}
)


def score_with_care(line: Line, score: Score, claim: Claim) -> Outcome:
    """Row by row, each noted before it is tried."""
    outputs = []
    for number, row in enumerate(claim.rows):
        if number in claim.given_up:
            outputs.append(GIVEN_UP)
        else:
            line.try_row(claim, number)
            outputs += outputs_of(score, [row])
    return outcome_of(claim, outputs)
