"""Redis is not trusted: an entry or a record that cannot be read is given up alone, and the others go on."""

from collections.abc import Callable
from typing import Any

import pytest
from redis import Redis

from jobs.batches.consumer import BatchConsumer
from jobs.batches.store import BatchStore
from jobs.batches.tasks import PLAN
from jobs.predictions.consumer import PredictionConsumer
from jobs.predictions.store import PredictionStore
from jobs.queues.names import BATCHES, GROUP, PREDICTIONS
from jobs.settings import Settings
from tests.unit.conftest import MANY, Clock, Read, job, jobs_of, scored
from tests.unit.jobs.batches.conftest import add, take

Spoil = Callable[[Redis, str], Any]

RECORDS: dict[str, Spoil] = {
    "text as attempt": lambda redis, job_id: redis.hset(f"job:{job_id}", "attempt", "many"),
    "a string": lambda redis, job_id: (redis.delete(f"job:{job_id}"), redis.set(f"job:{job_id}", "x")),
    "a list": lambda redis, job_id: (redis.delete(f"job:{job_id}"), redis.rpush(f"job:{job_id}", "x")),
    "inputs that are no JSON": lambda redis, job_id: redis.hset(f"job:{job_id}", "inputs", "[2.5"),
    "inputs that are no rows": lambda redis, job_id: redis.hset(f"job:{job_id}", "inputs", "{}"),
    "no inputs": lambda redis, job_id: redis.hdel(f"job:{job_id}", "inputs"),
    "no model": lambda redis, job_id: redis.hdel(f"job:{job_id}", "model"),
    "a model that is no text": lambda redis, job_id: redis.hset(f"job:{job_id}", "model", b"\xff"),
    "rows that were lost": lambda redis, job_id: redis.hset(f"job:{job_id}", "lost", "first"),
}


@pytest.fixture(params=RECORDS)
def spoil(request: pytest.FixtureRequest) -> Spoil:
    return RECORDS[request.param]


def nothing_is_left(redis: Redis) -> bool:
    pending: Any = redis.xpending(PREDICTIONS.stream, GROUP)
    return pending["pending"] == 0 and sum(redis.xlen(stream) for stream in PREDICTIONS.streams) == 0


def test_a_claim_goes_on_without_a_record_that_cannot_be_read(
    store: PredictionStore, consumer: PredictionConsumer, redis: Redis, spoil: Spoil
) -> None:
    first, bad, last = jobs_of(1, 2, 3)
    store.add([first, bad, last])
    spoil(redis, bad.id)
    claims = consumer.claim("child", "wake_up", MANY)
    assert [claim.id for claim in claims] == [first.id, last.id]
    assert len(consumer.record([scored(claim) for claim in claims])) == 2
    assert nothing_is_left(redis)


def test_a_sweep_goes_on_without_a_record_that_cannot_be_read(
    store: PredictionStore, consumer: PredictionConsumer, redis: Redis, clock: Clock, spoil: Spoil
) -> None:
    first, bad, last = jobs_of(1, 2, 3)
    store.add([first, bad, last])
    consumer.claim("lost", "wake_up", MANY)
    spoil(redis, bad.id)
    clock.forward(16)
    consumer.sweep(0)
    claimed = [claim for _ in range(3) for claim in consumer.claim("child", "wake_up", MANY)]
    assert {claim.id for claim in claimed} == {first.id, last.id}
    consumer.record([scored(claim) for claim in claimed])
    assert nothing_is_left(redis)


def test_results_are_recorded_without_that_of_a_record_that_cannot_be_read(
    store: PredictionStore, consumer: PredictionConsumer, redis: Redis, read: Read
) -> None:
    jobs = jobs_of(1, 2, 3)
    store.add(jobs)
    outcomes = [scored(claim) for claim in consumer.claim("child", "wake_up", MANY)]
    RECORDS["a string"](redis, jobs[1].id)
    assert consumer.record(outcomes) == [outcomes[0], outcomes[2]]
    assert read(jobs[2].id).status == "succeeded"


@pytest.mark.parametrize("reason", ["text as attempt", "inputs that are no JSON", "no inputs"])
def test_a_job_that_was_given_up_has_failed(
    store: PredictionStore, consumer: PredictionConsumer, redis: Redis, read: Read, reason: str
) -> None:
    store.add([bad := job()])
    RECORDS[reason](redis, bad.id)
    assert consumer.claim("child", "wake_up", MANY) == []
    redis.hdel(f"job:{bad.id}", "attempt")
    assert read(bad.id).status == "failed"
    assert b'"unreadable"' in (read(bad.id).error or b"")
    assert redis.ttl(f"job:{bad.id}") > 0


@pytest.mark.parametrize(
    "fields",
    [
        {"id": "x"},
        {"x": "y"},
        {"id": "x", "rows": "many"},
        {"id": "x", "rows": "-5"},
        {"id": "x", "rows": "inf"},
        {"id": "x", "rows": "2.5"},
        {"id": "x", "rows": "1e300"},
        {"id": b"\xff", "rows": 0},
    ],
)
def test_an_entry_that_names_no_job_is_dropped(
    store: PredictionStore, consumer: PredictionConsumer, redis: Redis, fields: dict[Any, Any]
) -> None:
    redis.xadd(PREDICTIONS.stream, fields, id="1-0")
    redis.set("queue:predictions:added", 1)
    store.add([good := job()])
    claims = consumer.claim("child", "wake_up", MANY)
    assert [claim.id for claim in claims] == [good.id]
    consumer.record([scored(claim) for claim in claims])
    assert nothing_is_left(redis)


@pytest.mark.parametrize(
    ("field", "value"),
    [("options", "{"), ("options", "[]"), ("model", b"\xff"), ("options", None)],
)
def test_a_batch_that_cannot_be_read_is_given_up_alone(
    redis: Redis, settings: Settings, field: str, value: Any
) -> None:
    store, consumer = BatchStore(redis, settings), BatchConsumer(redis, settings)
    bad, good = add(store), add(store)
    key = f"job:{bad}"
    redis.hdel(key, field) if value is None else redis.hset(key, field, value)
    assert consumer.claim("child", "wake_up") is None
    assert (take(consumer).id, redis.hget(key, "status")) == (good, b"failed")
    assert redis.smembers("batches:open") == {good.encode()}


@pytest.mark.parametrize("field", ["chunks", "next", "total", "planned", "rows", "bytes"])
def test_a_batch_with_a_count_that_is_no_number_is_given_up_before_a_step_fails(
    redis: Redis, settings: Settings, field: str
) -> None:
    store, consumer = BatchStore(redis, settings), BatchConsumer(redis, settings)
    bad, good = add(store), add(store)
    counts: Any = {"chunks": 3, "next": 1, field: "many"}
    redis.hset(f"job:{bad}", mapping=counts)
    assert (take(consumer).id, redis.hget(f"job:{bad}", "status")) == (good, b"failed")
    assert redis.smembers("batches:open") == {good.encode()}


def test_the_sweep_of_batches_goes_on_without_a_record_that_cannot_be_read(
    redis: Redis, settings: Settings, clock: Clock
) -> None:
    store, consumer = BatchStore(redis, settings), BatchConsumer(redis, settings)
    bad, good = add(store), add(store)
    take(consumer, "lost")
    take(consumer, "lost")
    RECORDS["a string"](redis, bad)
    redis.zadd("queue:batches:deadlines", {"no job": 0, bad: 1})
    clock.forward(16)
    assert consumer.sweep(0).requeued == 1
    task = take(consumer)
    assert (task.id, task.task) == (good, PLAN)
    assert redis.xlen(BATCHES.stream) == 1
