"""Two at the same moment: one of the allowed ends, never a mixture."""

from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from threading import Barrier
from time import sleep
from typing import TypeVar

import pytest
from pydantic import SecretStr

from jobs import ids
from jobs.predictions.consumer import Claim, Outcome, PredictionConsumer
from jobs.predictions.record import Accepted, NewPrediction, PredictionRecord
from jobs.predictions.status import PredictionStatus
from jobs.predictions.store import PredictionStore
from jobs.queues.connection import connect
from jobs.queues.idempotency import IdempotencyKey
from jobs.queues.names import PREDICTIONS
from jobs.settings import Settings
from tests.integration.callers import Caller
from tests.integration.conftest import StartStack

TIMES = 1_000
DEADLINE_MS = 3

T = TypeVar("T")
U = TypeVar("U")


class SendWakeUp:
    """A store with two who meet in it, each over a connection of its own."""

    def __init__(self, redis_url: str) -> None:
        settings = Settings(redis_url=SecretStr(redis_url))
        self.store, self.line = (
            PredictionStore(connect(settings), settings),
            PredictionConsumer(connect(settings), settings),
        )
        self.other_store = PredictionStore(connect(settings), settings)
        self._pool = ThreadPoolExecutor(2)
        self._start = Barrier(2)

    def race(self, first: Callable[[], T], second: Callable[[], U]) -> tuple[T, U]:
        one, other = self._pool.submit(self._run, first), self._pool.submit(self._run, second)
        return one.result(), other.result()

    def _run(self, call: Callable[[], T]) -> T:
        self._start.wait(10)
        return call()

    def add(self, start_within_ms: int | None = None) -> str:
        job = new_job()
        job.start_within_ms = start_within_ms
        [accepted], _ = self.store.add([job])
        assert isinstance(accepted, Accepted)
        return job.id

    def claim(self) -> list[Claim]:
        return self.line.claim("child", "wake_up", 10)

    def record(self, claims: list[Claim]) -> list[Outcome]:
        return self.line.record(
            [Outcome(claim, PredictionStatus.SUCCEEDED, b'{"prediction":1}') for claim in claims]
        )

    def read(self, job_id: str) -> PredictionRecord | None:
        [record] = self.store.read([job_id])
        assert record is None or isinstance(record, PredictionRecord)
        return record


def new_job(once: IdempotencyKey | None = None) -> NewPrediction:
    return NewPrediction(
        ids.new_id(ids.PREDICTION), "salary@1", "5a" * 32, "ada", b"[2.5]", 1, idempotency=once
    )


@pytest.fixture
def ring(start_stack: StartStack) -> Iterator[SendWakeUp]:
    stack = start_stack()
    yield SendWakeUp(stack.redis_url)
    assert stack.redis.xlen(PREDICTIONS.stream) == 0


def test_a_cancel_against_a_claim(ring: SendWakeUp) -> None:
    ends: Counter[PredictionStatus] = Counter()
    for _ in range(TIMES):
        job_id = ring.add()
        status, claims = ring.race(partial(ring.store.cancel, job_id), ring.claim)
        record = ring.read(job_id)
        assert record is not None
        assert (status, record.status, len(claims)) in (
            (PredictionStatus.CANCELED, PredictionStatus.CANCELED, 0),
            (PredictionStatus.RUNNING, PredictionStatus.RUNNING, 1),
        )
        ends[record.status] += 1
        ring.record(claims)
    assert len(ends) == 2, "one side always won: this was no race"


def test_a_delete_against_a_finish(ring: SendWakeUp) -> None:
    ends: Counter[PredictionStatus | None] = Counter()
    for _ in range(TIMES):
        job_id = ring.add()
        claims = ring.claim()
        status, counted = ring.race(partial(ring.store.delete, job_id), partial(ring.record, claims))
        record = ring.read(job_id)
        assert len(counted) == 1
        assert (status, record and record.status) in (
            (PredictionStatus.RUNNING, PredictionStatus.SUCCEEDED),
            (PredictionStatus.SUCCEEDED, None),
        )
        ends[status] += 1
    assert len(ends) == 2, "one side always won: this was no race"


def test_a_deadline_against_a_claim(ring: SendWakeUp) -> None:
    ends: Counter[PredictionStatus] = Counter()

    def claim_at_the_deadline() -> list[Claim]:
        sleep(DEADLINE_MS / 1000)
        return ring.claim()

    for _ in range(TIMES):
        job_id = ring.add(DEADLINE_MS)
        seen, claims = ring.race(partial(ring.read, job_id), claim_at_the_deadline)
        record = ring.read(job_id)
        assert record is not None
        assert seen is not None
        assert (record.status, len(claims)) in ((PredictionStatus.EXPIRED, 0), (PredictionStatus.RUNNING, 1))
        ends[record.status] += 1
        ring.record(claims)
    assert ends[PredictionStatus.EXPIRED] > 0


def test_two_requests_with_one_key_at_the_store(ring: SendWakeUp) -> None:
    for number in range(TIMES):
        once = IdempotencyKey.of("/v1/predictions", f"order-{number}", b"{}")
        first, second = new_job(once), new_job(once)
        ([one], _), ([other], _) = ring.race(
            partial(ring.store.add, [first]), partial(ring.other_store.add, [second])
        )
        assert isinstance(one, Accepted)
        assert isinstance(other, Accepted)
        assert one.id == other.id
        assert {one.replayed, other.replayed} == {True, False}
        assert len(ring.record(ring.claim())) == 1


def test_two_requests_with_one_key_at_two_web_processes(start_stack: StartStack) -> None:
    stack = start_stack({"PAYGRADE_WEB_PROCESSES": "2"})
    stack.start_web()
    ring, callers = SendWakeUp(stack.redis_url), (Caller(stack.address), Caller(stack.address))
    for number in range(100):
        posting = [partial(caller.post, {"years": 2.5}, key=f"order-{number}") for caller in callers]
        answers = ring.race(posting[0], posting[1])
        assert [answer.status_code for answer in answers] == [202, 202]
        assert len({answer.json()["id"] for answer in answers}) == 1
    assert stack.redis.xlen(PREDICTIONS.stream) == 100
    for caller in callers:
        caller.close()
