"""Claimed jobs to outcomes: one call of the model for all rows, and each row its own result or reason."""

import logging
from collections.abc import Sequence

import orjson

from jobs.errors import StoreUnavailable
from jobs.predictions.consumer import Claim, Outcome
from jobs.predictions.record import Row
from jobs.predictions.status import PredictionStatus
from worker.outputs import Score

log = logging.getLogger(__name__)


class Stopped(Exception):
    """The worker is to stop: the rows are left for another."""


NOT_SCORED = orjson.dumps({"error": {"type": "not_scored", "detail": "the model could not score this row"}})
ALL_FAILED = orjson.dumps({"type": "rows_failed", "detail": "no row could be scored; each output says why"})


def score_together(score: Score, claims: Sequence[Claim]) -> list[Outcome]:
    """Scores claims of one model together; one bad row harms no other."""
    outputs = outputs_of(score, [row for claim in claims for row in claim.rows])
    outcomes = []
    start = 0
    for claim in claims:
        end = start + len(claim.rows)
        outcomes.append(outcome_of(claim, outputs[start:end]))
        start = end
    return outcomes


def by_bundle(claims: Sequence[Claim]) -> list[list[Claim]]:
    """The claims of each bundle together."""
    groups: dict[str, list[Claim]] = {}
    for claim in claims:
        groups.setdefault(claim.sha256, []).append(claim)
    return list(groups.values())


def outputs_of(score: Score, rows: Sequence[Row]) -> list[bytes]:
    """The output of each row. Whatever is raised, its row is looked for."""
    try:
        return score(rows)
    except (Stopped, StoreUnavailable):
        raise
    except Exception as error:
        if len(rows) == 1:
            # Not what it says: that may hold values.
            log.warning("not_scored", extra={"error": type(error).__name__})
            return [NOT_SCORED]
    middle = len(rows) // 2
    return outputs_of(score, rows[:middle]) + outputs_of(score, rows[middle:])


def outcome_of(claim: Claim, outputs: Sequence[bytes]) -> Outcome:
    """What becomes of the job by the outputs of its rows."""
    failed = sum(output.startswith(b'{"error"') for output in outputs)
    if not failed:
        text = b"[%b]" % b",".join(outputs) if claim.listed else outputs[0]
        return Outcome(claim, PredictionStatus.SUCCEEDED, text)
    if not claim.listed:
        return Outcome(claim, PredictionStatus.FAILED, error=orjson.dumps(orjson.loads(outputs[0])["error"]))
    status = PredictionStatus.PARTIALLY_SUCCEEDED if failed < len(outputs) else PredictionStatus.FAILED
    error = ALL_FAILED if failed == len(outputs) else b""
    return Outcome(claim, status, b"[%b]" % b",".join(outputs), error)
