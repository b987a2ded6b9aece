"""What operators see in Redis, past web."""

import pytest
from redis import Redis

from jobs import ids
from jobs.batches.consumer import BatchConsumer
from jobs.cli.direct import Direct
from jobs.cli.errors import NotSo
from jobs.predictions.consumer import PredictionConsumer
from jobs.predictions.store import PredictionStore
from jobs.settings import Settings
from tests.unit.conftest import MANY, Clock, job, jobs_of, living, scored


@pytest.fixture(autouse=True)
def _memory(redis: Redis, monkeypatch: pytest.MonkeyPatch) -> None:
    """What is played knows no INFO."""
    monkeypatch.setattr(redis, "info", lambda _: {"maxmemory": 0, "used_memory": 0})


@pytest.fixture
def direct(store: PredictionStore, settings: Settings) -> Direct:
    return Direct(store, settings, owner="ada")


def test_a_job_is_shown_with_its_owner_and_its_attempt(
    store: PredictionStore, line: PredictionConsumer, direct: Direct
) -> None:
    store.add([a_job := job(owner="bob")])
    line.claim("child", "wake_up", MANY)
    shown = direct.show(a_job.id)
    assert (shown["status"], shown["owner"], shown["attempt"]) == ("running", "bob", 1)


def test_a_job_that_is_not_there_was_never_or_has_expired(direct: Direct, clock: Clock) -> None:
    job_id = ids.new_id(ids.PREDICTION)
    with pytest.raises(NotSo, match="no such"):
        direct.show(job_id)
    clock.forward(7 * 3600)
    with pytest.raises(NotSo, match="expired"):
        direct.cancel(job_id)


def test_a_list_is_of_one_owner_and_of_one_status(
    store: PredictionStore, direct: Direct, clock: Clock
) -> None:
    store.add([first := job(), job(owner="bob")])
    clock.forward(1)
    store.add([second := job()])
    direct.cancel(first.id)
    assert [each["id"] for each in direct.list_jobs(None, MANY)] == [second.id, first.id]
    assert [each["id"] for each in direct.list_jobs("canceled", MANY)] == [first.id]
    assert [each["id"] for each in direct.list_jobs(None, 1)] == [second.id]


def test_a_list_is_as_long_as_it_is(store: PredictionStore, direct: Direct) -> None:
    store.add(jobs_of(*range(230)))
    assert len(list(direct.list_jobs(None, 210))) == 210
    assert len(list(direct.list_jobs(None, MANY))) == 230


def test_only_a_job_that_waits_is_canceled(
    store: PredictionStore, line: PredictionConsumer, direct: Direct
) -> None:
    store.add([waiting := job()])
    assert direct.cancel(waiting.id)["status"] == "canceled"
    store.add([done := job()])
    line.record([scored(claim) for claim in line.claim("child", "wake_up", MANY)])
    with pytest.raises(NotSo, match="succeeded"):
        direct.cancel(done.id)


def test_the_capacity_names_every_process(
    store: PredictionStore, line: PredictionConsumer, direct: Direct, redis: Redis, settings: Settings
) -> None:
    store.add([job([1.0], [2.0])])
    line.alive(living("one:1:2", pace=70))
    store.alive(living("one:7"))
    BatchConsumer(redis, settings).live(living("one:3:4", pace=90))
    now = direct.capacity()
    assert (now["waiting"], now["rows"], now["workers"], now["accepting"]) == (1, 2, 1, True)
    assert [(each["of"], each["name"], each["rows_per_second"]) for each in now["processes"]] == [
        ("web", "one:7", 0),
        ("worker", "one:1:2", 70),
        ("worker for batches", "one:3:4", 90),
    ]


def test_nothing_is_accepted_where_too_much_waits(store: PredictionStore) -> None:
    store.add(jobs_of(1, 2))
    assert not Direct(store, Settings(max_waiting=2)).capacity()["accepting"]
