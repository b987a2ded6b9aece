"""Claimed jobs to outcomes: one call of the model for all rows, and each row its own result or reason."""

import logging
from collections.abc import Callable, Sequence

import numpy as np
import orjson
from numpy.typing import NDArray

from jobs.line import Claim, Outcome
from jobs.record import Row
from jobs.status import Status

log = logging.getLogger(__name__)

Predict = Callable[[Sequence[Row]], NDArray[np.float32]]
Warn = Callable[[Sequence[Row]], dict[int, list[str]]]

NOT_SCORED = orjson.dumps({"error": {"type": "not_scored", "detail": "the model could not score this row"}})
NOT_FINITE = orjson.dumps({"error": {"type": "not_finite", "detail": "the score is not a finite number"}})
ALL_FAILED = orjson.dumps({"type": "rows_failed", "detail": "no row could be scored; each output says why"})


def score(predict: Predict, warn: Warn, claims: Sequence[Claim]) -> list[Outcome]:
    """Scores claims of one model together; one bad row harms no other."""
    outputs = outputs_of(predict, warn, [row for claim in claims for row in claim.rows])
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


def outputs_of(predict: Predict, warn: Warn, rows: Sequence[Row]) -> list[bytes]:
    """The output of each row, as the JSON that callers see. Whatever is raised, its row is looked for."""
    try:
        return _scored(predict(rows), warn(rows))
    except Exception as error:
        if len(rows) == 1:
            # Not what it says: that may hold values.
            log.warning("not_scored", extra={"error": type(error).__name__})
            return [NOT_SCORED]
    middle = len(rows) // 2
    return outputs_of(predict, warn, rows[:middle]) + outputs_of(predict, warn, rows[middle:])


def _scored(scores: NDArray[np.float32], warnings: dict[int, list[str]]) -> list[bytes]:
    # orjson writes float32 in the shortest form that reads back the same.
    texts = orjson.dumps(scores, option=orjson.OPT_SERIALIZE_NUMPY)[1:-1].split(b",")
    outputs = [NOT_FINITE if text == b"null" else b'{"prediction":%b}' % text for text in texts]
    for row, said in warnings.items():
        outputs[row] = outputs[row][:-1] + b',"warnings":' + orjson.dumps(said) + b"}"
    return outputs


def outcome_of(claim: Claim, outputs: Sequence[bytes]) -> Outcome:
    """What becomes of the job by the outputs of its rows."""
    failed = sum(output.startswith(b'{"error"') for output in outputs)
    if not failed:
        text = b"[%b]" % b",".join(outputs) if claim.listed else outputs[0]
        return Outcome(claim, Status.SUCCEEDED, text)
    if not claim.listed:
        return Outcome(claim, Status.FAILED, error=orjson.dumps(orjson.loads(outputs[0])["error"]))
    status = Status.PARTIALLY_SUCCEEDED if failed < len(outputs) else Status.FAILED
    error = ALL_FAILED if failed == len(outputs) else b""
    return Outcome(claim, status, b"[%b]" % b",".join(outputs), error)
