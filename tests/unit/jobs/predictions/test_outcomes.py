"""A job ends once: with the outcome of its current attempt, or canceled before it starts."""

import pytest
from redis import Redis
from redis.client import PubSub

from jobs.predictions.consumer import Claim, Outcome, PredictionConsumer
from jobs.predictions.status import PredictionStatus
from jobs.predictions.store import PredictionStore
from jobs.queues.ended import JobEnded
from jobs.queues.names import PREDICTIONS
from tests.unit.conftest import MANY, Clock, Read, job, jobs_of, listen, outputs_for, scored

FAILURE = b'{"type":"not_scored","detail":"why"}'


@pytest.fixture
def claim(store: PredictionStore, consumer: PredictionConsumer) -> Claim:
    store.add([job()])
    [claimed] = consumer.claim("child", "wake_up", MANY)
    return claimed


@pytest.fixture
def listener(redis: Redis) -> PubSub:
    return listen(redis, "ended:one", "ended:other")


def informed(listener: PubSub) -> list[tuple[str, set[str]]]:
    """Channel and ids of each message."""
    messages = [listener.get_message() for _ in range(5)]
    return [
        (m["channel"].decode(), {end.job_id for end in JobEnded.read_all(m["data"])}) for m in messages if m
    ]


def test_each_job_gets_its_own_outcome(
    store: PredictionStore, consumer: PredictionConsumer, read: Read
) -> None:
    three = jobs_of(1, 2, 3)
    store.add(three)
    one, two, last = consumer.claim("child", "wake_up", MANY)
    partly = Outcome(last, PredictionStatus.PARTIALLY_SUCCEEDED, outputs_for(last.rows))
    assert (
        len(consumer.record([partly, scored(one), Outcome(two, PredictionStatus.FAILED, error=FAILURE)])) == 3
    )
    assert [(read(each.id).status, read(each.id).outputs, read(each.id).error) for each in three] == [
        (PredictionStatus.SUCCEEDED, outputs_for([[1]]), None),
        (PredictionStatus.FAILED, None, FAILURE),
        (PredictionStatus.PARTIALLY_SUCCEEDED, outputs_for([[3]]), None),
    ]


def test_final_is_final(consumer: PredictionConsumer, claim: Claim, read: Read) -> None:
    assert len(consumer.record([scored(claim)])) == 1
    before = read(claim.id)
    failed = Outcome(claim, PredictionStatus.FAILED, error=FAILURE)
    assert len(consumer.record([failed, failed])) == len(consumer.record([scored(claim)])) == 0
    assert read(claim.id) == before


def test_a_stale_attempt_changes_nothing(
    consumer: PredictionConsumer, claim: Claim, clock: Clock, read: Read
) -> None:
    clock.forward(16)
    consumer.sweep(0)
    assert len(consumer.record([scored(claim)])) == 0
    assert read(claim.id).status is PredictionStatus.QUEUED
    [current] = consumer.claim("another", "wake_up", MANY)
    assert len(consumer.record([scored(claim)])) == 0
    assert read(claim.id).status is PredictionStatus.RUNNING
    assert len(consumer.record([scored(current)])) == 1


def test_a_stale_attempt_does_not_keep_others_of_its_micro_batch_from_being_recorded(
    store: PredictionStore, consumer: PredictionConsumer, claim: Claim, clock: Clock
) -> None:
    clock.forward(16)
    consumer.sweep(0)
    store.add([job([7.0])])
    consumer.claim("another", "wake_up", MANY)
    [other] = consumer.claim("child", "wake_up", MANY)
    assert len(consumer.record([scored(claim), scored(other)])) == 1


def test_an_ended_job_leaves_the_queue_and_loses_its_inputs_and_expires(
    store: PredictionStore, consumer: PredictionConsumer, redis: Redis, claim: Claim
) -> None:
    key = f"job:{claim.id}"
    assert redis.ttl(key) == -1
    consumer.record([scored(claim)])
    assert redis.xlen(PREDICTIONS.stream) == redis.xpending(PREDICTIONS.stream, "workers")["pending"] == 0
    assert not redis.hexists(key, "inputs")
    assert 0 < redis.pttl(key) <= store.retention_ms


def test_after_the_retention_the_record_is_gone(
    store: PredictionStore, consumer: PredictionConsumer, claim: Claim, clock: Clock
) -> None:
    consumer.record([scored(claim)])
    clock.forward(store.retention_ms / 1000 + 1)
    assert store.read([claim.id]) == [None]


def test_recording_a_job_whose_record_is_gone_creates_no_record(
    consumer: PredictionConsumer, redis: Redis, claim: Claim
) -> None:
    redis.delete(f"job:{claim.id}")
    assert len(consumer.record([scored(claim)])) == 0
    assert redis.exists(f"job:{claim.id}") == 0


def test_each_watcher_is_informed_once(
    store: PredictionStore, consumer: PredictionConsumer, redis: Redis, listener: PubSub
) -> None:
    mine, shared, nobodys = (
        job([1.0], watcher="ended:one"),
        job([2.0], watcher="ended:one"),
        job([3.0]),
    )
    store.add([mine, shared, nobodys])
    store.read([shared.id], watcher="ended:other")
    outcomes = [scored(claim) for claim in consumer.claim("child", "wake_up", MANY)]
    assert informed(listener) == []
    consumer.record(outcomes)
    consumer.record(outcomes)
    assert sorted(informed(listener)) == [("ended:one", {mine.id, shared.id}), ("ended:other", {shared.id})]


def test_a_message_gives_the_same_record_as_reading_does(
    store: PredictionStore, consumer: PredictionConsumer, listener: PubSub, read: Read
) -> None:
    a_job = job([2.5], watcher="ended:one")
    store.add([a_job])
    queued = read(a_job.id)
    [claim] = consumer.claim("child", "wake_up", MANY)
    consumer.record([scored(claim)])
    [message] = JobEnded.read_all(listener.get_message()["data"])
    assert message.inlined
    assert queued.after(message) == read(a_job.id)


def test_long_outputs_are_not_inlined(
    store: PredictionStore, consumer: PredictionConsumer, listener: PubSub
) -> None:
    store.add([job([2.5], watcher="ended:one")])
    [claim] = consumer.claim("child", "wake_up", MANY)
    consumer.record([Outcome(claim, PredictionStatus.SUCCEEDED, b"1" * 5_000)])
    [message] = JobEnded.read_all(listener.get_message()["data"])
    assert not message.inlined


def test_a_watcher_that_reads_repeatedly_is_informed_once(
    store: PredictionStore, consumer: PredictionConsumer, redis: Redis, listener: PubSub, claim: Claim
) -> None:
    for _ in range(3):
        store.read([claim.id], watcher="ended:one")
    assert redis.hget(f"job:{claim.id}", "watchers") == b"ended:one"
    consumer.record([scored(claim)])
    assert informed(listener) == [("ended:one", {claim.id})]


def test_a_watcher_whose_name_is_part_of_another_is_informed_too(
    store: PredictionStore, consumer: PredictionConsumer, listener: PubSub, claim: Claim
) -> None:
    store.read([claim.id], watcher="ended:one-more")
    store.read([claim.id], watcher="ended:one")
    consumer.record([scored(claim)])
    assert informed(listener) == [("ended:one", {claim.id})]


def test_an_ended_job_accepts_no_watchers(
    store: PredictionStore, consumer: PredictionConsumer, redis: Redis, claim: Claim
) -> None:
    consumer.record([scored(claim)])
    store.read([claim.id], watcher="ended:one")
    assert not redis.hexists(f"job:{claim.id}", "watchers")


def test_a_queued_job_can_be_canceled(
    store: PredictionStore, read: Read, listener: PubSub, redis: Redis
) -> None:
    store.add([a_job := job(watcher="ended:one")])
    assert store.cancel(a_job.id) is store.cancel(a_job.id) is PredictionStatus.CANCELED
    assert read(a_job.id).finished is not None
    assert redis.pttl(f"job:{a_job.id}") > 0
    assert informed(listener) == [("ended:one", {a_job.id})]


def test_a_running_or_ended_job_cannot_be_canceled(
    store: PredictionStore, consumer: PredictionConsumer, claim: Claim, read: Read
) -> None:
    assert store.cancel(claim.id) is read(claim.id).status is PredictionStatus.RUNNING
    consumer.record([scored(claim)])
    assert store.cancel(claim.id) is read(claim.id).status is PredictionStatus.SUCCEEDED


def test_an_unknown_job_cannot_be_canceled(store: PredictionStore, redis: Redis) -> None:
    absent = job()
    assert store.cancel(absent.id) is None
    assert redis.exists(f"job:{absent.id}") == 0
