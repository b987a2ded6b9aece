"""Jobs are added in one step: each is recorded and queued, or refused and not stored."""

import pytest
from fakeredis import FakeServer
from pydantic import SecretStr
from redis import Redis

from jobs import ids
from jobs.errors import QueueFull, RateLimited, StoreUnavailable
from jobs.predictions.consumer import PredictionConsumer
from jobs.predictions.record import Accepted
from jobs.predictions.status import PredictionStatus
from jobs.predictions.store import PredictionStore
from jobs.queues.names import PREDICTIONS
from jobs.settings import Settings
from tests.unit.conftest import MANY, Clock, Read, job, jobs_of, refusals, scored
from tests.unit.in_memory import MemoryRedis


def test_an_added_job_is_recorded_listed_and_queued(
    store: PredictionStore, consumer: PredictionConsumer, redis: Redis, read: Read
) -> None:
    ada, bob = job([1.5]), job([2.5], owner="bob")
    assert refusals(store, [ada, bob]) == [None, None]
    assert read(ada.id).status is read(bob.id).status is PredictionStatus.QUEUED
    assert redis.zrange("predictions:of:ada", 0, -1) == [ids.raw(ada.id)]
    assert [(claim.id, claim.rows) for claim in consumer.claim("child", "wake_up", MANY)] == [
        (ada.id, [[1.5]]),
        (bob.id, [[2.5]]),
    ]


def test_a_job_added_twice_is_one_job(
    store: PredictionStore, consumer: PredictionConsumer, redis: Redis
) -> None:
    a_job = job()
    assert refusals(store, [a_job, a_job]) == [None, None]
    assert refusals(store, [a_job]) == [None]
    assert redis.zcard("predictions:of:ada") == 1
    assert len(consumer.claim("child", "wake_up", MANY)) == 1


def test_a_large_group_of_one_owner_is_added(store: PredictionStore, redis: Redis) -> None:
    assert refusals(store, jobs_of(*range(5_000))) == [None] * 5_000
    assert redis.zcard("predictions:of:ada") == redis.xlen(PREDICTIONS.stream) == 5_000


def test_adding_a_job_again_does_not_change_its_outcome(
    store: PredictionStore, consumer: PredictionConsumer, read: Read
) -> None:
    a_job = job()
    store.add([a_job])
    consumer.record([scored(claim) for claim in consumer.claim("child", "wake_up", MANY)])
    before = read(a_job.id)
    assert refusals(store, [a_job]) == [None]
    assert read(a_job.id) == before
    assert consumer.claim("child", "wake_up", MANY) == []


def test_a_full_queue_refuses_new_jobs_and_keeps_known_ones(redis: Redis) -> None:
    store = PredictionStore(redis, Settings(max_waiting=2))
    first, second, third = jobs_of(1, 2, 3)
    assert refusals(store, [first, second]) == [None, None]
    verdicts = refusals(store, [third, first])
    assert isinstance(verdicts[0], QueueFull)
    assert verdicts[1] is None
    assert store.read([third.id]) == [None]
    assert (redis.xlen(PREDICTIONS.stream), redis.zcard("predictions:of:ada")) == (2, 2)


def test_a_queue_that_was_worked_off_has_room_again(redis: Redis, consumer: PredictionConsumer) -> None:
    store = PredictionStore(redis, Settings(max_waiting=1))
    first, second = jobs_of(1, 2)
    store.add([first])
    consumer.record([scored(claim) for claim in consumer.claim("child", "wake_up", MANY)])
    assert refusals(store, [second]) == [None]


def test_jobs_of_lost_workers_take_room_too(redis: Redis, consumer: PredictionConsumer, clock: Clock) -> None:
    store = PredictionStore(redis, Settings(max_waiting=1))
    first, second = jobs_of(1, 2)
    store.add([first])
    consumer.claim("lost", "wake_up", MANY)
    clock.forward(16)
    consumer.sweep(0)
    assert isinstance(refusals(store, [second])[0], QueueFull)


@pytest.fixture
def limited(redis: Redis) -> PredictionStore:
    return PredictionStore(redis, Settings(rows_per_minute=3))


def test_an_owner_over_the_limit_may_retry_when_the_minute_is_over(limited: PredictionStore) -> None:
    verdicts = refusals(limited, [*jobs_of(1, 2, 3), job([4.0])])
    assert verdicts[:3] == [None] * 3
    assert isinstance(verdicts[3], RateLimited)
    assert verdicts[3].retry_after == 42


def test_after_retry_after_an_owner_may_post_again(limited: PredictionStore, clock: Clock) -> None:
    limited.add(jobs_of(1, 2, 3))
    clock.forward(41)
    assert isinstance(refusals(limited, [job()])[0], RateLimited)
    clock.forward(1)
    assert refusals(limited, jobs_of(4, 5, 6)) == [None] * 3


def test_the_limit_counts_rows_and_only_those_that_were_accepted(limited: PredictionStore) -> None:
    assert refusals(limited, [job([1.0], [2.0])]) == [None]
    assert isinstance(refusals(limited, [job([3.0], [4.0])])[0], RateLimited)
    assert refusals(limited, [job([5.0])]) == [None]


def test_each_owner_has_a_separate_limit(limited: PredictionStore) -> None:
    limited.add(jobs_of(1, 2, 3))
    assert refusals(limited, [job(owner="bob")]) == [None]


def test_a_job_added_again_does_not_count_again(limited: PredictionStore) -> None:
    first, second, third = jobs_of(1, 2, 3)
    for _ in range(3):
        assert refusals(limited, [first, second]) == [None, None]
    assert refusals(limited, [third]) == [None]


def test_the_list_of_an_owners_jobs_does_not_grow_for_ever(
    store: PredictionStore, redis: Redis, clock: Clock
) -> None:
    for _ in range(5):
        some = [job([float(number)]) for number in range(10)]
        store.add(some)
        for each in some:
            store.cancel(each.id)
        clock.forward(store.retention_ms / 1000 + 1)
    store.add([last := job()])
    assert redis.zcard("predictions:of:ada") <= 10
    assert redis.zscore("predictions:of:ada", ids.raw(last.id)) is not None


def test_a_waiting_job_stays_in_the_list_however_old_it_is(
    store: PredictionStore, redis: Redis, clock: Clock
) -> None:
    store.add([old := job([1.0])])
    clock.forward(store.retention_ms / 1000 + 1)
    store.add(jobs_of(2, 3))
    assert redis.zscore("predictions:of:ada", ids.raw(old.id)) is not None


def test_a_queue_that_an_earlier_release_numbered_goes_on(
    store: PredictionStore, consumer: PredictionConsumer, redis: Redis
) -> None:
    redis.xdel(
        PREDICTIONS.stream,
        redis.xadd(PREDICTIONS.stream, {"id": "pred_old", "rows": 1}, id="1795000000000-3"),
    )
    first, second = jobs_of(1, 2)
    assert refusals(store, [first]) == refusals(store, [second]) == [None]
    assert [claim.id for claim in consumer.claim("child", "wake_up", MANY)] == [first.id, second.id]


def test_a_redis_that_is_away_raises_store_unavailable(settings: Settings) -> None:
    server = FakeServer()
    store = PredictionStore(MemoryRedis(server=server, protocol=2), settings)
    server.connected = False
    with pytest.raises(StoreUnavailable, match="Redis does not answer"):
        store.add([job()])


def test_a_job_that_is_added_again_has_the_deadline_of_before(store: PredictionStore, clock: Clock) -> None:
    [first], _ = store.add([a_job := job(start_within=5)])
    clock.forward(1)
    [again], _ = store.add([a_job])
    assert isinstance(first, Accepted)
    assert isinstance(again, Accepted)
    assert first.deadline == again.deadline is not None


def test_a_job_that_is_added_again_has_as_many_rows_ahead_as_before(store: PredictionStore) -> None:
    store.add([job([1.0], [2.0], [3.0])])
    jobs = [job([1.0], [2.0]), job(), job([4.0], [5.0])]
    first, _ = store.add(jobs)
    again, _ = store.add(jobs)
    assert again == first
    assert [accepted.rows_ahead for accepted in again if isinstance(accepted, Accepted)] == [3, 5, 6]


def test_a_job_that_waits_behind_and_is_added_again_has_as_many_rows_ahead_as_before(redis: Redis) -> None:
    store = PredictionStore(redis, Settings(api_keys=SecretStr("ada:x")))
    for number in range(4):
        store.add([job(*[[2.5]] * 100, owner=f"owner{number}")])
    a_job = job(*[[2.5]] * 20)
    store.add([job(*[[2.5]] * 30)])
    [first], _ = store.add([a_job])
    [again], _ = store.add([a_job])
    assert isinstance(first, Accepted)
    assert isinstance(again, Accepted)
    assert first.rows_ahead == again.rows_ahead > 30
