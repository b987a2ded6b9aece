"""How many batches may be unfinished: of all owners, and of each."""

import pytest
from redis import Redis

from jobs import ids
from jobs.batches.consumer import BatchConsumer, ChunkDone
from jobs.batches.record import BatchOptions, NewBatch
from jobs.batches.store import BatchStore
from jobs.errors import QueueFull, TooManyBatches
from jobs.files.tables import Format
from jobs.settings import Settings
from tests.unit.conftest import SHA, Clock


def batch(owner: str = "ada") -> NewBatch:
    asked = BatchOptions(Format.CSV, Format.CSV)
    return NewBatch(ids.new_id(ids.BATCH), "salary@1", SHA, owner, asked, size=100)


@pytest.fixture
def store(redis: Redis) -> BatchStore:
    return BatchStore(redis, Settings(max_batches=3, max_batches_per_key=2))


def refusal(store: BatchStore, owner: str = "ada") -> QueueFull | TooManyBatches:
    """Which must be the same before the file has come and after it."""
    refused = []
    for attempt in (lambda: store.check_limits(owner), lambda: store.add(batch(owner))):
        try:
            attempt()
        except (QueueFull, TooManyBatches) as error:
            refused.append(error)
    early, late = refused
    assert (type(early), early.retry_after) == (type(late), late.retry_after)
    return early


def test_an_owner_at_his_limit_is_refused_and_others_are_not(store: BatchStore) -> None:
    first = batch()
    for one in (first, batch()):
        store.check_limits("ada")
        store.add(one)
    assert isinstance(refusal(store), TooManyBatches)
    store.check_limits("bob")
    store.add(first)  # again: it is there already


def test_who_is_at_his_limit_may_post_again_once_a_batch_has_ended(store: BatchStore) -> None:
    first, second = batch(), batch()
    for one in (first, second):
        store.add(one)
    refusal(store)
    store.cancel(first.id)
    store.add(batch())


def test_all_owners_together_fill_the_line(store: BatchStore) -> None:
    for owner in ("ada", "ada", "bob"):
        store.add(batch(owner))
    assert isinstance(refusal(store, "cleo"), QueueFull)


def test_who_is_at_his_limit_is_told_when_the_batch_should_end_that_he_posted_first(
    store: BatchStore, redis: Redis, clock: Clock, settings: Settings
) -> None:
    line = BatchConsumer(redis, settings)
    for one in (batch(), batch()):
        store.add(one)
        clock.forward(1)
    assert refusal(store).retry_after == 5  # nobody can tell
    plan = line.claim("child", "wake_up")
    assert plan
    line.planned(plan, b"{}", 40, 100, ["0:0:0:40:25", "1:0:0:40:75"], most_wake_ups=0)
    line.claim("child", "wake_up")  # the plan of the other
    chunk = line.claim("child", "wake_up")
    assert chunk
    clock.forward(10)
    line.done(chunk, ChunkDone(rows=10, failed=0, size=25, expected=10), most_wake_ups=0)
    assert 30 <= refusal(store).retry_after <= 31


@pytest.mark.parametrize("owner", ["open", "files", "wake_ups", "children", "swept", "later"])
def test_an_owner_may_have_any_name(store: BatchStore, owner: str) -> None:
    store.add(one := batch(owner))
    listed, _ = store.list_jobs(owner, None, None, 10)
    assert [record.id for record in listed] == [one.id]
    assert store.list_jobs("ada", None, None, 10) == ([], None)
