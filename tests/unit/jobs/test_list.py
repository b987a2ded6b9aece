"""An owner's jobs are listed by cursor, the newest first: each once, none missed, whatever comes and goes."""

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
    """Ids, page by page."""
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


def test_the_newest_comes_first_and_each_once(store: PredictionStore) -> None:
    jobs = added(store, 7)
    newest_first = sorted((one.id for one in jobs), reverse=True)
    assert list(pages(store, 3)) == [newest_first[:3], newest_first[3:6], newest_first[6:]]
    assert list(pages(store, 7)) == [newest_first]


def test_an_owner_lists_his_own(store: PredictionStore) -> None:
    store.add([job(owner="bob"), mine := job()])
    assert list(pages(store, 10)) == [[mine.id]]
    assert store.list_jobs("nobody", None, None, 10) == ([], None)


def test_ten_thousand_jobs_are_listed_while_jobs_come_and_go(
    store: PredictionStore, line: PredictionConsumer, clock: Clock
) -> None:
    jobs = added(store, 10_000)
    chance = random.Random(7)  # noqa: S311 (it is to be the same each time)
    chance.shuffle(jobs)
    going, staying = jobs[:3_000], {one.id for one in jobs[3_000:]}
    seen: list[str] = []
    for page in pages(store, 100):
        seen += page
        clock.forward(0.01)
        store.add([job(), job()])
        for gone in going[-20:]:
            store.cancel(gone.id)
            store.delete(gone.id)
        del going[-20:]
    assert len(seen) == len(set(seen))
    assert staying <= set(seen) <= {one.id for one in jobs}


def test_by_status_only_those_are_listed(store: PredictionStore, line: PredictionConsumer) -> None:
    jobs = added(store, 5)
    line.record([scored(claim) for claim in line.claim("child", "wake_up", 2)])
    store.cancel(jobs[4].id)
    counts = {status: sum(map(len, pages(store, 2, status))) for status in PredictionStatus}
    assert {status: count for status, count in counts.items() if count} == {
        PredictionStatus.SUCCEEDED: 2,
        PredictionStatus.QUEUED: 2,
        PredictionStatus.CANCELED: 1,
    }


def test_a_rare_status_is_found_behind_many_others(store: PredictionStore) -> None:
    [first, *_] = sorted(added(store, 2 * MOST_READ + 10), key=lambda one: one.id)
    store.cancel(first.id)
    found = list(pages(store, 10, PredictionStatus.CANCELED))
    assert found == [[], [], [first.id]]


def test_a_job_that_is_no_more_is_not_listed(
    store: PredictionStore, line: PredictionConsumer, clock: Clock, redis: Redis
) -> None:
    added(store, 3)
    line.record([scored(claim) for claim in line.claim("child", "wake_up", MANY)])
    clock.forward(store.retention_ms / 1000 + 1)
    assert list(pages(store, 10)) == [[]]
    assert redis.zcard("predictions:of:ada") == 0
