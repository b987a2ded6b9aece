"""A record is compact and reads back from Redis unchanged."""

import pytest
from redis import Redis
from redis.exceptions import ResponseError

from jobs import ids
from jobs.errors import StoreUnavailable, UnknownRecord
from jobs.predictions.consumer import PredictionConsumer
from jobs.predictions.record import Accepted, NewPrediction, PredictionRecord
from jobs.predictions.status import PredictionStatus
from jobs.predictions.store import PredictionStore, queued_record
from tests.unit.conftest import MANY, SHA, Clock, Read, job, scored


def fields(redis: Redis, a_job: NewPrediction) -> set[bytes | str]:
    return set(redis.hkeys(f"job:{a_job.id}"))


def test_a_record_reads_back_as_it_was_added(store: PredictionStore, read: Read) -> None:
    ada, bob = job([1.5, "gas", None]), job([2.5], [3.5], owner="bob", model="rent@7", sha256="00" * 32)
    bob.metadata = b'{"team":"blue"}'
    done, _ = store.add([ada, bob])
    for added, accepted in zip([ada, bob], done, strict=True):
        assert isinstance(accepted, Accepted)
        assert read(added.id) == queued_record(added, accepted)
    assert (read(ada.id).sha256, read(bob.id).sha256) == (SHA, "00" * 32)
    assert (read(ada.id).metadata, read(bob.id).metadata) == (b"{}", b'{"team":"blue"}')


def test_a_record_has_the_times_of_its_job(
    store: PredictionStore, consumer: PredictionConsumer, clock: Clock, read: Read
) -> None:
    a_job = job()
    store.add([a_job])
    clock.forward(2)
    [claim] = consumer.claim("child", "wake_up", MANY)
    clock.forward(3)
    consumer.record([scored(claim)])
    record = read(a_job.id)
    assert record.started is not None
    assert record.finished is not None
    assert record.expires == record.finished + store.retention_ms
    assert record.started - ids.created_ms(record.id) == pytest.approx(2_000, abs=500)
    assert record.finished - record.started == pytest.approx(3_000, abs=500)


def test_reading_an_unknown_id_gives_none(store: PredictionStore) -> None:
    here, absent = job(), job()
    store.add([here])
    records = store.read([absent.id, here.id, absent.id])
    assert [isinstance(record, PredictionRecord) and record.id for record in records] == [
        False,
        here.id,
        False,
    ]


def test_a_record_holds_no_field_that_is_not_needed(
    store: PredictionStore, consumer: PredictionConsumer, redis: Redis
) -> None:
    a_job = job()
    store.add([a_job])
    waiting = {b"v", b"status", b"model", b"sha", b"owner", b"inputs", b"position"}
    assert fields(redis, a_job) == waiting
    [claim] = consumer.claim("child", "wake_up", MANY)
    assert fields(redis, a_job) == waiting | {b"attempt", b"started"}
    consumer.record([scored(claim)])
    ended = {b"attempt", b"started", b"finished", b"expires", b"outputs"}
    assert fields(redis, a_job) == waiting - {b"inputs", b"position"} | ended


def test_a_small_job_takes_a_small_record(store: PredictionStore, redis: Redis) -> None:
    a_job = job()
    store.add([a_job])
    record = redis.hgetall(f"job:{a_job.id}")
    assert sum(len(name) + len(value) for name, value in record.items()) < 100


def test_only_the_record_of_another_version_is_refused(store: PredictionStore, redis: Redis) -> None:
    newer, known = job(), job()
    store.add([newer, known])
    redis.hset(f"job:{newer.id}", "v", "2")
    refused, read = store.read([newer.id, known.id])
    assert isinstance(refused, UnknownRecord)
    assert "deploy workers and web of one release" in str(refused)
    assert isinstance(read, PredictionRecord)


def test_a_redis_that_cannot_write_raises_store_unavailable(
    store: PredictionStore, redis: Redis, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise ResponseError("MISCONF Errors writing to the AOF file")

    monkeypatch.setattr(redis, "evalsha", refuse)
    with pytest.raises(StoreUnavailable, match="MISCONF"):
        store.add([job()])


@pytest.mark.parametrize("status", PredictionStatus)
def test_every_status_reads_back(
    store: PredictionStore, redis: Redis, read: Read, status: PredictionStatus
) -> None:
    a_job = job()
    store.add([a_job])
    redis.hset(f"job:{a_job.id}", "status", status)
    assert read(a_job.id).status is status
