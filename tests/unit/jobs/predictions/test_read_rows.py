"""An entry carries a single row, so that whoever reads it can score it at once; the record follows later."""

from typing import Any

import pytest
from pydantic import SecretStr
from redis import Redis

from jobs.predictions.consumer import Claim, PredictionConsumer
from jobs.predictions.record import NewPrediction
from jobs.predictions.status import PredictionStatus
from jobs.predictions.store import PredictionStore
from jobs.queues.names import PREDICTIONS
from jobs.settings import Settings
from tests.unit.conftest import MANY, SHA, Clock, Read, job, jobs_of, living, scored

UNAVAILABLE = b'{"type":"model_unavailable","detail":"no worker could load salary@1"}'


def read_rows(consumer: PredictionConsumer, name: str = "child") -> list[Claim]:
    """What a consumer gets that waits for jobs."""
    return consumer.wait_and_claim(name, "wake_up", MANY, True, 1)


def lose(consumer: PredictionConsumer, clock: Clock) -> None:
    read_rows(consumer, "lost")
    clock.forward(16)
    consumer.sweep(0)


def carried(redis: Redis, stream: str = PREDICTIONS.stream) -> list[bool]:
    """Whether each entry carries a row."""
    entries: Any = redis.xrange(stream)
    return [b"inputs" in fields for _, fields in entries]


def test_a_row_is_claimed_by_being_read_and_ends_as_any_other(
    store: PredictionStore, consumer: PredictionConsumer, redis: Redis, read: Read
) -> None:
    store.add([a_job := job([1.5, "gas", None])])
    [claim] = read_rows(consumer)
    assert (claim.id, claim.rows, claim.attempt) == (a_job.id, [[1.5, "gas", None]], 1)
    assert (claim.model, claim.sha256, claim.listed) == ("salary@1", SHA, False)
    assert read(a_job.id).status is PredictionStatus.QUEUED
    assert len(consumer.record([scored(claim)])) == 1
    record = read(a_job.id)
    assert (record.status, record.attempt) == (PredictionStatus.SUCCEEDED, 1)
    assert record.started is not None
    assert redis.xlen(PREDICTIONS.stream) == int(redis.get(PREDICTIONS.rows) or 0) == 0
    assert not redis.hexists(f"job:{a_job.id}", "inputs")


def test_while_several_rows_come_together_a_script_claims_them(
    store: PredictionStore, consumer: PredictionConsumer, read: Read
) -> None:
    consumer.claim("child", "wake_up", MANY)  # by which it is known how many rows a claim has
    store.add(added := jobs_of(1, 2))
    assert [claim.id for claim in consumer.wait_and_claim("child", "wake_up", MANY, False, 1)] == [
        each.id for each in added
    ]
    assert {read(each.id).status for each in added} == {PredictionStatus.RUNNING}


def test_a_row_that_is_canceled_after_it_was_read_stays_canceled(
    store: PredictionStore, consumer: PredictionConsumer, read: Read, redis: Redis
) -> None:
    store.add([a_job := job()])
    [claim] = read_rows(consumer)
    assert store.cancel(a_job.id) is PredictionStatus.CANCELED
    assert consumer.record([scored(claim)]) == []
    assert read(a_job.id).status is PredictionStatus.CANCELED
    assert redis.xlen(PREDICTIONS.stream) == int(redis.get(PREDICTIONS.rows) or 0) == 0


def test_a_reader_that_is_lost_counts_as_an_attempt(
    store: PredictionStore, consumer: PredictionConsumer, clock: Clock, read: Read, redis: Redis
) -> None:
    store.add([a_job := job()])
    lose(consumer, clock)
    assert (read(a_job.id).status, read(a_job.id).attempt) == (PredictionStatus.QUEUED, 1)
    assert carried(redis, PREDICTIONS.streams[1]) == [False]
    assert int(redis.get(PREDICTIONS.rows) or 0) == 1
    [claim] = consumer.claim("child", "wake_up", MANY)
    assert claim.attempt == 2


def test_a_row_whose_readers_are_all_lost_fails(store: PredictionStore, redis: Redis, clock: Clock) -> None:
    consumer = PredictionConsumer(redis, Settings(attempts=1))
    store.add([a_job := job()])
    lose(consumer, clock)
    [record] = store.read([a_job.id])
    assert not isinstance(record, Exception | None)
    assert record.status is PredictionStatus.FAILED
    assert int(redis.get(PREDICTIONS.rows) or 0) == 0


def test_what_a_slow_reader_scored_after_its_lease_changes_nothing(
    store: PredictionStore, consumer: PredictionConsumer, clock: Clock, read: Read
) -> None:
    store.add([a_job := job()])
    [stale] = read_rows(consumer, "slow")
    clock.forward(16)
    consumer.sweep(0)
    assert consumer.record([scored(stale)]) == []
    [current] = consumer.claim("quick", "wake_up", MANY)
    assert consumer.record([scored(stale)]) == []
    assert len(consumer.record([scored(current)])) == 1
    assert read(a_job.id).attempt == 2


@pytest.mark.parametrize("other", [job([1.0], [2.0]), job(start_within=5), job(["x" * 9_000])])
def test_a_script_claims_lists_deadlines_and_long_rows(
    store: PredictionStore, consumer: PredictionConsumer, read: Read, other: NewPrediction
) -> None:
    store.add([other])
    assert [claim.id for claim in read_rows(consumer)] == [other.id]
    assert read(other.id).status is PredictionStatus.RUNNING


def test_the_rows_of_jobs_that_wait_long_are_stored_once(
    store: PredictionStore, consumer: PredictionConsumer, redis: Redis
) -> None:
    consumer.claim("child", "wake_up", 3)
    for each in jobs_of(*range(5)):
        store.add([each])
    assert carried(redis) == [True, True, True, False, False]


def test_the_rows_of_jobs_that_come_together_are_stored_once(
    store: PredictionStore, consumer: PredictionConsumer, redis: Redis
) -> None:
    consumer.claim("child", "wake_up", MANY)
    store.add(jobs_of(1, 2))
    assert carried(redis) == [False, False]


def test_a_row_that_was_read_and_released_runs_again_in_a_few_seconds(
    store: PredictionStore, consumer: PredictionConsumer, clock: Clock, read: Read
) -> None:
    store.add([a_job := job()])
    consumer.release(read_rows(consumer), UNAVAILABLE)
    assert read(a_job.id).status is PredictionStatus.RUNNING
    clock.forward(5)
    assert consumer.sweep(0).requeued == 1
    [claim] = consumer.claim("child", "wake_up", MANY)
    assert claim.attempt == 2


def test_an_entry_that_cannot_be_read_is_given_up_alone(
    store: PredictionStore, consumer: PredictionConsumer, redis: Redis, read: Read
) -> None:
    store.add([broken := job()])
    entries: Any = redis.xrange(PREDICTIONS.stream)
    [(entry, fields)] = entries
    redis.xdel(PREDICTIONS.stream, entry)
    redis.xadd(PREDICTIONS.stream, {**fields, b"inputs": b"{"}, id=b"1-1")
    assert read_rows(consumer) == []
    assert read(broken.id).status is PredictionStatus.FAILED


def test_after_a_row_was_read_the_next_in_turn_is_left_to_the_reader(
    redis: Redis, consumer: PredictionConsumer
) -> None:
    store = PredictionStore(redis, Settings(api_keys=SecretStr("ada:" + "0" * 64)))
    store.add(jobs_of(1, 2, 3))
    [first] = consumer.wait_and_claim("child", "wake_up", 1, True, 1)
    consumer.record([scored(first)])
    [second] = consumer.wait_and_claim("child", "wake_up", 1, True, 1)
    assert second.rows == [[2]]


def test_a_consumer_that_reads_row_after_row_needs_no_further_wake_up(
    store: PredictionStore, consumer: PredictionConsumer, clock: Clock
) -> None:
    consumer.report_alive(living("child"))
    _, [wake_up] = store.add(jobs_of(1))
    for _ in range(4):
        [claim] = consumer.wait_and_claim("child", wake_up, MANY, True, 1)
        consumer.record_and_claim([scored(claim)], "child", wake_up, MANY)
        clock.forward(1.5)
        consumer.report_alive(living("child"))
        assert store.add(jobs_of(1))[1] == []
