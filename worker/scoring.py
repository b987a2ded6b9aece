"""Scores claimed predictions: one call of the model for all rows, and an output or an error for each row."""

import logging
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import Executor
from typing import Any, TypeAlias

import numpy as np
import orjson
from numpy.typing import NDArray

from jobs.errors import StoreUnavailable
from jobs.predictions.consumer import Claim, Outcome, PredictionConsumer
from jobs.predictions.record import Row
from jobs.predictions.status import PredictionStatus
from jobs.queues.script_calls import patiently
from model.bundle import Bundle
from model.outputs import Explanation, Outputs
from worker.memory import is_out_of_memory
from worker.stopping import ScoringStopped

log = logging.getLogger(__name__)

Score: TypeAlias = Callable[[Sequence[Row]], list[bytes]]
"""Returns the output of each row, from one call of the model; raises whatever the model raises."""


NOT_FINITE = orjson.dumps({"error": {"type": "not_finite", "detail": "the score is not a finite number"}})
NOT_SCORED = orjson.dumps({"error": {"type": "not_scored", "detail": "the model could not score this row"}})
OUT_OF_MEMORY = {"type": "out_of_memory", "detail": "no worker had enough memory left; try again later"}
GIVEN_UP = orjson.dumps(
    {"error": {"type": "worker_lost", "detail": "every worker that tried this row was lost"}}
)
ALL_FAILED = orjson.dumps(
    {"type": "rows_failed", "detail": "no row could be scored; each output has its error"}
)


def scorer(bundle: Bundle) -> Score:
    """Makes the function that scores rows with a bundle."""

    def score(rows: Sequence[Row]) -> list[bytes]:
        matrix = bundle.encode(rows)
        return output_rows(bundle.outputs(matrix), bundle.warnings(matrix))

    return score


def explaining_scorer(bundle: Bundle, executor: Executor) -> Score:
    """Makes the function that also explains; the thread of `executor` computes the contributions."""
    names = [orjson.dumps(name) for name in bundle.manifest.schema.names]

    def score(rows: Sequence[Row]) -> list[bytes]:
        matrix = bundle.encode(rows)
        explained = explanation_members(names, executor.submit(bundle.explain, matrix).result())
        return output_rows(bundle.outputs(matrix), bundle.warnings(matrix), explained)

    return score


def score_claims(consumer: PredictionConsumer, score: Score, claims: Sequence[Claim]) -> list[Outcome]:
    """Scores claims of one bundle: all in one call, but lists on their last attempt row by row.

    Releases them, and returns nothing, if this process has not enough memory for a single row.
    """
    try:
        return _score_claims(consumer, score, claims)
    except MemoryError:
        log.error("out_of_memory", extra={"model": claims[0].model, "jobs": len(claims)})
        consumer.release(claims, orjson.dumps(OUT_OF_MEMORY))
        return []


def _score_claims(consumer: PredictionConsumer, score: Score, claims: Sequence[Claim]) -> list[Outcome]:
    together = [claim for claim in claims if not claim.row_by_row]
    outcomes = score_together(score, together) if together else []
    for claim in claims:
        if claim.row_by_row:
            outcomes.append(outcome_of(claim, _outputs_row_by_row(consumer, score, claim)))
    return outcomes


def _outputs_row_by_row(consumer: PredictionConsumer, score: Score, claim: Claim) -> list[bytes]:
    """Notes each row before it is scored: if the worker is lost then, that row is given up."""
    outputs = []
    for number, row in enumerate(claim.rows):
        if number in claim.given_up:
            outputs.append(GIVEN_UP)
            continue
        patiently(consumer.note_row, claim, number)
        try:
            outputs += outputs_of(score, [row])
        except MemoryError:  # on the last attempt it fails only this row
            outputs.append(orjson.dumps({"error": OUT_OF_MEMORY}))
    return outputs


def score_together(score: Score, claims: Sequence[Claim]) -> list[Outcome]:
    """Scores all claims in one call of the model. A bad row affects only itself."""
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
    """The output of each row. If the call raises, halves are tried until the row that causes it is found.

    A lack of memory is no fault of a row: raises MemoryError if even a single one does not fit.
    """
    try:
        return score(rows)
    except (ScoringStopped, StoreUnavailable):
        raise
    except Exception as error:
        if len(rows) == 1:
            if is_out_of_memory(error):
                raise MemoryError from error
            # The message stays out of the log: it may hold values.
            log.warning("not_scored", extra={"error": type(error).__name__})
            return [NOT_SCORED]
    middle = len(rows) // 2
    return outputs_of(score, rows[:middle]) + outputs_of(score, rows[middle:])


def outcome_of(claim: Claim, outputs: Sequence[bytes]) -> Outcome:
    """The outcome of a job, from the outputs of its rows."""
    failed = sum(output.startswith(b'{"error"') for output in outputs)
    if not failed:
        text = b"[%b]" % b",".join(outputs) if claim.listed else outputs[0]
        return Outcome(claim, PredictionStatus.SUCCEEDED, text)
    if not claim.listed:
        return Outcome(claim, PredictionStatus.FAILED, error=orjson.dumps(orjson.loads(outputs[0])["error"]))
    all_failed = failed == len(outputs)
    status = PredictionStatus.FAILED if all_failed else PredictionStatus.PARTIALLY_SUCCEEDED
    return Outcome(claim, status, b"[%b]" % b",".join(outputs), ALL_FAILED if all_failed else b"")


def output_rows(
    outputs: Outputs, warnings: dict[int, list[str]], explained: Iterable[bytes] | None = None
) -> list[bytes]:
    """The output of each row, as the JSON that callers see; `explained` has further members."""
    members = list(_members(outputs))
    if explained is not None:
        members.append(list(explained))
    texts = [b",".join(parts) for parts in zip(*members, strict=True)]
    for row, found in warnings.items():
        texts[row] += b',"warnings":' + orjson.dumps(found)
    rows = [b"{%b}" % text for text in texts]
    for row in np.flatnonzero(~_finite(outputs)).tolist():
        rows[row] = NOT_FINITE
    return rows


def explanation_members(names: Sequence[bytes], explanation: Explanation) -> Iterable[bytes]:
    """The members `contributions` and `base` of each row; `names` are JSON."""
    for values, base in zip(_numbers(explanation.contributions), _numbers(explanation.base), strict=True):
        yield b'"contributions":%b,"base":%b' % (_object(names, values), base)


def _members(outputs: Outputs) -> Iterable[list[bytes]]:
    yield _per_target(b"prediction", outputs.prediction, outputs.targets)
    if outputs.labels is not None:
        yield [b'"label":' + orjson.dumps(label) for label in outputs.labels]
    if outputs.probability is not None:
        yield _per_target(b"probability", outputs.probability, outputs.targets)
    if outputs.probabilities is not None:
        classes = [orjson.dumps(name) for name in outputs.classes]
        yield [b'"probabilities":' + _object(classes, values) for values in _numbers(outputs.probabilities)]
    if outputs.interval is not None:
        yield [b'"interval":[%b]' % b",".join(values) for values in _numbers(outputs.interval)]


def _per_target(member: bytes, values: NDArray[Any], targets: Sequence[str]) -> list[bytes]:
    texts = _numbers(values)
    if targets:
        names = [orjson.dumps(name) for name in targets]
        texts = [_object(names, row) for row in texts]
    return [b'"%b":%b' % (member, text) for text in texts]


def _numbers(values: NDArray[Any]) -> list[Any]:
    """JSON numbers, nested as the array is; float32 in the shortest form that reads back the same."""
    if not values.size:
        return []
    flat = orjson.dumps(np.ascontiguousarray(values).ravel(), option=orjson.OPT_SERIALIZE_NUMPY)
    texts = flat[1:-1].split(b",")
    if values.ndim == 1:
        return texts
    width = values.shape[1]
    return [texts[at : at + width] for at in range(0, len(texts), width)]


def _object(names: Sequence[bytes], values: Sequence[bytes]) -> bytes:
    return b"{%b}" % b",".join([b"%b:%b" % pair for pair in zip(names, values, strict=True)])


def _finite(outputs: Outputs) -> NDArray[np.bool_]:
    finite = np.ones(len(outputs.prediction), dtype=bool)
    for scores in (outputs.prediction, outputs.probability, outputs.probabilities, outputs.interval):
        if scores is not None:
            finite &= np.isfinite(scores) if scores.ndim == 1 else np.isfinite(scores).all(axis=1)
    return finite
