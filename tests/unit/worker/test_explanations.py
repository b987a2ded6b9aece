"""Explanations wait in a queue of their own, and the lease of a long list is renewed."""

import os
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import orjson
import pytest
from redis import Redis
from redis.exceptions import ResponseError

from jobs.errors import StoreUnavailable
from jobs.logs import Journal
from jobs.metrics import Metrics
from jobs.predictions.consumer import PredictionConsumer
from jobs.predictions.record import NewPrediction
from jobs.predictions.status import PredictionStatus
from jobs.predictions.store import PredictionStore
from jobs.queues.capacity import Capacity
from jobs.queues.names import EXPLANATIONS, PREDICTIONS
from jobs.settings import Settings
from jobs.supervision import Supervisor
from model.description.catalog import Catalog
from tests.unit.conftest import MANY, Clock, Read, job
from worker import patience
from worker.bundles import Bundles
from worker.explanations import NICENESS, ExplanationLoop
from worker.measurements import Report

TASKS = Path("/proc/self/task")


def niceness() -> dict[str, int]:
    """The niceness of each thread of this process, by thread id."""
    return {task.name: os.getpriority(os.PRIO_PROCESS, int(task.name)) for task in TASKS.iterdir()}


@pytest.fixture
def explaining_consumer(redis: Redis, settings: Settings) -> PredictionConsumer:
    return PredictionConsumer(redis, settings, EXPLANATIONS)


def explained_job(catalog: Catalog, *years: float) -> NewPrediction:
    added = job(*[[value] for value in years], sha256=catalog.find("salary@1").sha256)
    added.explained_values = len(years)
    return added


def loop(
    consumer: PredictionConsumer,
    catalog: Catalog,
    redis: Redis,
    stopping: Callable[[], bool] = lambda: False,
    lease: float = 15,
) -> ExplanationLoop:
    account = Report(Metrics(redis), Journal("ERROR", lambda lines: None))
    return ExplanationLoop(
        consumer, Bundles(catalog), account, "child", lease, stopping, Supervisor(Metrics(redis))
    )


def test_contributions_and_base_sum_to_the_prediction(
    store: PredictionStore,
    explaining_consumer: PredictionConsumer,
    catalog: Catalog,
    redis: Redis,
    read: Read,
) -> None:
    added = [explained_job(catalog, 2.5), explained_job(catalog, 4.5, 12)]
    store.add(added)
    loop(explaining_consumer, catalog, redis).work(watch_ms=1)
    one, several = (orjson.loads(read(each.id).outputs or b"") for each in added)
    for output in (one, *several):
        assert list(output) == ["prediction", "contributions", "base"]
        assert output["contributions"]["years"] + output["base"] == pytest.approx(
            output["prediction"], abs=1e-4
        )


def test_explanations_wait_in_a_queue_of_their_own(
    store: PredictionStore,
    consumer: PredictionConsumer,
    explaining_consumer: PredictionConsumer,
    catalog: Catalog,
    redis: Redis,
) -> None:
    added, plain = explained_job(catalog, 1), job([1.0])
    _, wake_ups = store.add([added])
    assert (redis.xlen(PREDICTIONS.stream), redis.xlen(EXPLANATIONS.stream), wake_ups) == (0, 1, [])
    store.add([plain])
    assert [claim.id for claim in consumer.claim("child", "wake_up", MANY)] == [plain.id]
    assert [claim.id for claim in explaining_consumer.claim("child", "", MANY)] == [added.id]
    assert redis.zcard("queue:predictions:wake_ups") == 1


@pytest.mark.skipif(not TASKS.is_dir(), reason="threads are found in /proc")
def test_only_the_thread_that_explains_has_a_lower_priority(
    store: PredictionStore, explaining_consumer: PredictionConsumer, catalog: Catalog, redis: Redis
) -> None:
    before, mine = niceness(), os.getpriority(os.PRIO_PROCESS, threading.get_native_id())
    store.add([explained_job(catalog, 1)])
    explanations = loop(explaining_consumer, catalog, redis)
    explanations.work(watch_ms=1)
    started = {task: nice for task, nice in niceness().items() if task not in before}
    assert min(mine + NICENESS, 19) in started.values()  # 19 is the lowest that there is
    assert os.getpriority(os.PRIO_PROCESS, threading.get_native_id()) == mine


def test_explanations_count_as_waiting_and_can_be_canceled(
    store: PredictionStore,
    explaining_consumer: PredictionConsumer,
    catalog: Catalog,
    redis: Redis,
    read: Read,
    capacity: Callable[[], Capacity],
) -> None:
    added = explained_job(catalog, 1, 2)
    store.add([added])
    assert (capacity().waiting, capacity().rows) == (1, 2)
    assert store.cancel(added.id) is PredictionStatus.CANCELED
    loop(explaining_consumer, catalog, redis).work(watch_ms=1)
    assert read(added.id).status is PredictionStatus.CANCELED
    assert redis.xlen(EXPLANATIONS.stream) == 0


def test_explanations_of_a_lost_worker_return_to_their_own_queue(
    store: PredictionStore,
    consumer: PredictionConsumer,
    explaining_consumer: PredictionConsumer,
    catalog: Catalog,
    clock: Clock,
    redis: Redis,
    read: Read,
) -> None:
    added = explained_job(catalog, 1)
    store.add([added])
    explaining_consumer.claim("lost", "", MANY)
    clock.forward(16)
    assert explaining_consumer.sweep(0).requeued == 1
    loop(explaining_consumer, catalog, redis).work(watch_ms=1)
    assert (read(added.id).status, read(added.id).attempt) == (PredictionStatus.SUCCEEDED, 2)


def test_a_claim_whose_lease_is_renewed_is_not_requeued(
    store: PredictionStore,
    consumer: PredictionConsumer,
    explaining_consumer: PredictionConsumer,
    catalog: Catalog,
    clock: Clock,
) -> None:
    store.add([explained_job(catalog, 1)])
    claims = explaining_consumer.claim("child", "", MANY)
    clock.forward(10)
    explaining_consumer.renew(claims, "child")
    clock.forward(10)
    assert explaining_consumer.sweep(0).requeued == 0
    clock.forward(10)
    assert explaining_consumer.sweep(0).requeued == 1


def test_the_lease_of_a_list_is_renewed_between_its_slices(
    store: PredictionStore,
    consumer: PredictionConsumer,
    explaining_consumer: PredictionConsumer,
    catalog: Catalog,
    clock: Clock,
    redis: Redis,
    read: Read,
) -> None:
    added = explained_job(catalog, *range(40))
    store.add([added])
    requeued: list[int] = []

    def time_passes() -> bool:
        clock.forward(10)
        requeued.append(explaining_consumer.sweep(0).requeued)
        return False

    loop(explaining_consumer, catalog, redis, time_passes, lease=0).work(watch_ms=1)
    assert requeued == [0] * len(requeued)
    assert len(requeued) > 1
    assert read(added.id).status is PredictionStatus.SUCCEEDED
    assert len(orjson.loads(read(added.id).outputs or b"")) == 40


def test_a_worker_that_stops_releases_unfinished_explanations(
    store: PredictionStore,
    consumer: PredictionConsumer,
    explaining_consumer: PredictionConsumer,
    catalog: Catalog,
    clock: Clock,
    redis: Redis,
    read: Read,
) -> None:
    added = explained_job(catalog, 1)
    store.add([added])
    loop(explaining_consumer, catalog, redis, lambda: True).work(watch_ms=1)
    assert read(added.id).status is PredictionStatus.RUNNING
    clock.forward(5)
    assert explaining_consumer.sweep(0).requeued == 1
    loop(explaining_consumer, catalog, redis).work(watch_ms=1)
    assert read(added.id).status is PredictionStatus.SUCCEEDED


@pytest.mark.parametrize("method", ["renew", "note_row", "record"])
def test_pauses_of_the_store_under_a_list_are_no_lost_workers(
    store: PredictionStore,
    explaining_consumer: PredictionConsumer,
    catalog: Catalog,
    clock: Clock,
    redis: Redis,
    read: Read,
    monkeypatch: pytest.MonkeyPatch,
    method: str,
) -> None:
    added = explained_job(catalog, *range(40))
    store.add([added])
    for _ in range(2):  # workers were lost before, so the next attempt is the last
        explaining_consumer.claim("lost", "", MANY)
        clock.forward(16)
        explaining_consumer.sweep(0)
    call, left = getattr(explaining_consumer, method), iter(range(3))

    def pauses(*arguments: object) -> object:
        if next(left, None) is not None:
            raise StoreUnavailable
        return call(*arguments)

    monkeypatch.setattr(explaining_consumer, method, pauses)
    monkeypatch.setattr(patience, "PAUSES_SECONDS", (0, 0, 0))
    loop(explaining_consumer, catalog, redis, lease=0).work(watch_ms=1)
    assert (read(added.id).status, read(added.id).attempt) == (PredictionStatus.SUCCEEDED, 3)


def test_the_thread_that_explains_goes_on_after_any_error(
    store: PredictionStore,
    explaining_consumer: PredictionConsumer,
    catalog: Catalog,
    redis: Redis,
    read: Read,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    added, done = explained_job(catalog, 2.5), threading.Event()
    store.add([added])
    claim, record, left = explaining_consumer.claim, explaining_consumer.record, iter(range(1))

    def unblocked(*arguments: Any) -> Any:
        if next(left, None) is not None:
            raise ResponseError("UNBLOCKED client unblocked via CLIENT UNBLOCK")
        return claim(*arguments)

    def recorded(outcomes: Any) -> Any:
        outcome = record(outcomes)
        done.set()
        return outcome

    monkeypatch.setattr(explaining_consumer, "claim", unblocked)
    monkeypatch.setattr(explaining_consumer, "record", recorded)
    explaining = loop(explaining_consumer, catalog, redis, stopping=done.is_set)
    explaining.start()
    assert done.wait(60)
    explaining.close()
    assert read(added.id).status is PredictionStatus.SUCCEEDED
