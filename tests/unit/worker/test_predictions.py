"""A child that receives a wake-up works until the queue is empty, and loses no job that it claimed."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import orjson
import pytest
from pydantic import SecretStr
from redis import Redis

from jobs.logs import Journal
from jobs.metrics import Metrics
from jobs.predictions.consumer import Claim, PredictionConsumer
from jobs.predictions.record import NewPrediction, PredictionRecord, Row
from jobs.predictions.status import PredictionStatus
from jobs.predictions.store import PredictionStore
from jobs.queues.names import PREDICTIONS
from jobs.queues.queue import Entry
from jobs.settings import Settings
from model.description.catalog import Catalog
from tests.unit.conftest import MANY, Clock, Read, job, living
from worker.bundles import Bundles, Score
from worker.measurements import Measurements, Pace
from worker.predictions import PredictionLoop, in_short_calls

SALARY = {2.5: 260.00012, 4.5: 374.99866, 12.5: 749.99884}


@pytest.fixture
def salary(catalog: Catalog) -> Callable[..., NewPrediction]:
    """A job of the salary model for these years."""

    def salary_job(*years: float) -> NewPrediction:
        rows: list[Row] = [[value] for value in years]
        return job(*rows, sha256=catalog.find("salary@1").sha256)

    return salary_job


@pytest.fixture
def logged() -> list[bytes]:
    return []


@pytest.fixture
def measurements(redis: Redis, logged: list[bytes]) -> Measurements:
    return Measurements(Metrics(redis), Journal("INFO", logged.append))


@pytest.fixture
def child(
    consumer: PredictionConsumer, catalog: Catalog, measurements: Measurements
) -> Callable[[Callable[[], bool]], PredictionLoop]:
    bundles = Bundles(catalog)
    return lambda stopping: PredictionLoop(consumer, bundles, measurements, "child", stopping)


Salary = Callable[..., NewPrediction]
Child = Callable[[Callable[[], bool]], PredictionLoop]


def never() -> bool:
    return False


@dataclass(frozen=True)
class Bench:
    """The queue of predictions, a worker that answers its wake-ups, and a clock that a test turns."""

    store: PredictionStore
    consumer: PredictionConsumer
    child: Child
    clock: Clock
    read: Read

    def add(self, *jobs: NewPrediction) -> None:
        self.store.add(list(jobs))

    def work(self, stopping: Callable[[], bool] = never) -> None:
        self.child(stopping).answer("wake_up")

    def lose_worker(self) -> None:
        self.consumer.claim("lost", "wake_up", MANY)
        self.requeue()

    def requeue(self) -> None:
        """Lets the leases run out."""
        self.clock.forward(16)
        self.consumer.sweep(0)


@pytest.fixture
def bench(
    store: PredictionStore, consumer: PredictionConsumer, child: Child, clock: Clock, read: Read
) -> Bench:
    return Bench(store, consumer, child, clock, read)


def outputs(read: Read, jobs: list[NewPrediction]) -> list[bytes | None]:
    return [read(each.id).outputs for each in jobs]


def test_every_waiting_job_is_scored(
    store: PredictionStore, salary: Salary, child: Child, read: Read, redis: Redis
) -> None:
    years = [4.5, 2.5, 12.5] * 200
    jobs = [salary(each) for each in years]
    store.add(jobs)
    child(never).answer("wake_up")
    assert [orjson.loads(text or b"")["prediction"] for text in outputs(read, jobs)] == [
        SALARY[each] for each in years
    ]
    assert redis.xlen(PREDICTIONS.stream) == 0


def test_lists_and_single_rows_share_a_call(
    store: PredictionStore, salary: Salary, child: Child, read: Read
) -> None:
    jobs = [salary(2.5), salary(12.5, 4.5), salary(4.5)]
    store.add(jobs)
    child(never).answer("wake_up")
    single, several, last = outputs(read, jobs)
    assert (single, last) == (b'{"prediction":260.00012}', b'{"prediction":374.99866}')
    assert [each["prediction"] for each in orjson.loads(several or b"")] == [749.99884, 374.99866]


def test_a_row_of_another_owner_is_served_in_the_middle_of_a_large_list(
    redis: Redis, salary: Salary, child: Child, read: Read, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = PredictionStore(redis, Settings(api_keys=SecretStr("ada:" + "0" * 64)))
    lists = [salary(*[2.5] * 1_000) for _ in range(12)]
    store.add(lists)
    single = salary(4.5)
    single.owner = "bob"
    seen: list[str] = []
    """The statuses of the single row, which has just been posted, and of the lists."""

    def call_by_call(score: Score, pace: Pace, between: Callable[[], None]) -> Score:
        def post_and_ask() -> None:
            store.add([single])
            between()
            if not seen:
                seen.extend([read(each.id).status for each in [single, *lists]])

        return in_short_calls(score, pace, post_and_ask)

    monkeypatch.setattr("worker.predictions.CALL_SECONDS", 0)
    monkeypatch.setattr("worker.predictions.in_short_calls", call_by_call)
    child(never).answer("wake_up")
    assert (seen[0], "running" in seen[1:]) == ("succeeded", True)
    assert read(single.id).outputs == b'{"prediction":374.99866}'
    assert len(set(outputs(read, lists))) == 1


def test_the_wake_up_is_withdrawn_once_the_queue_is_empty(
    store: PredictionStore, consumer: PredictionConsumer, salary: Salary, child: Child, redis: Redis
) -> None:
    consumer.report_alive(living("child"))
    _, [wake_up] = store.add([salary(2.5)])
    child(never).answer(wake_up)
    assert redis.zcard("queue:predictions:wake_ups") == 0


def test_a_wake_up_for_an_empty_queue_is_withdrawn(
    consumer: PredictionConsumer, child: Child, redis: Redis
) -> None:
    redis.zadd("queue:predictions:wake_ups", {"wake_up": 2e12})
    child(never).answer("wake_up")
    assert redis.zcard("queue:predictions:wake_ups") == 0


class AddsLate(PredictionConsumer):
    """A job is added just before the wake-up is withdrawn, and so no other wake-up is sent."""

    def expect(self, store: PredictionStore, late: NewPrediction) -> None:
        self.add_late: Callable[[], object] = lambda: store.add([late])

    def claim(
        self, consumer: str, wake_up: str, rows: int, entries: Sequence[Entry] = (), last: bool = False
    ) -> list[Claim]:
        if last:
            self.add_late()
        return super().claim(consumer, wake_up, rows, entries, last)


@pytest.mark.parametrize("before", [0, 1])
def test_a_job_added_while_the_wake_up_is_withdrawn_is_scored(
    store: PredictionStore,
    redis: Redis,
    salary: Salary,
    catalog: Catalog,
    measurements: Measurements,
    read: Read,
    before: int,
) -> None:
    consumer = AddsLate(redis, Settings())
    late = salary(4.5)
    consumer.expect(store, late)
    store.add([salary(2.5) for _ in range(before)])
    PredictionLoop(consumer, Bundles(catalog), measurements, "child", never).answer("wake_up")
    assert read(late.id).status is PredictionStatus.SUCCEEDED


def test_a_child_that_stops_loses_no_job(
    store: PredictionStore, salary: Salary, child: Child, redis: Redis
) -> None:
    jobs = [salary(2.5) for _ in range(2_000)]
    store.add(jobs)
    calls: list[bool] = []

    def after_a_while() -> bool:
        calls.append(True)
        return len(calls) > 2

    child(after_a_while).answer("wake_up")
    records = store.read([each.id for each in jobs])
    statuses = {record.status for record in records if isinstance(record, PredictionRecord)}
    assert statuses == {PredictionStatus.SUCCEEDED, PredictionStatus.QUEUED}
    assert redis.xpending(PREDICTIONS.stream, "workers")["pending"] == 0
    assert redis.zcard("queue:predictions:wake_ups") == 0


def test_jobs_of_lost_workers_are_not_held_up_by_a_queue_that_never_empties(
    bench: Bench, salary: Salary
) -> None:
    lost = [salary(2.5), salary(4.5), salary(12.5)]
    bench.add(*lost)
    bench.lose_worker()
    calls: list[bool] = []

    def busy_for_a_while() -> bool:
        bench.add(salary(2.5), salary(4.5))
        calls.append(True)
        return len(calls) > 10

    bench.add(salary(12.5))
    bench.work(busy_for_a_while)
    assert [bench.read(each.id).status for each in lost] == [PredictionStatus.SUCCEEDED] * 3


def test_jobs_whose_bundle_cannot_be_loaded_are_released_and_the_rest_are_scored(
    bench: Bench, salary: Salary
) -> None:
    unknown, replaced = job([2.5], model="salary@9"), job([2.5], sha256="00" * 32)
    good = [salary(2.5), salary(4.5)]
    bench.add(good[0], unknown, replaced, good[1])
    for _ in range(3):
        bench.work()
        assert outputs(bench.read, good) == [b'{"prediction":260.00012}', b'{"prediction":374.99866}']
        bench.clock.forward(5)
        bench.consumer.sweep(0)
    for each in (unknown, replaced):
        assert bench.read(each.id).status is PredictionStatus.FAILED
        assert orjson.loads(bench.read(each.id).error or b"")["type"] == "model_unavailable"


def test_a_list_that_workers_were_lost_with_keeps_its_other_rows(bench: Bench, salary: Salary) -> None:
    bench.add(several := salary(2.5, 4.5, 12.5))
    bench.lose_worker()
    bench.lose_worker()
    [claim] = bench.consumer.claim("lost", "wake_up", MANY)
    bench.consumer.note_row(claim, 1)
    bench.requeue()
    bench.work()
    first, second, third = orjson.loads(bench.read(several.id).outputs or b"")
    assert bench.read(several.id).status is PredictionStatus.PARTIALLY_SUCCEEDED
    assert (first["prediction"], third["prediction"]) == (260.00012, 749.99884)
    assert second["error"]["type"] == "worker_lost"


def test_a_job_of_a_lost_worker_is_scored_by_the_next(bench: Bench, salary: Salary) -> None:
    bench.add(a_job := salary(2.5))
    bench.lose_worker()
    bench.work()
    assert (bench.read(a_job.id).status, bench.read(a_job.id).attempt) == (PredictionStatus.SUCCEEDED, 2)


def full_above(years: float) -> Callable[[Any], Score]:
    """A scorer for whose rows there is not enough memory beyond so many years."""

    def scorer_of(_: Any) -> Score:
        def score(rows: Sequence[Row]) -> list[bytes]:
            if any(row[0] > years for row in rows):
                raise MemoryError
            return [b'{"prediction":1}'] * len(rows)

        return score

    return scorer_of


def test_a_job_that_no_worker_has_memory_for_is_left_to_others_and_then_says_so(
    bench: Bench, salary: Salary, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("worker.predictions.scorer", full_above(0))
    bench.add(one := salary(2.5))
    for _ in range(3):
        assert bench.read(one.id).status is PredictionStatus.QUEUED
        bench.work()
        bench.requeue()
    failed = bench.read(one.id)
    assert failed.status is PredictionStatus.FAILED
    assert orjson.loads(failed.error or b"")["type"] == "out_of_memory"


def test_on_its_last_attempt_a_list_keeps_the_rows_that_fit_into_memory(
    bench: Bench, salary: Salary, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("worker.predictions.scorer", full_above(3))
    bench.add(several := salary(2.5, 12.5, 1))
    for _ in range(3):
        bench.work()
        bench.requeue()
    first, second, third = orjson.loads(bench.read(several.id).outputs or b"")
    assert (first, third) == ({"prediction": 1},) * 2
    assert second["error"]["type"] == "out_of_memory"
