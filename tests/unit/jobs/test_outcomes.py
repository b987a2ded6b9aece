"""Final is final: a job ends once, with the outcome of its current attempt, or canceled before it starts."""

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
def claim(store: PredictionStore, line: PredictionConsumer) -> Claim:
    store.add([job()])
    [claimed] = line.claim("child", "wake_up", MANY)
    return claimed


@pytest.fixture
def listener(redis: Redis) -> PubSub:
    return listen(redis, "ended:one", "ended:other")


def told(listener: PubSub) -> list[tuple[str, set[str]]]:
    """Channel and ids of each message."""
    messages = [listener.get_message() for _ in range(5)]
    return [
        (m["channel"].decode(), {end.job_id for end in JobEnded.read_all(m["data"])}) for m in messages if m
    ]


def test_each_job_gets_its_own_outcome(store: PredictionStore, line: PredictionConsumer, read: Read) -> None:
    three = jobs_of(1, 2, 3)
    store.add(three)
    one, two, last = line.claim("child", "wake_up", MANY)
    partly = Outcome(last, PredictionStatus.PARTIALLY_SUCCEEDED, outputs_for(last.rows))
    assert len(line.record([partly, scored(one), Outcome(two, PredictionStatus.FAILED, error=FAILURE)])) == 3
    assert [(read(each.id).status, read(each.id).outputs, read(each.id).error) for each in three] == [
        (PredictionStatus.SUCCEEDED, outputs_for([[1]]), None),
        (PredictionStatus.FAILED, None, FAILURE),
        (PredictionStatus.PARTIALLY_SUCCEEDED, outputs_for([[3]]), None),
    ]


def test_final_is_final(line: PredictionConsumer, claim: Claim, read: Read) -> None:
    assert len(line.record([scored(claim)])) == 1
    before = read(claim.id)
    failed = Outcome(claim, PredictionStatus.FAILED, error=FAILURE)
    assert len(line.record([failed, failed])) == len(line.record([scored(claim)])) == 0
    assert read(claim.id) == before


def test_an_outdated_attempt_changes_nothing(
    line: PredictionConsumer, claim: Claim, clock: Clock, read: Read
) -> None:
    clock.forward(16)
    line.sweep(0)
    assert len(line.record([scored(claim)])) == 0
    assert read(claim.id).status is PredictionStatus.QUEUED
    [current] = line.claim("another", "wake_up", MANY)
    assert len(line.record([scored(claim)])) == 0
    assert read(claim.id).status is PredictionStatus.RUNNING
    assert len(line.record([scored(current)])) == 1


def test_an_outdated_attempt_does_not_keep_its_mates_from_counting(
    store: PredictionStore, line: PredictionConsumer, claim: Claim, clock: Clock
) -> None:
    clock.forward(16)
    line.sweep(0)
    store.add([job([7.0])])
    line.claim("another", "wake_up", MANY)
    [mate] = line.claim("child", "wake_up", MANY)
    assert len(line.record([scored(claim), scored(mate)])) == 1


def test_an_ended_job_leaves_the_line_and_its_inputs_and_will_expire(
    store: PredictionStore, line: PredictionConsumer, redis: Redis, claim: Claim
) -> None:
    key = f"job:{claim.id}"
    assert redis.ttl(key) == -1
    line.record([scored(claim)])
    assert redis.xlen(PREDICTIONS.stream) == redis.xpending(PREDICTIONS.stream, "workers")["pending"] == 0
    assert not redis.hexists(key, "inputs")
    assert 0 < redis.pttl(key) <= store.retention_ms


def test_after_the_retention_the_record_is_gone(
    store: PredictionStore, line: PredictionConsumer, claim: Claim, clock: Clock
) -> None:
    line.record([scored(claim)])
    clock.forward(store.retention_ms / 1000 + 1)
    assert store.read([claim.id]) == [None]


def test_a_record_that_is_gone_does_not_come_back(
    line: PredictionConsumer, redis: Redis, claim: Claim
) -> None:
    redis.delete(f"job:{claim.id}")
    assert len(line.record([scored(claim)])) == 0
    assert redis.exists(f"job:{claim.id}") == 0


def test_watchers_are_told_once(
    store: PredictionStore, line: PredictionConsumer, redis: Redis, listener: PubSub
) -> None:
    mine, shared, nobodys = (
        job([1.0], watcher="ended:one"),
        job([2.0], watcher="ended:one"),
        job([3.0]),
    )
    store.add([mine, shared, nobodys])
    store.read([shared.id], watcher="ended:other")
    outcomes = [scored(claim) for claim in line.claim("child", "wake_up", MANY)]
    assert told(listener) == []
    line.record(outcomes)
    line.record(outcomes)
    assert sorted(told(listener)) == [("ended:one", {mine.id, shared.id}), ("ended:other", {shared.id})]


def test_a_watcher_is_told_what_the_record_says(
    store: PredictionStore, line: PredictionConsumer, listener: PubSub, read: Read
) -> None:
    a_job = job([2.5], watcher="ended:one")
    store.add([a_job])
    queued = read(a_job.id)
    [claim] = line.claim("child", "wake_up", MANY)
    line.record([scored(claim)])
    [message] = JobEnded.read_all(listener.get_message()["data"])
    assert message.inlined
    assert queued.ended(message) == read(a_job.id)


def test_long_outputs_are_to_be_read_not_told(
    store: PredictionStore, line: PredictionConsumer, listener: PubSub
) -> None:
    store.add([job([2.5], watcher="ended:one")])
    [claim] = line.claim("child", "wake_up", MANY)
    line.record([Outcome(claim, PredictionStatus.SUCCEEDED, b"1" * 5_000)])
    [message] = JobEnded.read_all(listener.get_message()["data"])
    assert not message.inlined


def test_a_watcher_that_reads_again_and_again_is_told_once(
    store: PredictionStore, line: PredictionConsumer, redis: Redis, listener: PubSub, claim: Claim
) -> None:
    for _ in range(3):
        store.read([claim.id], watcher="ended:one")
    assert redis.hget(f"job:{claim.id}", "watchers") == b"ended:one"
    line.record([scored(claim)])
    assert told(listener) == [("ended:one", {claim.id})]


def test_a_watcher_whose_name_is_part_of_another_is_told_too(
    store: PredictionStore, line: PredictionConsumer, listener: PubSub, claim: Claim
) -> None:
    store.read([claim.id], watcher="ended:one-more")
    store.read([claim.id], watcher="ended:one")
    line.record([scored(claim)])
    assert told(listener) == [("ended:one", {claim.id})]


def test_an_ended_job_takes_no_watchers(
    store: PredictionStore, line: PredictionConsumer, redis: Redis, claim: Claim
) -> None:
    line.record([scored(claim)])
    store.read([claim.id], watcher="ended:one")
    assert not redis.hexists(f"job:{claim.id}", "watchers")


def test_a_job_that_waits_is_canceled(
    store: PredictionStore, read: Read, listener: PubSub, redis: Redis
) -> None:
    store.add([a_job := job(watcher="ended:one")])
    assert store.cancel(a_job.id) is store.cancel(a_job.id) is PredictionStatus.CANCELED
    assert read(a_job.id).finished is not None
    assert redis.pttl(f"job:{a_job.id}") > 0
    assert told(listener) == [("ended:one", {a_job.id})]


def test_a_job_that_runs_or_ended_is_not_canceled(
    store: PredictionStore, line: PredictionConsumer, claim: Claim, read: Read
) -> None:
    assert store.cancel(claim.id) is read(claim.id).status is PredictionStatus.RUNNING
    line.record([scored(claim)])
    assert store.cancel(claim.id) is read(claim.id).status is PredictionStatus.SUCCEEDED


def test_a_job_that_is_not_there_cannot_be_canceled(store: PredictionStore, redis: Redis) -> None:
    absent = job()
    assert store.cancel(absent.id) is None
    assert redis.exists(f"job:{absent.id}") == 0
