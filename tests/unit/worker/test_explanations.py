"""Explanations wait in a queue of their own, and the lease of a long list is renewed."""

import os
import threading
from collections.abc import Callable
from dataclasses import dataclass
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
from jobs.queues import script_calls
from jobs.queues.capacity import Capacity
from jobs.queues.names import EXPLANATIONS, PREDICTIONS
from jobs.settings import Settings
from jobs.supervision import Supervisor
from model.description.catalog import Catalog
from tests.unit.conftest import MANY, Clock, Read, job
from worker.bundles import Bundles
from worker.explanations import NICENESS, ExplanationLoop
from worker.measurements import Measurements

TASKS = Path("/proc/self/task")


def niceness() -> dict[str, int]:
    """The niceness of each thread of this process, by thread id."""
    return {task.name: os.getpriority(os.PRIO_PROCESS, int(task.name)) for task in TASKS.iterdir()}


@pytest.fixture
def explaining_consumer(redis: Redis, settings: Settings) -> PredictionConsumer:
    return PredictionConsumer(redis, settings, EXPLANATIONS)


@dataclass(frozen=True)
class Bench:
    """The queue of explanations, the thread that works on it, and a clock that a test turns."""

    store: PredictionStore
    consumer: PredictionConsumer
    catalog: Catalog
    clock: Clock
    redis: Redis
    read: Read

    def add(self, *years: float) -> NewPrediction:
        added = job(*[[value] for value in years], sha256=self.catalog.find("salary@1").sha256)
        added.explained_values = len(years)
        self.store.add([added])
        return added

    def loop(self, stopping: Callable[[], bool] = lambda: False, lease: float = 15) -> ExplanationLoop:
        measurements = Measurements(Metrics(self.redis), Journal("ERROR", lambda lines: None))
        bundles, supervisor = Bundles(self.catalog), Supervisor(Metrics(self.redis))
        return ExplanationLoop(self.consumer, bundles, measurements, "child", lease, stopping, supervisor)

    def work(self, stopping: Callable[[], bool] = lambda: False, lease: float = 15) -> None:
        self.loop(stopping, lease).work(watch_ms=1)

    def sweep_after(self, seconds: float) -> int:
        """How many jobs are requeued."""
        self.clock.forward(seconds)
        return self.consumer.sweep(0).requeued


@pytest.fixture
def bench(
    store: PredictionStore,
    explaining_consumer: PredictionConsumer,
    catalog: Catalog,
    clock: Clock,
    redis: Redis,
    read: Read,
) -> Bench:
    return Bench(store, explaining_consumer, catalog, clock, redis, read)


def test_contributions_and_base_sum_to_the_prediction(bench: Bench) -> None:
    added = [bench.add(2.5), bench.add(4.5, 12)]
    bench.work()
    one, several = (orjson.loads(bench.read(each.id).outputs or b"") for each in added)
    for output in (one, *several):
        assert list(output) == ["prediction", "contributions", "base"]
        assert output["contributions"]["years"] + output["base"] == pytest.approx(
            output["prediction"], abs=1e-4
        )


def test_explanations_wait_in_a_queue_of_their_own(bench: Bench, consumer: PredictionConsumer) -> None:
    added, plain = bench.add(1), job([1.0])
    assert [bench.redis.xlen(queue.stream) for queue in (PREDICTIONS, EXPLANATIONS)] == [0, 1]
    assert bench.redis.zcard("queue:predictions:wake_ups") == 0
    bench.store.add([plain])
    assert [claim.id for claim in consumer.claim("child", "wake_up", MANY)] == [plain.id]
    assert [claim.id for claim in bench.consumer.claim("child", "", MANY)] == [added.id]
    assert bench.redis.zcard("queue:predictions:wake_ups") == 1


@pytest.mark.skipif(not TASKS.is_dir(), reason="threads are found in /proc")
def test_only_the_thread_that_explains_has_a_lower_priority(bench: Bench) -> None:
    before, mine = niceness(), os.getpriority(os.PRIO_PROCESS, threading.get_native_id())
    bench.add(1)
    explanations = bench.loop()
    explanations.work(watch_ms=1)
    started = {task: nice for task, nice in niceness().items() if task not in before}
    assert min(mine + NICENESS, 19) in started.values()  # 19 is the lowest that there is
    assert os.getpriority(os.PRIO_PROCESS, threading.get_native_id()) == mine


def test_explanations_count_as_waiting_and_can_be_canceled(
    bench: Bench, capacity: Callable[[], Capacity]
) -> None:
    added = bench.add(1, 2)
    assert (capacity().waiting, capacity().rows) == (1, 2)
    assert bench.store.cancel(added.id) is PredictionStatus.CANCELED
    bench.work()
    assert bench.read(added.id).status is PredictionStatus.CANCELED
    assert bench.redis.xlen(EXPLANATIONS.stream) == 0


def test_explanations_of_a_lost_worker_return_to_their_own_queue(bench: Bench) -> None:
    added = bench.add(1)
    bench.consumer.claim("lost", "", MANY)
    assert bench.sweep_after(16) == 1
    bench.work()
    assert (bench.read(added.id).status, bench.read(added.id).attempt) == (PredictionStatus.SUCCEEDED, 2)


def test_a_claim_whose_lease_is_renewed_is_not_requeued(bench: Bench) -> None:
    bench.add(1)
    claims = bench.consumer.claim("child", "", MANY)
    bench.clock.forward(10)
    bench.consumer.renew(claims, "child")
    assert bench.sweep_after(10) == 0
    assert bench.sweep_after(10) == 1


def test_the_lease_of_a_list_is_renewed_between_its_slices(bench: Bench) -> None:
    added = bench.add(*range(40))
    requeued: list[int] = []

    def time_passes() -> bool:
        requeued.append(bench.sweep_after(10))
        return False

    bench.work(time_passes, lease=0)
    assert requeued == [0] * len(requeued)
    assert len(requeued) > 1
    assert bench.read(added.id).status is PredictionStatus.SUCCEEDED
    assert len(orjson.loads(bench.read(added.id).outputs or b"")) == 40


def test_a_worker_that_stops_releases_unfinished_explanations(bench: Bench) -> None:
    added = bench.add(1)
    bench.work(lambda: True)
    assert bench.read(added.id).status is PredictionStatus.RUNNING
    assert bench.sweep_after(5) == 1
    bench.work()
    assert bench.read(added.id).status is PredictionStatus.SUCCEEDED


@pytest.mark.parametrize("method", ["renew", "note_row", "record"])
def test_pauses_of_the_store_under_a_list_are_no_lost_workers(
    bench: Bench, monkeypatch: pytest.MonkeyPatch, method: str
) -> None:
    added = bench.add(*range(40))
    for _ in range(2):  # workers were lost before, so the next attempt is the last
        bench.consumer.claim("lost", "", MANY)
        bench.sweep_after(16)
    call, left = getattr(bench.consumer, method), iter(range(3))

    def pauses(*arguments: object) -> object:
        if next(left, None) is not None:
            raise StoreUnavailable
        return call(*arguments)

    monkeypatch.setattr(bench.consumer, method, pauses)
    monkeypatch.setattr(script_calls, "PAUSES_SECONDS", (0, 0, 0))
    bench.work(lease=0)
    assert (bench.read(added.id).status, bench.read(added.id).attempt) == (PredictionStatus.SUCCEEDED, 3)


def test_the_thread_that_explains_goes_on_after_any_error(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    added, done = bench.add(2.5), threading.Event()
    claim, record, left = bench.consumer.claim, bench.consumer.record, iter(range(1))

    def unblocked(*arguments: Any) -> Any:
        if next(left, None) is not None:
            raise ResponseError("UNBLOCKED client unblocked via CLIENT UNBLOCK")
        return claim(*arguments)

    def recorded(outcomes: Any) -> Any:
        outcome = record(outcomes)
        done.set()
        return outcome

    monkeypatch.setattr(bench.consumer, "claim", unblocked)
    monkeypatch.setattr(bench.consumer, "record", recorded)
    explaining = bench.loop(stopping=done.is_set)
    explaining.start()
    assert done.wait(60)
    explaining.close()
    assert bench.read(added.id).status is PredictionStatus.SUCCEEDED
