"""A consumer claims about as many rows as it asks for, in the order in which they were added."""

import pytest
from redis import Redis

from jobs.predictions.consumer import PredictionConsumer
from jobs.predictions.status import PredictionStatus
from jobs.predictions.store import PredictionStore
from jobs.queues.names import GROUP, PREDICTIONS
from tests.unit.conftest import MANY, SHA, Clock, Read, job, jobs_of


def years(consumer: PredictionConsumer, rows: int = MANY) -> list[list[list[float]]]:
    return [claim.rows for claim in consumer.claim("child", "wake_up", rows)]


def lose(consumer: PredictionConsumer, clock: Clock, rows: int = MANY) -> None:
    """A consumer claims jobs and is lost, and the sweeper requeues them."""
    consumer.claim("lost", "wake_up", rows)
    clock.forward(16)
    consumer.sweep(0)


def test_jobs_are_claimed_in_the_order_in_which_they_came(
    store: PredictionStore, consumer: PredictionConsumer
) -> None:
    store.add(jobs_of(1, 2))
    store.add(jobs_of(3))
    assert years(consumer) == [[[1]], [[2]], [[3]]]


def test_a_claim_takes_as_many_rows_as_it_asks_for(
    store: PredictionStore, consumer: PredictionConsumer
) -> None:
    store.add(jobs_of(*range(50)))
    assert [len(consumer.claim("child", "wake_up", rows)) for rows in (1, 20, MANY, 1)] == [1, 20, 29, 0]


def test_no_two_consumers_claim_the_same_job(store: PredictionStore, consumer: PredictionConsumer) -> None:
    store.add(jobs_of(1, 2, 3))
    [[one], [other], [third]] = [consumer.claim(child, "wake_up", 1) for child in ("anna", "ben", "anna")]
    assert [one.rows, other.rows, third.rows] == [[[1]], [[2]], [[3]]]


def test_a_list_counts_by_its_rows(store: PredictionStore, consumer: PredictionConsumer) -> None:
    store.add([job(*[[10.0 * number + row] for row in range(10)]) for number in range(20)])
    rows = [row for claim in consumer.claim("child", "wake_up", 15) for row in claim.rows]
    assert rows[:2] == [[0.0], [1.0]]
    assert 15 <= len(rows) < 30


def test_a_claim_holds_everything_that_scoring_needs(
    store: PredictionStore, consumer: PredictionConsumer, read: Read
) -> None:
    single, several = job([1.5, "gas", None]), job([2.5, "oil", 1], model="rent@7", sha256="07" * 32)
    several.inputs = b"[%b]" % several.inputs
    store.add([single, several])
    one, other = consumer.claim("child", "wake_up", MANY)
    assert (one.id, one.model, one.sha256, one.attempt) == (single.id, "salary@1", SHA, 1)
    assert (one.rows, one.listed) == ([[1.5, "gas", None]], False)
    assert (other.id, other.model, other.sha256) == (several.id, "rent@7", "07" * 32)
    assert (other.rows, other.listed) == ([[2.5, "oil", 1]], True)
    assert read(single.id).status is read(several.id).status is PredictionStatus.RUNNING


def test_a_canceled_job_is_dropped(
    store: PredictionStore, consumer: PredictionConsumer, redis: Redis
) -> None:
    one, two, three = jobs_of(1, 2, 3)
    store.add([one, two, three])
    store.cancel(two.id)
    assert years(consumer) == [[[1]], [[3]]]
    assert redis.xlen(PREDICTIONS.stream) == 2


def test_canceled_jobs_do_not_use_up_a_claim(store: PredictionStore, consumer: PredictionConsumer) -> None:
    waiting = jobs_of(1, 2, 3, 4)
    store.add(waiting)
    for canceled in waiting[:3]:
        store.cancel(canceled.id)
    assert years(consumer, rows=2) == [[[4]]]


def test_a_job_whose_record_is_gone_is_dropped(
    store: PredictionStore, consumer: PredictionConsumer, redis: Redis
) -> None:
    gone, here = jobs_of(1, 2)
    store.add([gone, here])
    redis.delete(f"job:{gone.id}")
    assert years(consumer) == [[[2]]]
    assert redis.exists(f"job:{gone.id}") == 0


def test_a_job_of_a_lost_worker_is_claimed_alone_and_first(
    store: PredictionStore, consumer: PredictionConsumer, clock: Clock
) -> None:
    store.add(jobs_of(1, 2))
    lose(consumer, clock)
    store.add(jobs_of(3, 4))
    assert [years(consumer) for _ in range(4)] == [[[[1]]], [[[2]]], [[[3]], [[4]]], []]


def test_each_claim_counts_as_an_attempt(
    store: PredictionStore, consumer: PredictionConsumer, clock: Clock, read: Read
) -> None:
    store.add([a_job := job()])
    attempts = [read(a_job.id).attempt]
    for _ in range(2):
        lose(consumer, clock)
        attempts.append(read(a_job.id).attempt)
    [claim] = consumer.claim("child", "wake_up", MANY)
    assert [*attempts, claim.attempt, read(a_job.id).attempt] == [0, 1, 2, 3, 3]


def test_a_canceled_job_of_a_lost_worker_does_not_hide_the_others(
    store: PredictionStore, consumer: PredictionConsumer, clock: Clock
) -> None:
    store.add([lost := job([1.0])])
    lose(consumer, clock)
    store.cancel(lost.id)
    store.add([job([2.0])])
    assert years(consumer) == [[[2]]]


def test_wait_returns_the_entry_that_the_next_claim_begins_with(
    store: PredictionStore, consumer: PredictionConsumer, read: Read
) -> None:
    first, second = jobs_of(1, 2)
    store.add([first, second])
    entries = consumer.read("child", 1, 100)
    assert read(first.id).status is PredictionStatus.QUEUED
    claims = consumer.claim("child", "wake_up", MANY, entries)
    assert [claim.id for claim in claims] == [first.id, second.id]


def test_wait_returns_nothing_while_the_queue_is_empty(consumer: PredictionConsumer) -> None:
    assert consumer.wait("child", 10) is None


def test_a_consumer_cannot_claim_an_entry_that_was_requeued_in_the_meantime(
    store: PredictionStore, consumer: PredictionConsumer, clock: Clock, read: Read
) -> None:
    store.add([a_job := job()])
    entries = consumer.read("slow", 1, 100)
    clock.forward(16)
    consumer.sweep(0)
    assert consumer.claim("slow", "wake_up", MANY, entries) == []
    assert read(a_job.id).status is PredictionStatus.QUEUED
    [claim] = consumer.claim("quick", "wake_up", MANY)
    assert (claim.id, claim.attempt) == (a_job.id, 2)  # the slow one may have scored its row


def test_a_job_canceled_after_its_entry_was_read_is_not_started(
    store: PredictionStore, consumer: PredictionConsumer
) -> None:
    store.add([a_job := job()])
    entries = consumer.read("child", 1, 100)
    assert store.cancel(a_job.id) is PredictionStatus.CANCELED
    assert consumer.claim("child", "wake_up", MANY, entries) == []


@pytest.mark.parametrize("stream", [PREDICTIONS.stream, PREDICTIONS.streams[1]])
def test_a_missing_consumer_group_is_created(
    store: PredictionStore, consumer: PredictionConsumer, redis: Redis, stream: str
) -> None:
    store.add(jobs_of(1))
    redis.xgroup_destroy(stream, GROUP)
    assert years(consumer) == [[[1]]]
    redis.xgroup_destroy(stream, GROUP)
    assert consumer.sweep(0).wake_ups == []
