"""Jobs of a lost consumer are requeued, and fail once their attempts are used up."""

import orjson
import pytest
from redis import Redis

from jobs.predictions.consumer import Claim, PredictionConsumer
from jobs.predictions.status import PredictionStatus
from jobs.predictions.store import PredictionStore
from jobs.queues.names import PREDICTIONS
from jobs.settings import Settings
from tests.unit.conftest import MANY, Clock, Read, job, jobs_of, listen, scored

UNAVAILABLE = b'{"type":"model_unavailable","detail":"no worker could load salary@1"}'


def claim_all(consumer: PredictionConsumer) -> list[Claim]:
    """Claims until the queue is empty: jobs of lost workers are claimed one by one."""
    claims: list[Claim] = []
    while more := consumer.claim("child", "wake_up", MANY):
        claims += more
    return claims


def after_the_lease(consumer: PredictionConsumer, clock: Clock) -> tuple[int, int]:
    clock.forward(16)
    swept = consumer.sweep(0)
    return swept.requeued, swept.given_up


def error_of(read: Read, job_id: str) -> str:
    error = read(job_id).error
    assert error is not None
    return str(orjson.loads(error)["type"])


def test_a_claim_is_requeued_after_its_lease_and_not_before(
    store: PredictionStore, consumer: PredictionConsumer, clock: Clock, read: Read
) -> None:
    store.add([a_job := job()])
    consumer.claim("lost", "wake_up", MANY)
    clock.forward(13)
    assert consumer.sweep(0).requeued == 0
    assert read(a_job.id).status is PredictionStatus.RUNNING
    clock.forward(2)
    assert consumer.sweep(0).requeued == 1
    assert read(a_job.id).status is PredictionStatus.QUEUED


def test_a_job_that_is_recorded_in_time_is_not_requeued(
    store: PredictionStore, consumer: PredictionConsumer, clock: Clock
) -> None:
    store.add(jobs_of(1, 2))
    lost, recorded = consumer.claim("child", "wake_up", MANY)
    consumer.record([scored(recorded)])
    assert after_the_lease(consumer, clock) == (1, 0)
    assert [claim.id for claim in claim_all(consumer)] == [lost.id]


def test_waiting_jobs_are_not_requeued(
    store: PredictionStore, consumer: PredictionConsumer, clock: Clock, redis: Redis
) -> None:
    store.add(jobs_of(1, 2))
    assert after_the_lease(consumer, clock) == (0, 0)
    assert redis.xlen(PREDICTIONS.stream) == 2


def test_more_jobs_than_one_command_finds_are_all_requeued(
    store: PredictionStore, consumer: PredictionConsumer, clock: Clock
) -> None:
    store.add(jobs_of(*range(250)))
    consumer.claim("lost", "wake_up", MANY)
    assert after_the_lease(consumer, clock) == (250, 0)
    assert [claim.rows for claim in claim_all(consumer)] == [[[years]] for years in range(250)]


def test_a_job_fails_after_its_third_loss(
    store: PredictionStore, consumer: PredictionConsumer, clock: Clock, read: Read, redis: Redis
) -> None:
    store.add([a_job := job()])
    swept = []
    for _ in range(3):
        claim_all(consumer)
        swept.append(after_the_lease(consumer, clock))
    assert swept == [(1, 0), (1, 0), (0, 1)]
    assert read(a_job.id).status is PredictionStatus.FAILED
    assert error_of(read, a_job.id) == "worker_lost"
    assert redis.xlen(PREDICTIONS.streams[1]) == redis.xlen(PREDICTIONS.stream) == 0
    assert redis.pttl(f"job:{a_job.id}") > 0


def test_a_row_that_kills_workers_fails_alone(
    store: PredictionStore, consumer: PredictionConsumer, clock: Clock, read: Read
) -> None:
    killer, *others = jobs_of(666, 1, 2)
    store.add([others[0], killer, others[1]])
    consumer.claim("lost", "wake_up", MANY)
    for _ in range(3):
        after_the_lease(consumer, clock)
        consumer.record([scored(claim) for claim in claim_all(consumer) if claim.id != killer.id])
    assert error_of(read, killer.id) == "worker_lost"
    assert [read(other.id).status for other in others] == [PredictionStatus.SUCCEEDED] * 2


def test_requeuing_an_entry_that_was_only_read_uses_up_no_attempt(
    store: PredictionStore, consumer: PredictionConsumer, clock: Clock, read: Read
) -> None:
    store.add([a_job := job([1.0], [2.0])])  # a list, which its entry does not carry
    for _ in range(4):
        consumer.wait("lost", 100)
        assert after_the_lease(consumer, clock)[1] == 0
    assert read(a_job.id).attempt == 0
    assert [claim.attempt for claim in claim_all(consumer)] == [1]


def test_a_canceled_or_deleted_job_of_a_lost_consumer_leaves_the_queue(
    store: PredictionStore, consumer: PredictionConsumer, clock: Clock, redis: Redis
) -> None:
    canceled, gone = jobs_of(1, 2)
    store.add([canceled, gone])
    for each in (canceled, gone):
        consumer.wait("lost", 100)
        store.cancel(each.id)
    redis.delete(f"job:{gone.id}")
    assert after_the_lease(consumer, clock) == (0, 0)
    assert (
        redis.xlen(PREDICTIONS.stream)
        == redis.xlen(PREDICTIONS.streams[1])
        == redis.xpending(PREDICTIONS.stream, "workers")["pending"]
        == 0
    )
    assert redis.exists(f"job:{gone.id}") == 0


def test_the_watchers_of_a_job_that_is_given_up_are_informed(
    store: PredictionStore, redis: Redis, clock: Clock, read: Read
) -> None:
    consumer = PredictionConsumer(redis, Settings(attempts=1))
    listener = listen(redis, "ended:me")
    store.add([a_job := job(watcher="ended:me")])
    consumer.claim("lost", "wake_up", MANY)
    assert after_the_lease(consumer, clock) == (0, 1)
    messages = [message for _ in range(3) if (message := listener.get_message())]
    assert [message["data"].split(b"\n")[0] for message in messages] == [a_job.id.encode()]


def release(consumer: PredictionConsumer) -> list[Claim]:
    claims = claim_all(consumer)
    consumer.release(claims, UNAVAILABLE)
    return claims


def test_a_released_job_runs_again_in_a_few_seconds(
    store: PredictionStore, consumer: PredictionConsumer, clock: Clock
) -> None:
    store.add(jobs_of(1, 2))
    before = release(consumer)
    clock.forward(3)
    assert consumer.sweep(0).requeued == 0
    clock.forward(2)
    assert consumer.sweep(0).requeued == 2
    assert [(claim.id, claim.attempt) for claim in claim_all(consumer)] == [(each.id, 2) for each in before]


def test_a_job_that_is_released_by_each_attempt_fails_for_that_reason(
    store: PredictionStore, consumer: PredictionConsumer, clock: Clock, read: Read
) -> None:
    store.add([a_job := job()])
    for _ in range(3):
        release(consumer)
        after_the_lease(consumer, clock)
    assert read(a_job.id).status is PredictionStatus.FAILED
    assert read(a_job.id).error == UNAVAILABLE


def test_a_job_that_is_released_and_then_scored_has_no_error(
    store: PredictionStore, consumer: PredictionConsumer, clock: Clock, read: Read
) -> None:
    store.add([a_job := job()])
    release(consumer)
    after_the_lease(consumer, clock)
    consumer.record([scored(claim) for claim in claim_all(consumer)])
    assert (read(a_job.id).status, read(a_job.id).error) == (PredictionStatus.SUCCEEDED, None)


def test_a_released_job_shows_no_error_while_it_may_succeed(
    store: PredictionStore, consumer: PredictionConsumer, clock: Clock, read: Read
) -> None:
    store.add([a_job := job()])
    release(consumer)
    after_the_lease(consumer, clock)
    assert read(a_job.id).status is PredictionStatus.QUEUED
    assert read(a_job.id).error is None


def test_a_job_that_is_released_once_and_then_lost_fails_with_worker_lost(
    store: PredictionStore, consumer: PredictionConsumer, clock: Clock, read: Read
) -> None:
    store.add([a_job := job()])
    release(consumer)
    for _ in range(3):
        after_the_lease(consumer, clock)
        claim_all(consumer)
    assert error_of(read, a_job.id) == "worker_lost"


def test_releasing_a_stale_attempt_changes_nothing(
    store: PredictionStore, consumer: PredictionConsumer, clock: Clock, read: Read
) -> None:
    store.add([a_job := job()])
    [stale] = consumer.claim("slow", "wake_up", MANY)
    after_the_lease(consumer, clock)
    [current] = claim_all(consumer)
    consumer.release([stale], UNAVAILABLE)
    clock.forward(5)
    assert consumer.sweep(0).requeued == 0
    assert len(consumer.record([scored(current)])) == 1
    assert read(a_job.id).error is None


@pytest.mark.parametrize("lease", [2, 3, 60])
def test_the_lease_is_a_setting(store: PredictionStore, redis: Redis, clock: Clock, lease: int) -> None:
    consumer = PredictionConsumer(redis, Settings(lease_seconds=lease))
    store.add([job()])
    consumer.claim("lost", "wake_up", MANY)
    clock.forward(lease - 1.6)
    assert consumer.sweep(0).requeued == 0
    clock.forward(1.7)
    assert consumer.sweep(0).requeued == 1


def test_one_worker_sweeps_at_a_time(
    store: PredictionStore, consumer: PredictionConsumer, clock: Clock
) -> None:
    store.add([job()])
    consumer.claim("lost", "wake_up", MANY)
    clock.forward(13.5)
    consumer.sweep(0)
    clock.forward(1.4)
    assert consumer.sweep(0).requeued == 0
    clock.forward(0.2)
    assert consumer.sweep(0).requeued == 1
