"""ExplanationLoop wait in a line of their own, and a list that takes long stays with the child that lives."""

import os
import threading
from collections.abc import Callable
from pathlib import Path

import orjson
import pytest
from redis import Redis

from jobs.logs import Journal
from jobs.metrics import Metrics
from jobs.predictions.consumer import PredictionConsumer
from jobs.predictions.record import NewPrediction
from jobs.predictions.status import PredictionStatus
from jobs.predictions.store import PredictionStore
from jobs.queues.capacity import Capacity
from jobs.queues.names import EXPLANATIONS, PREDICTIONS
from jobs.settings import Settings
from model.description.catalog import Catalog
from tests.unit.conftest import MANY, Clock, Read, job
from worker.bundles import Bundles
from worker.explanations import NICENESS, ExplanationLoop
from worker.measurements import Report

TASKS = Path("/proc/self/task")


def niceness() -> dict[str, int]:
    """Of each thread of this process."""
    return {task.name: os.getpriority(os.PRIO_PROCESS, int(task.name)) for task in TASKS.iterdir()}


@pytest.fixture
def explained_line(redis: Redis, settings: Settings) -> PredictionConsumer:
    return PredictionConsumer(redis, settings, EXPLANATIONS)


def explained_job(catalog: Catalog, *years: float) -> NewPrediction:
    asked = job(*[[one] for one in years], sha256=catalog.find("salary@1").sha256)
    asked.explained_values = len(years)
    return asked


def thread(
    line: PredictionConsumer,
    catalog: Catalog,
    redis: Redis,
    stopping: Callable[[], bool] = lambda: False,
    lease: float = 15,
) -> ExplanationLoop:
    account = Report(Metrics(redis), Journal("ERROR", lambda line: None))
    return ExplanationLoop(line, Bundles(catalog), account, "child", lease, stopping)


def test_contributions_and_base_sum_to_the_prediction(
    store: PredictionStore, explained_line: PredictionConsumer, catalog: Catalog, redis: Redis, read: Read
) -> None:
    asked = [explained_job(catalog, 2.5), explained_job(catalog, 4.5, 12)]
    store.add(asked)
    thread(explained_line, catalog, redis).work(watch_ms=1)
    one, several = (orjson.loads(read(each.id).outputs or b"") for each in asked)
    for output in (one, *several):
        assert list(output) == ["prediction", "contributions", "base"]
        assert output["contributions"]["years"] + output["base"] == pytest.approx(
            output["prediction"], abs=1e-4
        )


def test_they_do_not_stand_in_the_line_of_those_who_did_not_ask(
    store: PredictionStore,
    line: PredictionConsumer,
    explained_line: PredictionConsumer,
    catalog: Catalog,
    redis: Redis,
) -> None:
    asked, plain = explained_job(catalog, 1), job([1.0])
    _, wake_ups = store.add([asked])
    assert (redis.xlen(PREDICTIONS.stream), redis.xlen(EXPLANATIONS.stream), wake_ups) == (0, 1, [])
    store.add([plain])
    assert [claim.id for claim in line.claim("child", "wake_up", MANY)] == [plain.id]
    assert [claim.id for claim in explained_line.claim("child", "", MANY)] == [asked.id]
    assert redis.zcard("queue:predictions:wake_ups") == 1


@pytest.mark.skipif(not TASKS.is_dir(), reason="threads are found in /proc")
def test_only_the_thread_that_computes_gives_way(
    store: PredictionStore, explained_line: PredictionConsumer, catalog: Catalog, redis: Redis
) -> None:
    before, mine = niceness(), os.getpriority(os.PRIO_PROCESS, threading.get_native_id())
    store.add([explained_job(catalog, 1)])
    explanations = thread(explained_line, catalog, redis)
    explanations.work(watch_ms=1)
    started = {task: nice for task, nice in niceness().items() if task not in before}
    assert NICENESS in started.values()
    assert os.getpriority(os.PRIO_PROCESS, threading.get_native_id()) == mine < NICENESS


def test_they_count_as_waiting_and_can_be_canceled(
    store: PredictionStore,
    explained_line: PredictionConsumer,
    catalog: Catalog,
    redis: Redis,
    read: Read,
    capacity: Callable[[], Capacity],
) -> None:
    asked = explained_job(catalog, 1, 2)
    store.add([asked])
    assert (capacity().waiting, capacity().rows) == (1, 2)
    assert store.cancel(asked.id) is PredictionStatus.CANCELED
    thread(explained_line, catalog, redis).work(watch_ms=1)
    assert read(asked.id).status is PredictionStatus.CANCELED
    assert redis.xlen(EXPLANATIONS.stream) == 0


def test_those_of_a_lost_worker_come_back_to_their_own_line(
    store: PredictionStore,
    line: PredictionConsumer,
    explained_line: PredictionConsumer,
    catalog: Catalog,
    clock: Clock,
    redis: Redis,
    read: Read,
) -> None:
    asked = explained_job(catalog, 1)
    store.add([asked])
    explained_line.claim("lost", "", MANY)
    clock.forward(16)
    assert explained_line.sweep(0).requeued == 1
    thread(explained_line, catalog, redis).work(watch_ms=1)
    assert (read(asked.id).status, read(asked.id).attempt) == (PredictionStatus.SUCCEEDED, 2)


def test_a_lease_that_is_renewed_is_not_taken_back(
    store: PredictionStore,
    line: PredictionConsumer,
    explained_line: PredictionConsumer,
    catalog: Catalog,
    clock: Clock,
) -> None:
    store.add([explained_job(catalog, 1)])
    claims = explained_line.claim("child", "", MANY)
    clock.forward(10)
    explained_line.renew(claims, "child")
    clock.forward(10)
    assert explained_line.sweep(0).requeued == 0
    clock.forward(10)
    assert explained_line.sweep(0).requeued == 1


def test_a_list_is_renewed_between_its_slices(
    store: PredictionStore,
    line: PredictionConsumer,
    explained_line: PredictionConsumer,
    catalog: Catalog,
    clock: Clock,
    redis: Redis,
    read: Read,
) -> None:
    asked = explained_job(catalog, *range(40))
    store.add([asked])
    requeued: list[int] = []

    def time_passes() -> bool:
        clock.forward(10)
        requeued.append(explained_line.sweep(0).requeued)
        return False

    thread(explained_line, catalog, redis, time_passes, lease=0).work(watch_ms=1)
    assert requeued == [0] * len(requeued)
    assert len(requeued) > 1
    assert read(asked.id).status is PredictionStatus.SUCCEEDED
    assert len(orjson.loads(read(asked.id).outputs or b"")) == 40


def test_a_worker_that_stops_gives_back_what_is_not_done(
    store: PredictionStore,
    line: PredictionConsumer,
    explained_line: PredictionConsumer,
    catalog: Catalog,
    clock: Clock,
    redis: Redis,
    read: Read,
) -> None:
    asked = explained_job(catalog, 1)
    store.add([asked])
    thread(explained_line, catalog, redis, lambda: True).work(watch_ms=1)
    assert read(asked.id).status is PredictionStatus.RUNNING
    clock.forward(5)
    assert explained_line.sweep(0).requeued == 1
    thread(explained_line, catalog, redis).work(watch_ms=1)
    assert read(asked.id).status is PredictionStatus.SUCCEEDED
