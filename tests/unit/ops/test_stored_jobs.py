"""What operators see in Redis: the jobs of every owner, and every process."""

import pytest
from redis import Redis

from jobs import ids
from jobs.batches.consumer import BatchConsumer
from jobs.batches.record import BatchOptions, NewBatch
from jobs.batches.store import BatchStore
from jobs.files.tables import Format
from jobs.predictions.consumer import PredictionConsumer
from jobs.predictions.store import PredictionStore
from jobs.queues.capacity import Monitor
from jobs.settings import Settings
from ops.errors import CommandFailed
from ops.stored_jobs import StoredJobs
from tests.unit.conftest import MANY, SHA, Clock, job, jobs_of, living, scored


@pytest.fixture
def stored(connected: Redis, settings: Settings) -> StoredJobs:
    return StoredJobs(connected, settings)


@pytest.fixture
def batches(redis: Redis, settings: Settings) -> BatchStore:
    return BatchStore(redis, settings)


def new_batch(owner: str = "ada") -> NewBatch:
    options = BatchOptions(Format.CSV, Format.CSV)
    return NewBatch(ids.new_id(ids.BATCH), "salary@1", SHA, owner, options, 100)


def test_a_prediction_is_shown_with_its_owner_and_its_attempt(
    store: PredictionStore, consumer: PredictionConsumer, stored: StoredJobs
) -> None:
    store.add([a_job := job(owner="bob")])
    consumer.claim("child", "wake_up", MANY)
    shown = stored.show(a_job.id)
    assert (shown["status"], shown["owner"], shown["attempt"]) == ("running", "bob", 1)


def test_a_batch_is_shown_with_its_owner(batches: BatchStore, stored: StoredJobs) -> None:
    batches.add(batch := new_batch("bob"))
    shown = stored.show(batch.id)
    assert (shown["object"], shown["status"], shown["owner"]) == ("batch", "validating", "bob")


def test_a_job_that_is_not_there_never_was_or_has_expired(stored: StoredJobs, clock: Clock) -> None:
    job_id = ids.new_id(ids.BATCH)
    with pytest.raises(CommandFailed, match="there is no such batch"):
        stored.show(job_id)
    clock.forward(7 * 3600)
    with pytest.raises(CommandFailed, match="expired"):
        stored.cancel(job_id)


def test_jobs_of_all_owners_and_both_kinds_are_listed_newest_first(
    store: PredictionStore, batches: BatchStore, stored: StoredJobs, clock: Clock
) -> None:
    store.add([first := job()])
    clock.forward(1)
    batches.add(second := new_batch("bob"))
    clock.forward(1)
    store.add([third := job(owner="bob")])
    assert [each["id"] for each in stored.list_jobs()] == [third.id, second.id, first.id]
    assert [each["id"] for each in stored.list_jobs(limit=1)] == [third.id]
    assert [each["id"] for each in stored.list_jobs(owner="bob")] == [third.id, second.id]
    assert [each["id"] for each in stored.list_jobs(kind="batch")] == [second.id]


def test_a_list_can_be_of_one_status(store: PredictionStore, stored: StoredJobs) -> None:
    store.add([first := job(), job()])
    stored.cancel(first.id)
    assert [each["id"] for each in stored.list_jobs(status="canceled")] == [first.id]
    assert not list(stored.list_jobs(status="finalizing"))


def test_a_long_list_ends_at_its_limit(store: PredictionStore, stored: StoredJobs) -> None:
    store.add(jobs_of(*range(230)))
    assert len(list(stored.list_jobs(limit=210))) == 210
    assert len(list(stored.list_jobs(limit=MANY))) == 230


def test_only_a_prediction_that_waits_is_canceled(
    store: PredictionStore, consumer: PredictionConsumer, stored: StoredJobs
) -> None:
    store.add([waiting := job()])
    assert stored.cancel(waiting.id)["status"] == "canceled"
    store.add([done := job()])
    consumer.record([scored(claim) for claim in consumer.claim("child", "wake_up", MANY)])
    with pytest.raises(CommandFailed, match="this one is succeeded"):
        stored.cancel(done.id)


def test_a_batch_is_canceled_and_then_deleted(batches: BatchStore, stored: StoredJobs) -> None:
    batches.add(batch := new_batch())
    with pytest.raises(CommandFailed, match="this one is validating"):
        stored.delete(batch.id)
    assert stored.cancel(batch.id)["status"] == "canceled"
    stored.delete(batch.id)
    with pytest.raises(CommandFailed, match="there is no such batch"):
        stored.delete(batch.id)


def test_the_capacity_names_every_process(
    store: PredictionStore, consumer: PredictionConsumer, stored: StoredJobs, redis: Redis, settings: Settings
) -> None:
    store.add([job([1.0], [2.0])])
    consumer.report_alive(living("one:1:2", pace=70))
    Monitor(redis, settings).report_alive(living("one:7"))
    BatchConsumer(redis, settings).report_alive(living("one:3:4", pace=90))
    now = stored.capacity()
    assert (now["waiting"], now["rows"], now["workers"], now["accepting"]) == (1, 2, 1, True)
    assert [(each["of"], each["name"], each["rows_per_second"]) for each in now["processes"]] == [
        ("web", "one:7", 0),
        ("worker", "one:1:2", 70),
        ("worker for batches", "one:3:4", 90),
    ]
