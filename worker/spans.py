"""What a child process tells a collector of traces: the wait, the claim and the scoring of jobs."""

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from typing import NamedTuple, TypeAlias

from jobs import ids
from jobs.batches.tasks import PLAN, BatchTask
from jobs.predictions.consumer import Claim, Outcome
from jobs.predictions.status import PredictionStatus
from jobs.tracing import Tracing

SpanOfTask: TypeAlias = Callable[[BatchTask], AbstractContextManager[object]]


class ModelCall(NamedTuple):
    """One call of the model, with `rows` of all jobs that it scored."""

    started: float
    ended: float
    rows: int


class ClaimSpans:
    """The spans of claimed predictions, made when they are recorded. Jobs without a trace have none."""

    def __init__(self, tracing: Tracing) -> None:
        self._tracing = tracing
        self._scored: dict[str, ModelCall] = {}

    def scored(self, claims: Sequence[Claim], rows: int, seconds: float) -> None:
        ended = time.time()
        call = ModelCall(ended - seconds, ended, rows)
        self._scored |= {claim.id: call for claim in claims if claim.traceparent}

    def recorded(self, outcomes: Sequence[Outcome], claimed_at: float) -> None:
        for outcome in outcomes:
            if outcome.claim.traceparent:
                self._record(outcome, claimed_at)
        self._scored.clear()

    def _record(self, outcome: Outcome, claimed_at: float) -> None:
        claim = outcome.claim
        trace, job = claim.traceparent, {"paygrade.job_id": claim.id}
        created = min(ids.created_ms(claim.id) / 1000, claimed_at)
        self._tracing.start("wait", "INTERNAL", trace, created).end(job, at=claimed_at)
        span = self._tracing.start("claim", "CONSUMER", trace, claimed_at)
        if call := self._scored.get(claim.id):
            scoring = self._tracing.start("score", "INTERNAL", span.traceparent, call.started)
            scoring.end({"paygrade.model": claim.model, "paygrade.rows": call.rows}, at=call.ended)
        attributes = {"paygrade.attempt": claim.attempt, "paygrade.rows": len(claim.rows)}
        span.end(
            job | attributes | {"paygrade.status": outcome.status},
            failed=outcome.status is PredictionStatus.FAILED,
        )


def span_of_task(tracing: Tracing) -> SpanOfTask:
    """Makes the function that gives the span of a batch's task, for as long as a child works on it."""

    @contextmanager
    def span(task: BatchTask) -> Iterator[None]:
        job = {"paygrade.job_id": task.id}
        if task.task == PLAN and task.attempts == 1 and not task.planning:
            created = min(ids.created_ms(task.id) / 1000, time.time())
            tracing.start("wait", "INTERNAL", task.traceparent, created).end(job)
        started = tracing.start("score" if task.chunk else task.task, "CONSUMER", task.traceparent)
        try:
            yield
        finally:
            started.end(job | {"paygrade.model": task.model, "paygrade.task": task.task})

    return lambda task: span(task) if task.traceparent else nullcontext()
