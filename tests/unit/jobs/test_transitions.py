"""The scripts make every transition of the status tables, so the tables have none that is not needed."""

from dataclasses import replace

import pytest
from redis import Redis

from jobs.batches.consumer import BatchConsumer
from jobs.batches.status import BATCH_TRANSITIONS, BatchStatus
from jobs.batches.store import BatchStore
from jobs.predictions.consumer import Outcome, PredictionConsumer
from jobs.predictions.status import TRANSITIONS, PredictionStatus
from jobs.predictions.store import PredictionStore
from jobs.settings import Settings
from tests.unit import in_memory
from tests.unit.conftest import MANY, Clock, job, jobs_of
from tests.unit.jobs.batches.conftest import OPTIONS, add, checkpoint, of_file, plan, planned, score, take

Changes = set[tuple[str | None, str | None]]


@pytest.fixture
def changes(monkeypatch: pytest.MonkeyPatch) -> Changes:
    """The statuses before and after each command that changed one."""
    seen: Changes = set()
    check = in_memory.check

    def note(kind: bytes, command: bytes, before: str | None, after: str | None) -> None:
        check(kind, command, before, after)
        if before and after and before != after:
            seen.add((before, after))

    monkeypatch.setattr(in_memory, "check", note)
    return seen


def test_scripts_make_every_transition_of_a_prediction(redis: Redis, clock: Clock, changes: Changes) -> None:
    settings = Settings(attempts=2)
    store, consumer = PredictionStore(redis, settings), PredictionConsumer(redis, settings)
    canceled = job()
    store.add([canceled, job(start_within=5)])
    store.cancel(canceled.id)
    clock.forward(6)
    consumer.sweep(0)
    store.add(jobs_of(1, 2, 3))
    succeeded, partly, _ = consumer.claim("child", "wake_up", MANY)
    consumer.record(
        [
            Outcome(succeeded, PredictionStatus.SUCCEEDED, b"1"),
            Outcome(partly, PredictionStatus.PARTIALLY_SUCCEEDED, b"[1,2]"),
        ]
    )
    for _ in range(2):
        clock.forward(16)
        consumer.sweep(0)
        consumer.claim("child", "wake_up", MANY)
    assert changes == {(before, after) for before in TRANSITIONS for after in TRANSITIONS[before]}


class Batches:
    """Batches that end in every way."""

    def __init__(self, redis: Redis, clock: Clock) -> None:
        settings = Settings(attempts=1)
        self.store, self.consumer = BatchStore(redis, settings), BatchConsumer(redis, settings)
        self.clock = clock

    def lose_task(self) -> None:
        """Every consumer that claims the next task is lost."""
        for _ in range(3):
            take(self.consumer)
            self.clock.forward(16)
            self.consumer.sweep(0)

    def preview(self) -> None:
        add(self.store, options=replace(OPTIONS, dry_run=True))
        self.consumer.finish(take(self.consumer), BatchStatus.SUCCEEDED)

    def join(self, status: BatchStatus) -> None:
        planned(self.store, self.consumer, chunks=1)
        score(self.consumer, take(self.consumer))
        self.consumer.finish(take(self.consumer), status)

    def cancel(self) -> None:
        self.store.cancel(add(self.store))
        self.store.cancel(planned(self.store, self.consumer, chunks=1))
        assert self.consumer.claim("child", "wake_up") is None

    def cancel_while_joining(self) -> None:
        job_id = planned(self.store, self.consumer, chunks=1)
        score(self.consumer, take(self.consumer))
        self.store.cancel(job_id)
        assert self.consumer.claim("child", "wake_up") is None

    def fail_to_go_on_planning(self) -> None:
        add(self.store)
        plan = take(self.consumer)
        self.consumer.planned(plan, checkpoint(1, over=""))
        self.consumer.finish(plan, BatchStatus.FAILED, b"{}")
        assert self.consumer.claim("child", "wake_up") is None

    def read_none_of_its_files(self) -> None:
        add(self.store, options=replace(OPTIONS, files=1))
        self.consumer.planned(take(self.consumer), of_file(checkpoint(0)))
        self.consumer.finish(take(self.consumer), BatchStatus.FAILED, b"{}")

    def find_a_part_damaged(self) -> None:
        planned(self.store, self.consumer, chunks=1)
        score(self.consumer, take(self.consumer))
        self.consumer.redo(take(self.consumer), [0], b"{}")
        score(self.consumer, take(self.consumer))
        self.consumer.finish(take(self.consumer), BatchStatus.SUCCEEDED)

    def expire(self) -> None:
        add(self.store, start_within_ms=5_000)
        plan(self.consumer, take(self.consumer), chunks=1)
        add(self.store, start_within_ms=5_000)
        self.clock.forward(6)
        self.consumer.sweep(0)
        assert self.consumer.claim("child", "wake_up") is None

    def spoil(self, redis: Redis, field: str) -> None:
        """Its record can no longer be read when a chunk is claimed."""
        redis.hset(f"job:{planned(self.store, self.consumer, chunks=1)}", field, "{")
        assert self.consumer.claim("child", "wake_up") is None

    def cancel_while_running(self) -> None:
        """The task to join the parts waits."""
        job_id = planned(self.store, self.consumer, chunks=2)
        chunk = take(self.consumer)
        self.store.cancel(job_id)
        score(self.consumer, chunk)


def test_scripts_make_every_transition_of_a_batch(redis: Redis, clock: Clock, changes: Changes) -> None:
    batches = Batches(redis, clock)
    batches.preview()
    for status in (BatchStatus.SUCCEEDED, BatchStatus.PARTIALLY_SUCCEEDED, BatchStatus.FAILED):
        batches.join(status)
    batches.cancel()
    batches.cancel_while_joining()
    batches.fail_to_go_on_planning()
    batches.read_none_of_its_files()
    batches.find_a_part_damaged()
    batches.expire()
    batches.spoil(redis, "size")
    batches.spoil(redis, "options")
    add(batches.store)
    batches.lose_task()
    batches.cancel_while_running()
    batches.consumer.finish(take(batches.consumer), BatchStatus.SUCCEEDED)
    batches.cancel_while_running()
    batches.lose_task()
    assert changes == {(before, after) for before in BATCH_TRANSITIONS for after in BATCH_TRANSITIONS[before]}
