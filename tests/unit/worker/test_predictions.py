"""A child that hears a wake_up works until the line is empty, and keeps what it claimed whatever comes."""

from collections.abc import Callable

import orjson
import pytest
from redis import Redis

from jobs.logs import Journal
from jobs.metrics import Metrics
from jobs.predictions.consumer import Claim, PredictionConsumer
from jobs.predictions.record import NewPrediction, Row
from jobs.predictions.status import PredictionStatus
from jobs.predictions.store import PredictionStore
from jobs.queues.names import PREDICTIONS
from jobs.queues.queue import NO_ENTRY, Entry
from jobs.settings import Settings
from model.description.catalog import Catalog
from tests.unit.conftest import MANY, Clock, Read, job, living
from worker.bundles import Bundles
from worker.measurements import Report
from worker.predictions import PredictionLoop

SALARY = {2.5: 260.00012, 4.5: 374.99866, 12.5: 749.99884}


@pytest.fixture
def salary(catalog: Catalog) -> Callable[..., NewPrediction]:
    """A job of the salary model for these years."""

    def salary_job(*years: float) -> NewPrediction:
        rows: list[Row] = [[one] for one in years]
        return job(*rows, sha256=catalog.find("salary@1").sha256)

    return salary_job


@pytest.fixture
def logged() -> list[bytes]:
    return []


@pytest.fixture
def account(redis: Redis, logged: list[bytes]) -> Report:
    return Report(Metrics(redis), Journal("INFO", logged.append))


@pytest.fixture
def child(
    line: PredictionConsumer, catalog: Catalog, account: Report
) -> Callable[[Callable[[], bool]], PredictionLoop]:
    bundles = Bundles(catalog)
    return lambda stopping: PredictionLoop(line, bundles, account, "child", stopping)


Salary = Callable[..., NewPrediction]
Child = Callable[[Callable[[], bool]], PredictionLoop]


def never() -> bool:
    return False


def lose(line: PredictionConsumer, clock: Clock) -> None:
    line.claim("lost", "wake_up", MANY)
    clock.forward(16)
    line.sweep(0)


def outputs(read: Read, jobs: list[NewPrediction]) -> list[bytes | None]:
    return [read(one.id).outputs for one in jobs]


def test_all_that_waits_is_scored(
    store: PredictionStore, salary: Salary, child: Child, read: Read, redis: Redis
) -> None:
    years = [4.5, 2.5, 12.5] * 200
    jobs = [salary(one) for one in years]
    store.add(jobs)
    child(never).answer("wake_up")
    assert [orjson.loads(text or b"")["prediction"] for text in outputs(read, jobs)] == [
        SALARY[one] for one in years
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


def test_the_bell_is_withdrawn_once_the_line_is_empty(
    store: PredictionStore, line: PredictionConsumer, salary: Salary, child: Child, redis: Redis
) -> None:
    line.alive(living("child"))
    _, [wake_up] = store.add([salary(2.5)])
    child(never).answer(wake_up)
    assert redis.zcard("queue:predictions:wake_ups") == 0


def test_a_bell_for_nothing_is_withdrawn(line: PredictionConsumer, child: Child, redis: Redis) -> None:
    redis.zadd("queue:predictions:wake_ups", {"wake_up": 2e12})
    child(never).answer("wake_up")
    assert redis.zcard("queue:predictions:wake_ups") == 0


class AddsLate(PredictionConsumer):
    """Somebody adds a job just before the wake-up is withdrawn, and so sends none."""

    def expect(self, store: PredictionStore, late: NewPrediction) -> None:
        self.add_late: Callable[[], object] = lambda: store.add([late])

    def claim(
        self, consumer: str, wake_up: str, rows: int, entry: Entry = NO_ENTRY, last: bool = False
    ) -> list[Claim]:
        if last:
            self.add_late()
        return super().claim(consumer, wake_up, rows, entry, last)


@pytest.mark.parametrize("before", [0, 1])
def test_a_job_that_comes_as_the_bell_is_withdrawn_is_scored(
    store: PredictionStore,
    redis: Redis,
    salary: Salary,
    catalog: Catalog,
    account: Report,
    read: Read,
    before: int,
) -> None:
    line = AddsLate(redis, Settings())
    late = salary(4.5)
    line.expect(store, late)
    store.add([salary(2.5) for _ in range(before)])
    PredictionLoop(line, Bundles(catalog), account, "child", never).answer("wake_up")
    assert read(late.id).status is PredictionStatus.SUCCEEDED


def test_a_child_that_is_told_to_stop_loses_nothing(
    store: PredictionStore, salary: Salary, child: Child, read: Read, redis: Redis
) -> None:
    jobs = [salary(2.5) for _ in range(2_000)]
    store.add(jobs)
    asked: list[bool] = []

    def after_a_while() -> bool:
        asked.append(True)
        return len(asked) > 2

    child(after_a_while).answer("wake_up")
    statuses = {read(one.id).status for one in jobs}
    assert statuses == {PredictionStatus.SUCCEEDED, PredictionStatus.QUEUED}
    assert redis.xpending(PREDICTIONS.stream, "workers")["pending"] == 0
    assert redis.zcard("queue:predictions:wake_ups") == 0


def test_lost_jobs_are_not_held_up_by_a_line_that_never_ends(
    store: PredictionStore,
    line: PredictionConsumer,
    salary: Salary,
    child: Child,
    clock: Clock,
    read: Read,
) -> None:
    lost = [salary(2.5), salary(4.5), salary(12.5)]
    store.add(lost)
    lose(line, clock)
    asked: list[bool] = []

    def busy_for_a_while() -> bool:
        store.add([salary(2.5), salary(4.5)])
        asked.append(True)
        return len(asked) > 10

    store.add([salary(12.5)])
    child(busy_for_a_while).answer("wake_up")
    assert [read(one.id).status for one in lost] == [PredictionStatus.SUCCEEDED] * 3


def test_what_cannot_be_loaded_is_given_back_and_the_rest_is_scored(
    store: PredictionStore, line: PredictionConsumer, salary: Salary, child: Child, clock: Clock, read: Read
) -> None:
    unknown, replaced = job([2.5], model="salary@9"), job([2.5], sha256="00" * 32)
    good = [salary(2.5), salary(4.5)]
    store.add([good[0], unknown, replaced, good[1]])
    for _ in range(3):
        child(never).answer("wake_up")
        assert outputs(read, good) == [b'{"prediction":260.00012}', b'{"prediction":374.99866}']
        clock.forward(5)
        line.sweep(0)
    for each in (unknown, replaced):
        assert read(each.id).status is PredictionStatus.FAILED
        assert orjson.loads(read(each.id).error or b"")["type"] == "model_unavailable"


def test_a_list_that_workers_were_lost_with_keeps_its_other_rows(
    store: PredictionStore, line: PredictionConsumer, salary: Salary, child: Child, clock: Clock, read: Read
) -> None:
    store.add([several := salary(2.5, 4.5, 12.5)])
    lose(line, clock)
    lose(line, clock)
    [claim] = line.claim("lost", "wake_up", MANY)
    line.note_row(claim, 1)
    clock.forward(16)
    line.sweep(0)
    child(never).answer("wake_up")
    first, second, third = orjson.loads(read(several.id).outputs or b"")
    assert read(several.id).status is PredictionStatus.PARTIALLY_SUCCEEDED
    assert (first["prediction"], third["prediction"]) == (260.00012, 749.99884)
    assert second["error"]["type"] == "worker_lost"


def test_an_outdated_child_records_nothing_and_goes_on(
    store: PredictionStore, line: PredictionConsumer, salary: Salary, child: Child, clock: Clock, read: Read
) -> None:
    store.add([a_job := salary(2.5)])
    lose(line, clock)
    child(never).answer("wake_up")
    assert (read(a_job.id).status, read(a_job.id).attempt) == (PredictionStatus.SUCCEEDED, 2)
