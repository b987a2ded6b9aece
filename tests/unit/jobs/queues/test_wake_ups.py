"""As many wake-ups are sent as consumers are alive and have work; a lost wake-up does no harm."""

from uuid import UUID

import pytest
from redis import Redis

from jobs import ids
from jobs.batches.consumer import BatchConsumer
from jobs.batches.record import NewBatch
from jobs.batches.store import BatchStore
from jobs.predictions.consumer import PredictionConsumer
from jobs.predictions.store import PredictionStore
from jobs.queues.names import PREDICTIONS
from jobs.settings import Settings
from tests.unit.conftest import MANY, SHA, Clock, job, jobs_of, living
from tests.unit.jobs.batches.conftest import OPTIONS


def wake_ups_sent(store: PredictionStore, jobs: int = 1) -> int:
    return len(store.add([job([float(number)]) for number in range(jobs)])[1])


@pytest.fixture
def consumer_names(consumer: PredictionConsumer) -> list[str]:
    """Three consumers that are alive and claim two rows at a time."""
    names = ["anna", "ben", "cleo"]
    for name in names:
        consumer.report_alive(living(name))
        consumer.claim(name, "none", 2)
    return names


def test_no_wake_up_is_sent_without_consumers(store: PredictionStore) -> None:
    assert wake_ups_sent(store, jobs=5) == 0


def test_the_first_job_sends_a_wake_up_and_the_next_does_not(
    store: PredictionStore, consumer_names: list[str]
) -> None:
    assert wake_ups_sent(store) == 1
    assert wake_ups_sent(store) == 0


def test_one_wake_up_is_sent_for_each_claims_worth_of_rows(
    store: PredictionStore, consumer_names: list[str]
) -> None:
    assert [wake_ups_sent(store) for _ in range(6)] == [1, 0, 1, 0, 1, 0]


def test_a_list_counts_by_its_rows_towards_wake_ups(
    store: PredictionStore, consumer_names: list[str]
) -> None:
    lists = [job([years], [years + 0.5]) for years in (1.0, 2.0, 3.0)]
    assert [len(store.add([each])[1]) for each in lists] == [1, 1, 1]


def test_rows_requeued_before_they_were_claimed_count_once(
    store: PredictionStore, consumer: PredictionConsumer, clock: Clock, consumer_names: list[str]
) -> None:
    store.add([job([1.0], [2.0])])
    consumer.wait("lost", 100)
    clock.forward(16)
    for child in consumer_names:
        consumer.report_alive(living(child))
    assert len(consumer.sweep(most_wake_ups=10).wake_ups) == 1


def test_at_most_one_wake_up_is_sent_for_each_consumer(
    store: PredictionStore, consumer: PredictionConsumer, consumer_names: list[str]
) -> None:
    assert sum(wake_ups_sent(store, jobs=4) for _ in range(10)) == 3
    assert consumer.sweep(most_wake_ups=10).wake_ups == []


def test_the_sweeper_sends_missing_wake_ups(
    store: PredictionStore, consumer: PredictionConsumer, consumer_names: list[str]
) -> None:
    assert wake_ups_sent(store, jobs=40) == 1
    wake_ups = consumer.sweep(most_wake_ups=10).wake_ups
    assert len(set(wake_ups)) == 2


def test_an_empty_queue_sends_no_wake_up(consumer: PredictionConsumer, consumer_names: list[str]) -> None:
    assert consumer.sweep(most_wake_ups=10).wake_ups == []


def test_an_unanswered_wake_up_lapses(
    store: PredictionStore, consumer: PredictionConsumer, clock: Clock
) -> None:
    consumer.report_alive(living("anna"))
    assert wake_ups_sent(store) == 1
    clock.forward(4)
    consumer.report_alive(living("anna"))
    assert wake_ups_sent(store) == 0
    clock.forward(2)
    assert wake_ups_sent(store) == 1


def test_a_claim_renews_its_wake_up(
    store: PredictionStore, consumer: PredictionConsumer, clock: Clock
) -> None:
    consumer.report_alive(living("anna"))
    _, [wake_up] = store.add(jobs_of(1, 2))
    clock.forward(4)
    consumer.report_alive(living("anna"))
    consumer.claim("anna", wake_up, 1)
    clock.forward(1.5)
    assert wake_ups_sent(store) == 0


def test_the_wake_up_of_a_lost_consumer_lapses_after_two_seconds(
    store: PredictionStore, consumer: PredictionConsumer, clock: Clock
) -> None:
    consumer.report_alive(living("anna"))
    _, [wake_up] = store.add(jobs_of(1, 2))
    consumer.claim("anna", wake_up, 1)
    clock.forward(2.5)
    assert wake_ups_sent(store) == 1


def test_a_withdrawn_wake_up_may_be_sent_again(store: PredictionStore, consumer: PredictionConsumer) -> None:
    consumer.report_alive(living("anna"))
    _, [wake_up] = store.add([job()])
    consumer.claim("anna", wake_up, MANY)
    consumer.withdraw(wake_up)
    assert wake_ups_sent(store) == 1


def test_no_wake_up_is_sent_for_consumers_that_lapsed(
    store: PredictionStore, consumer: PredictionConsumer, clock: Clock
) -> None:
    consumer.report_alive(living("ben"))
    clock.forward(6)
    assert wake_ups_sent(store) == 0
    consumer.report_alive(living("cleo"))
    assert wake_ups_sent(store) == 1


def test_a_wake_up_names_no_job(store: PredictionStore, consumer: PredictionConsumer, redis: Redis) -> None:
    consumer.report_alive(living("anna"))
    a_job = job()
    _, [wake_up] = store.add([a_job])
    assert len(wake_up) == 34
    assert wake_up not in a_job.id
    assert redis.zrange("queue:predictions:wake_ups", 0, -1) == [wake_up.encode()]
    assert redis.xlen(PREDICTIONS.stream) == 1


def test_a_call_that_is_repeated_returns_the_same_wake_up(
    store: PredictionStore, consumer: PredictionConsumer, redis: Redis, monkeypatch: pytest.MonkeyPatch
) -> None:
    consumer.report_alive(living("anna"))
    monkeypatch.setattr("jobs.predictions.store.uuid4", lambda: UUID(int=1))
    first, again = (store.add([a_job])[1] for a_job in [job()] * 2)
    assert first == again == [f"{UUID(int=1).hex}-1"]
    assert redis.hget("metrics", "wake_ups|predictions") == b"1"
    consumer.withdraw(first[0])
    monkeypatch.setattr("jobs.predictions.store.uuid4", lambda: UUID(int=2))
    assert wake_ups_sent(store) == 1


def test_a_batch_that_is_added_again_returns_the_same_wake_up(
    redis: Redis, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("jobs.batches.store.uuid4", lambda: UUID(int=1))
    BatchConsumer(redis, settings).report_alive(living("ben"))
    batch = NewBatch(ids.new_id(ids.BATCH), "salary@1", SHA, "ada", OPTIONS, size=100)
    first, again = (BatchStore(redis, settings).add(batch) for _ in range(2))
    assert first == again == [f"{UUID(int=1).hex}-1"]


def test_a_sweep_that_is_repeated_returns_the_same_wake_ups(
    store: PredictionStore,
    consumer: PredictionConsumer,
    consumer_names: list[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("jobs.queues.queue.uuid4", lambda: UUID(int=1))
    assert wake_ups_sent(store, jobs=40) == 1
    first, again = (consumer.sweep(most_wake_ups=10).wake_ups for _ in range(2))
    assert len(first) == 2
    assert again == first
