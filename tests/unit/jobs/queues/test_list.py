"""An owner's jobs are listed by cursor, the newest first: each once, and none is missed."""

import random
from collections.abc import Iterator

from redis import Redis

from jobs.predictions.consumer import PredictionConsumer
from jobs.predictions.record import NewPrediction
from jobs.predictions.status import PredictionStatus
from jobs.predictions.store import PredictionStore
from jobs.queues.queue import MOST_READ
from tests.unit.conftest import MANY, Clock, job, jobs_of, scored


def pages(store: PredictionStore, most: int, status: PredictionStatus | None = None) -> Iterator[list[str]]:
    """The ids of each page."""
    cursor = None
    while True:
        records, cursor = store.list_jobs("ada", cursor, status, most)
        yield [record.id for record in records]
        if cursor is None:
            return


def added(store: PredictionStore, count: int) -> list[NewPrediction]:
    jobs = jobs_of(*range(count))
    store.add(jobs)
    return jobs


def test_the_newest_job_comes_first_and_each_once(store: PredictionStore) -> None:
    jobs = added(store, 7)
    newest_first = sorted((each.id for each in jobs), reverse=True)
    assert list(pages(store, 3)) == [newest_first[:3], newest_first[3:6], newest_first[6:]]
    assert list(pages(store, 7)) == [newest_first]


def test_an_owner_lists_no_job_of_another(store: PredictionStore) -> None:
    store.add([job(owner="bob"), mine := job()])
    assert list(pages(store, 10)) == [[mine.id]]
    assert store.list_jobs("nobody", None, None, 10) == ([], None)


def test_a_listing_misses_no_job_while_others_come_and_go(
    store: PredictionStore, consumer: PredictionConsumer, clock: Clock
) -> None:
    jobs = added(store, 2_000)
    chance = random.Random(7)  # noqa: S311 (the same jobs each time)
    chance.shuffle(jobs)
    going, staying = jobs[:600], {each.id for each in jobs[600:]}
    seen: list[str] = []
    for page in pages(store, 20):
        seen += page
        clock.forward(0.01)
        store.add([job(), job()])
        for gone in going[-6:]:
            store.cancel(gone.id)
            store.delete(gone.id)
        del going[-6:]
    assert len(seen) == len(set(seen))
    assert staying <= set(seen) <= {each.id for each in jobs}


def test_a_listing_by_status_has_that_status_only(
    store: PredictionStore, consumer: PredictionConsumer
) -> None:
    jobs = added(store, 5)
    consumer.record([scored(claim) for claim in consumer.claim("child", "wake_up", 2)])
    store.cancel(jobs[4].id)
    counts = {status: sum(map(len, pages(store, 2, status))) for status in PredictionStatus}
    assert {status: count for status, count in counts.items() if count} == {
        PredictionStatus.SUCCEEDED: 2,
        PredictionStatus.QUEUED: 2,
        PredictionStatus.CANCELED: 1,
    }


def test_a_rare_status_is_found_behind_many_others(store: PredictionStore) -> None:
    [first, *_] = sorted(added(store, 2 * MOST_READ + 10), key=lambda each: each.id)
    store.cancel(first.id)
    found = list(pages(store, 10, PredictionStatus.CANCELED))
    assert found == [[], [], [first.id]]


def test_an_expired_job_is_not_listed(
    store: PredictionStore, consumer: PredictionConsumer, clock: Clock, redis: Redis
) -> None:
    added(store, 3)
    consumer.record([scored(claim) for claim in consumer.claim("child", "wake_up", MANY)])
    clock.forward(store.retention_ms / 1000 + 1)
    assert list(pages(store, 10)) == [[]]
    assert redis.zcard("predictions:of:ada") == 0
