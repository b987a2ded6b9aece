"""The first script that finds an overdue job expires it and removes it from its queue."""

from redis import Redis

from jobs.predictions.consumer import PredictionConsumer
from jobs.predictions.record import Accepted, PredictionRecord
from jobs.predictions.status import PredictionStatus
from jobs.predictions.store import PredictionStore
from jobs.queues.names import PREDICTIONS
from jobs.settings import Settings
from tests.unit.conftest import MANY, Clock, Read, job, jobs_of, listen


def left(redis: Redis) -> int:
    return int(redis.xlen(PREDICTIONS.stream)) + int(redis.zcard("queue:predictions:deadlines"))


def test_reading_an_overdue_job_expires_it(
    store: PredictionStore, redis: Redis, clock: Clock, read: Read
) -> None:
    store.add([late := job(start_within=5)])
    clock.forward(4)
    assert read(late.id).status is PredictionStatus.QUEUED
    clock.forward(1)
    assert read(late.id).status is PredictionStatus.EXPIRED
    assert left(redis) == 0


def test_claiming_an_overdue_job_expires_it(
    store: PredictionStore, consumer: PredictionConsumer, redis: Redis, clock: Clock, read: Read
) -> None:
    store.add([late := job(start_within=5), other := job()])
    clock.forward(5)
    assert [claim.id for claim in consumer.claim("child", "wake_up", MANY)] == [other.id]
    assert read(late.id).status is PredictionStatus.EXPIRED


def test_the_sweeper_expires_overdue_jobs(
    store: PredictionStore, consumer: PredictionConsumer, redis: Redis, clock: Clock
) -> None:
    store.add([job(start_within=5), job(start_within=5, watcher="web")])
    subscription = listen(redis, "web")
    clock.forward(5)
    consumer.sweep(most_wake_ups=0)
    message = subscription.get_message()
    assert message is not None
    assert b"expired" in message["data"]
    assert left(redis) == 0


def test_canceling_an_overdue_job_expires_it(store: PredictionStore, clock: Clock) -> None:
    store.add([late := job(start_within=5)])
    clock.forward(5)
    assert store.cancel(late.id) is PredictionStatus.EXPIRED


def test_deleting_an_overdue_job_expires_it_first(store: PredictionStore, clock: Clock) -> None:
    store.add([late := job(start_within=5)])
    assert store.delete(late.id) is PredictionStatus.QUEUED
    clock.forward(5)
    assert store.delete(late.id) is PredictionStatus.EXPIRED
    assert store.read([late.id]) == [None]


def test_a_job_that_was_started_in_time_runs_again_after_its_worker_was_lost(
    store: PredictionStore, consumer: PredictionConsumer, clock: Clock, read: Read
) -> None:
    store.add([lost := job(start_within=5)])
    consumer.claim("lost child", "wake_up", MANY)
    clock.forward(16)
    consumer.sweep(most_wake_ups=0)
    assert read(lost.id).status is PredictionStatus.QUEUED
    assert [claim.id for claim in consumer.claim("child", "wake_up", MANY)] == [lost.id]


def test_a_canceled_or_expired_job_leaves_the_queue_and_its_row_count(
    store: PredictionStore, redis: Redis, clock: Clock, read: Read
) -> None:
    canceled, late, last = job([1.0], [2.0]), job(start_within=5), job()
    store.add([canceled, late, *jobs_of(1, 2), last])
    assert read(last.id).position == 6
    store.cancel(canceled.id)
    clock.forward(5)
    read(late.id)
    assert read(last.id).position == 3
    assert (redis.xlen(PREDICTIONS.stream), redis.get(PREDICTIONS.rows)) == (3, b"3")


def test_a_position_counts_the_rows_that_wait_ahead(
    store: PredictionStore, consumer: PredictionConsumer
) -> None:
    first, second, third = job([1.0], [2.0]), job(), job()
    store.add([first, second])
    store.add([third])

    def positions() -> list[int | None]:
        records = store.read([first.id, second.id, third.id])
        return [record.position for record in records if isinstance(record, PredictionRecord)]

    assert positions() == [1, 3, 4]
    consumer.claim("child", "wake_up", 1)
    assert positions() == [None, 1, 2]


def test_a_refused_job_does_not_count_in_positions(redis: Redis, settings: Settings, read: Read) -> None:
    store = PredictionStore(redis, settings.model_copy(update={"rows_per_minute": 5}))
    refused, last = job(*[[1.0]] * 5), job()
    [_, _, accepted], _ = store.add([job(), refused, last])
    assert isinstance(accepted, Accepted)
    assert accepted.rows_ahead + 1 == read(last.id).position == 2
