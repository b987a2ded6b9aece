"""Lists that workers were lost with: one row may be what kills them, and its mates are to be scored."""

from collections.abc import Sequence

import orjson

from jobs.predictions.consumer import Claim, Outcome, PredictionConsumer
from worker.outputs import Score
from worker.scoring import outcome_of, outputs_of, score_together

GIVEN_UP = orjson.dumps(
    {"error": {"type": "worker_lost", "detail": "every worker that tried this row was lost"}}
)


def score_claims(line: PredictionConsumer, score: Score, claims: Sequence[Claim]) -> list[Outcome]:
    """Claims of one model: such lists one by one, and all others together."""
    together = [claim for claim in claims if not claim.careful]
    outcomes = score_together(score, together) if together else []
    outcomes += [_score_with_care(line, score, claim) for claim in claims if claim.careful]
    return outcomes


def _score_with_care(line: PredictionConsumer, score: Score, claim: Claim) -> Outcome:
    """Row by row, each noted before it is tried."""
    outputs = []
    for number, row in enumerate(claim.rows):
        if number in claim.given_up:
            outputs.append(GIVEN_UP)
        else:
            line.try_row(claim, number)
            outputs += outputs_of(score, [row])
    return outcome_of(claim, outputs)
