"""The number of unfinished batches is limited, for each owner and for all together."""

import pytest
from redis import Redis

from jobs import ids
from jobs.batches.consumer import BatchConsumer, PlanCheckpoint
from jobs.batches.record import BatchOptions, NewBatch
from jobs.batches.store import BatchStore
from jobs.batches.tasks import ChunkDone
from jobs.errors import QueueFull, TooManyBatches
from jobs.files.tables import Format
from jobs.settings import Settings
from tests.unit.conftest import SHA, Clock


def batch(owner: str = "ada") -> NewBatch:
    options = BatchOptions(Format.CSV, Format.CSV)
    return NewBatch(ids.new_id(ids.BATCH), "salary@1", SHA, owner, options, size=100)


@pytest.fixture
def store(redis: Redis) -> BatchStore:
    return BatchStore(redis, Settings(max_batches=3, max_batches_per_key=2))


def refusal(store: BatchStore, owner: str = "ada") -> QueueFull | TooManyBatches:
    """The refusal, which must be the same before the file arrives and after it."""
    refused = []
    for attempt in (lambda: store.check_limits(owner), lambda: store.add(batch(owner))):
        try:
            attempt()
        except (QueueFull, TooManyBatches) as error:
            refused.append(error)
    early, late = refused
    assert type(early) is type(late)
    assert 0 <= early.retry_after - late.retry_after <= 1  # a second may pass between the two
    return early


def test_an_owner_at_the_limit_is_refused_and_others_are_not(store: BatchStore) -> None:
    first = batch()
    for each in (first, batch()):
        store.check_limits("ada")
        store.add(each)
    assert isinstance(refusal(store), TooManyBatches)
    store.check_limits("bob")
    store.add(first)  # adding it again is no new batch


def test_an_owner_at_the_limit_may_post_again_once_a_batch_has_ended(store: BatchStore) -> None:
    first, second = batch(), batch()
    for each in (first, second):
        store.add(each)
    refusal(store)
    store.cancel(first.id)
    store.add(batch())


def test_the_limit_of_all_owners_refuses_every_owner(store: BatchStore) -> None:
    for owner in ("ada", "ada", "bob"):
        store.add(batch(owner))
    assert isinstance(refusal(store, "cleo"), QueueFull)


def test_an_owner_at_the_limit_may_retry_when_the_oldest_batch_should_end(
    store: BatchStore, redis: Redis, clock: Clock, settings: Settings
) -> None:
    consumer = BatchConsumer(redis, settings)
    for each in (batch(), batch()):
        store.add(each)
        clock.forward(1)
    assert refusal(store).retry_after == 5  # the time is unknown
    plan = consumer.claim("child", "wake_up")
    assert plan
    consumer.planned(plan, PlanCheckpoint(0, b"{}", ["0:0:0:40:25", "1:0:0:40:75"], 40, 100, "", "plan"))
    consumer.claim("child", "wake_up")  # the plan of the other
    chunk = consumer.claim("child", "wake_up")
    assert chunk
    clock.forward(10)
    consumer.done(chunk, ChunkDone(10, 0, 300, 0, expected=10, bytes=25))
    assert 30 <= refusal(store).retry_after <= 31


@pytest.mark.parametrize("owner", ["open", "files", "wake_ups", "children", "swept", "later"])
def test_an_owner_may_have_any_name(store: BatchStore, owner: str) -> None:
    store.add(each := batch(owner))
    listed, _ = store.list_jobs(owner, None, None, 10)
    assert [record.id for record in listed] == [each.id]
    assert store.list_jobs("ada", None, None, 10) == ([], None)
