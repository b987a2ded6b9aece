"""A step that adds tasks sends a wake-up for them; one that was recorded before, or by others, sends none."""

from collections.abc import Callable
from dataclasses import replace
from uuid import UUID

import pytest
from redis import Redis

from jobs.batches.consumer import BatchConsumer
from jobs.batches.status import BatchStatus
from jobs.batches.store import BatchStore
from jobs.queues.names import BATCHES
from jobs.settings import Settings
from tests.unit.conftest import living
from tests.unit.jobs.batches.conftest import OPTIONS, add, checkpoint, plan, planned, score, take

WAKE_UPS = f"queue:{BATCHES.name}:wake_ups"

Sent = Callable[[Callable[[], object]], int]


@pytest.fixture
def names() -> list[str]:
    """Of the wake-ups that were sent."""
    return []


@pytest.fixture
def consumer(redis: Redis, settings: Settings, names: list[str]) -> BatchConsumer:
    consumer = BatchConsumer(redis, settings, names.append)
    consumer.report_alive(living("ben"))
    return consumer


@pytest.fixture
def sent(redis: Redis, names: list[str]) -> Sent:
    """How many wake-ups a step sends while none is under way."""

    def count(take_step: Callable[[], object]) -> int:
        redis.delete(WAKE_UPS)
        names.clear()
        take_step()
        assert redis.zcard(WAKE_UPS) == len(names)
        return len(names)

    return count


def test_chunks_that_are_planned_send_a_wake_up(
    store: BatchStore, consumer: BatchConsumer, sent: Sent
) -> None:
    add(store)
    task = take(consumer)
    assert sent(lambda: consumer.planned(task, checkpoint(1, over="", position="7"))) == 1
    assert sent(lambda: consumer.planned(task, checkpoint(2, first=1))) == 1
    assert sent(lambda: consumer.planned(task, checkpoint(2, first=3))) == 0  # the plan is complete


def test_a_chunk_that_is_done_or_failed_sends_a_wake_up_for_what_comes_next(
    store: BatchStore, consumer: BatchConsumer, sent: Sent
) -> None:
    add(store)
    task = take(consumer)
    plan(consumer, task, chunks=3)
    done, failed = take(consumer), take(consumer)
    assert sent(lambda: score(consumer, done)) == 1
    assert sent(lambda: score(consumer, done)) == 0
    assert sent(lambda: consumer.fail(failed, b"{}", last=False)) == 1
    assert sent(lambda: consumer.fail(failed, b"{}", last=False)) == 0


def test_chunks_that_are_redone_send_a_wake_up(
    store: BatchStore, consumer: BatchConsumer, sent: Sent
) -> None:
    planned(store, consumer, chunks=1)
    score(consumer, take(consumer))
    join = take(consumer)
    assert sent(lambda: consumer.redo(join, [0], b"{}")) == 1
    assert sent(lambda: consumer.redo(join, [0], b"{}")) == 0


def test_corrected_rows_that_are_sorted_send_a_wake_up(
    store: BatchStore, consumer: BatchConsumer, sent: Sent
) -> None:
    old = planned(store, consumer, chunks=1)
    score(consumer, take(consumer), failed=1)
    consumer.finish(take(consumer), BatchStatus.PARTIALLY_SUCCEEDED)
    options = replace(OPTIONS, input_from=old, kept_from=old)
    add(store, options, retry_of=old, reads=(old,), corrected=True)
    task = take(consumer)
    assert sent(lambda: consumer.corrected(task)) == 1
    assert sent(lambda: consumer.corrected(task)) == 0


@pytest.mark.parametrize("last_step", ["done", "fail"])
def test_a_step_whose_answer_was_lost_is_repeated_and_sends_its_wake_up(
    store: BatchStore,
    consumer: BatchConsumer,
    names: list[str],
    redis: Redis,
    monkeypatch: pytest.MonkeyPatch,
    last_step: str,
) -> None:
    planned(store, consumer, chunks=3)
    task = take(consumer)
    redis.delete(WAKE_UPS)
    names.clear()
    monkeypatch.setattr("jobs.batches.consumer.uuid4", lambda: UUID(int=1))
    for _ in range(2):
        if last_step == "done":
            score(consumer, task)
        else:
            consumer.fail(task, b"{}", last=False)
    assert names == [f"{UUID(int=1).hex}-1"] * 2
