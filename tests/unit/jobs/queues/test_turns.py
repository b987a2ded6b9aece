"""Owners take turns: a flood of one delays another by a claim or two, whatever becomes of its jobs."""

from collections import Counter
from collections.abc import Callable

import pytest
from pydantic import SecretStr
from redis import Redis

from jobs.batches.consumer import BatchConsumer
from jobs.batches.store import BatchStore
from jobs.errors import TooManyWaiting
from jobs.predictions.consumer import Claim, PredictionConsumer
from jobs.predictions.record import Accepted, NewPrediction
from jobs.predictions.status import PredictionStatus
from jobs.predictions.store import PredictionStore
from jobs.queues.capacity import Capacity
from jobs.queues.names import EXPLANATIONS, PREDICTIONS
from jobs.settings import Settings
from tests.unit.conftest import Clock, Read, job, living, refusals, scored
from tests.unit.jobs.batches.conftest import OPTIONS, add

CLAIM = 250
"""Rows that each claim wants; in turns it has an eighth of them."""
KEYED = Settings(api_keys=SecretStr("ada:" + "0" * 64))


@pytest.fixture
def store(redis: Redis) -> PredictionStore:
    return PredictionStore(redis, KEYED)


@pytest.fixture
def claim(consumer: PredictionConsumer) -> Callable[[], list[Claim]]:
    """Claims and records, as a consumer does; it has claimed before anything was posted."""

    def claim_and_record() -> list[Claim]:
        claims = consumer.claim("child", "wake_up", CLAIM)
        assert len(consumer.record([scored(each) for each in claims])) == len(claims)
        return claims

    assert claim_and_record() == []
    return claim_and_record


def flood(store: PredictionStore, jobs: int, owner: str = "ada", rows: int = 1) -> list[NewPrediction]:
    posted = [job(*[[float(row)] for row in range(rows)], owner=owner) for _ in range(jobs)]
    assert refusals(store, posted) == [None] * jobs
    return posted


def claims_until(claim: Callable[[], list[Claim]], job_id: str) -> int:
    """The number of the claim that has this job."""
    for number in range(1, 1_000):
        if job_id in [each.id for each in claim()]:
            return number
    raise AssertionError("no claim has the job")


def ids_of(claims: list[Claim]) -> list[str]:
    return [each.id for each in claims]


@pytest.mark.parametrize("rows", [1, 7, 100])
def test_a_job_behind_another_owners_flood_is_in_the_second_claim(
    store: PredictionStore, claim: Callable[[], list[Claim]], rows: int
) -> None:
    flood(store, jobs=300, rows=rows)
    [single] = flood(store, jobs=1, owner="bob")
    assert claims_until(claim, single.id) <= 2 + (rows > CLAIM)


def test_a_job_that_comes_while_a_flood_is_scored_is_in_the_next_claim(
    store: PredictionStore, claim: Callable[[], list[Claim]]
) -> None:
    flood(store, jobs=300)
    for owner in ("bob", "abe", "zoe"):
        for _ in range(3):
            claim()
        [single] = flood(store, jobs=1, owner=owner)
        assert single.id in ids_of(claim())


def test_a_large_list_is_not_claimed_together_with_another_owners_row(
    store: PredictionStore, claim: Callable[[], list[Claim]]
) -> None:
    lists = flood(store, jobs=4, rows=1_000)
    assert ids_of(claim()) == [lists[0].id]
    [single] = flood(store, jobs=1, owner="bob")
    assert ids_of(claim()) == [single.id]
    assert ids_of(claim()) == [lists[1].id]


def test_a_few_rows_of_an_owner_who_has_nothing_behind_come_first(
    store: PredictionStore, consumer: PredictionConsumer, claim: Callable[[], list[Claim]]
) -> None:
    flood(store, jobs=CLAIM + 5, rows=100)
    [single] = flood(store, jobs=1, owner="bob")
    [few] = flood(store, jobs=1, owner="cleo", rows=16)
    flood(store, jobs=1, owner="zoe", rows=17)
    assert ids_of(claim()) == [single.id, few.id]
    [single] = flood(store, jobs=1, owner="bob")
    [between] = consumer.claim_first("child")
    assert between.id == single.id
    assert consumer.claim_first("child") == []


def test_one_job_of_an_owner_comes_first_at_a_time(
    store: PredictionStore, consumer: PredictionConsumer, claim: Callable[[], list[Claim]]
) -> None:
    flood(store, jobs=CLAIM + 5)
    first, second, third = (flood(store, jobs=1, owner="bob")[0].id for _ in range(3))
    [claimed] = consumer.claim_first("child")
    assert claimed.id == first
    assert consumer.claim_first("child") == []
    consumer.record([scored(claimed)])
    last = flood(store, jobs=1, owner="bob")[0].id
    own = (second, third, last)
    assert [job_id for _ in range(50) for job_id in ids_of(claim()) if job_id in own] == list(own)


def test_a_flood_never_comes_first(
    store: PredictionStore, consumer: PredictionConsumer, claim: Callable[[], list[Claim]]
) -> None:
    flood(store, jobs=CLAIM + 50)
    flood(store, jobs=1, rows=5)
    assert consumer.claim_first("child") == []
    for number in range(40):
        flood(store, jobs=1, owner=f"owner{number}")
    assert len(consumer.claim_first("child")) == 16


def test_what_comes_first_and_is_canceled_or_lost_is_dropped_or_requeued(
    store: PredictionStore, consumer: PredictionConsumer, claim: Callable[[], list[Claim]], clock: Clock
) -> None:
    flood(store, jobs=CLAIM + 5)
    [canceled] = flood(store, jobs=1, owner="bob")
    assert store.cancel(canceled.id) is PredictionStatus.CANCELED
    assert consumer.claim_first("child") == []
    [lost] = flood(store, jobs=1, owner="cleo")
    assert ids_of(consumer.claim_first("lost")) == [lost.id]
    clock.forward(16)
    assert consumer.sweep(0).requeued == 1
    assert ids_of(claim()) == [lost.id]


def test_one_owner_without_keys_never_waits_behind(redis: Redis, settings: Settings) -> None:
    flood(PredictionStore(redis, settings), jobs=2_000)
    assert redis.xlen(PREDICTIONS.stream) == 2_000


def test_while_less_than_a_claims_worth_waits_nobody_waits_behind(
    store: PredictionStore, claim: Callable[[], list[Claim]], redis: Redis
) -> None:
    for owner in ("ada", "bob"):
        flood(store, jobs=CLAIM // 2, owner=owner)
    assert not redis.exists("queue:predictions:behind", "queue:predictions:turns")
    assert len(claim()) == CLAIM


def test_owners_get_equal_numbers_of_rows_however_they_send_them(
    store: PredictionStore, claim: Callable[[], list[Claim]]
) -> None:
    flood(store, jobs=CLAIM)
    flood(store, jobs=400, owner="singles")
    flood(store, jobs=40, owner="lists", rows=10)
    claim()
    rows: Counter[str] = Counter()
    for _ in range(100):
        for each in claim():
            rows["lists" if each.listed else "singles"] += len(each.rows)
    assert rows["lists"] >= 150
    assert rows["singles"] >= 150


def test_an_owners_own_jobs_are_claimed_in_order_and_each_once(
    store: PredictionStore, claim: Callable[[], list[Claim]]
) -> None:
    posted = {owner: flood(store, jobs=100, owner=owner) for owner in ("ada", "bob", "cleo")}
    claimed = [job_id for _ in range(200) for job_id in ids_of(claim())]
    for jobs in posted.values():
        own = [each.id for each in jobs]
        assert [job_id for job_id in claimed if job_id in own] == own
    assert len(claimed) == 300


def test_newcomers_do_not_keep_an_owner_waiting_for_ever(
    store: PredictionStore, claim: Callable[[], list[Claim]]
) -> None:
    flood(store, jobs=CLAIM)
    last = flood(store, jobs=30, owner="zoe")[-1]
    for number in range(200):
        flood(store, jobs=1, owner=f"a{number}")
        if last.id in ids_of(claim()):
            return
    raise AssertionError("zoe had no turn")


def test_a_job_that_waits_behind_can_be_canceled_and_deleted(
    store: PredictionStore, claim: Callable[[], list[Claim]], capacity: Callable[[], Capacity]
) -> None:
    posted = flood(store, jobs=CLAIM + 50)
    for each in posted[CLAIM + 20 :]:
        assert store.cancel(each.id) is PredictionStatus.CANCELED
        assert store.delete(each.id) is PredictionStatus.CANCELED
    assert (capacity().waiting, capacity().rows) == (CLAIM + 20, CLAIM + 20)
    assert sum(len(claim()) for _ in range(5)) == CLAIM + 20
    assert claim() == []


def test_an_owner_may_post_after_its_last_job_was_canceled(
    store: PredictionStore, claim: Callable[[], list[Claim]]
) -> None:
    posted = flood(store, jobs=CLAIM + 2)
    [last] = flood(store, jobs=1, rows=9)
    store.cancel(last.id)
    store.cancel(posted[-1].id)
    more = flood(store, jobs=3)
    claimed = [job_id for _ in range(4) for job_id in ids_of(claim())]
    assert claimed == [each.id for each in (*posted[:-1], *more)]


def test_canceling_never_removes_the_entry_of_another_job(
    store: PredictionStore, consumer: PredictionConsumer, claim: Callable[[], list[Claim]]
) -> None:
    for name in ("anna", "ben"):
        consumer.report_alive(living(name))
    first = flood(store, jobs=CLAIM + 1)[-1]
    consumer.claim("child", "wake_up", CLAIM)  # moves the last to the queue's own stream, and leaves it there
    again = flood(store, jobs=CLAIM + 1)  # the numbers of those that wait behind begin anew
    assert store.cancel(first.id) is PredictionStatus.CANCELED
    claimed = [job_id for _ in range(4) for job_id in ids_of(claim())]
    assert claimed == [each.id for each in again]


def test_a_job_that_waits_behind_expires_at_its_deadline(
    store: PredictionStore,
    consumer: PredictionConsumer,
    claim: Callable[[], list[Claim]],
    capacity: Callable[[], Capacity],
    clock: Clock,
    read: Read,
) -> None:
    flood(store, jobs=CLAIM + 20)
    store.add([late := job(start_within=3)])
    clock.forward(4)
    consumer.sweep(0)
    assert read(late.id).status is PredictionStatus.EXPIRED
    assert capacity().rows == CLAIM + 20
    assert late.id not in [job_id for _ in range(4) for job_id in ids_of(claim())]


def test_jobs_wait_though_all_entries_before_them_were_canceled(
    store: PredictionStore, consumer: PredictionConsumer, claim: Callable[[], list[Claim]]
) -> None:
    posted = flood(store, jobs=CLAIM + 5)
    for each in posted[:CLAIM]:
        store.cancel(each.id)
    consumer.sweep(0)
    assert ids_of(claim()) == [each.id for each in posted[CLAIM:]]


def test_jobs_of_a_lost_consumer_that_waited_behind_run_again(
    store: PredictionStore, consumer: PredictionConsumer, clock: Clock
) -> None:
    posted = flood(store, jobs=CLAIM + 30)
    lost = [each for _ in range(12) for each in consumer.claim("lost", "wake_up", CLAIM)]
    assert len(lost) == CLAIM + 30
    clock.forward(16)
    assert consumer.sweep(0).requeued == CLAIM + 30
    assert store.cancel(posted[-1].id) is PredictionStatus.CANCELED
    again = [each for _ in range(CLAIM + 31) for each in consumer.claim("child", "wake_up", CLAIM)]
    assert {each.id for each in again} == {each.id for each in posted[:-1]}


def test_positions_tell_what_is_ahead_in_turns(
    store: PredictionStore, claim: Callable[[], list[Claim]], read: Read
) -> None:
    posted = flood(store, jobs=1_000)
    [first, listed], _ = store.add([single := job(owner="bob"), job(*[[1.0]] * 20, owner="bob")])
    assert isinstance(first, Accepted)
    assert isinstance(listed, Accepted)
    assert (first.rows_ahead, read(single.id).position) == (0, 1)
    assert listed.rows_ahead == CLAIM
    assert read(posted[0].id).position == 1
    assert read(posted[500].id).position == 2 * (500 - CLAIM) + CLAIM + 1
    assert read(posted[-1].id).position == 1_021  # no more than all that wait
    claimed = sum(len(each.rows) for _ in range(2) for each in claim())
    assert read(posted[-1].id).position == 1_021 - claimed


def test_what_waits_behind_counts_as_waiting(
    store: PredictionStore,
    consumer: PredictionConsumer,
    claim: Callable[[], list[Claim]],
    capacity: Callable[[], Capacity],
    clock: Clock,
) -> None:
    flood(store, jobs=CLAIM)
    clock.forward(5)
    flood(store, jobs=90, rows=6, owner="bob")
    assert (capacity().waiting, capacity().rows) == (CLAIM + 90, CLAIM + 540)
    for name in ("anna", "ben", "cleo"):
        consumer.report_alive(living(name))
    assert len(consumer.sweep(most_wake_ups=10).wake_ups) == 3
    claim()
    clock.forward(1)
    assert 1 <= capacity().oldest_seconds < 2
    assert sum(len(claim()) for _ in range(100)) == 90
    assert (capacity().waiting, capacity().rows) == (0, 0)


def test_what_waits_behind_takes_room_in_the_queue(redis: Redis, claim: Callable[[], list[Claim]]) -> None:
    store = PredictionStore(redis, KEYED.model_copy(update={"max_waiting": CLAIM + 30}))
    verdicts = refusals(store, [job([float(number)]) for number in range(CLAIM + 40)])
    assert [verdict is None for verdict in verdicts] == [True] * (CLAIM + 30) + [False] * 10


def test_an_owner_may_have_so_many_rows_waiting_and_others_are_not_refused(
    redis: Redis, claim: Callable[[], list[Claim]]
) -> None:
    store = PredictionStore(redis, KEYED.model_copy(update={"max_waiting_rows_per_key": 100}))
    flood(store, jobs=CLAIM + 100)
    [refused] = refusals(store, [job([1.0], [2.0])])
    assert isinstance(refused, TooManyWaiting)
    assert refused.rows == 2 + CLAIM
    assert refusals(store, [job(owner="bob")]) == [None]
    for _ in range(3):
        claim()
    assert refusals(store, [job([1.0], [2.0])]) == [None]


def test_a_consumer_that_watches_the_queue_sees_that_more_waits_behind(
    store: PredictionStore, consumer: PredictionConsumer, claim: Callable[[], list[Claim]]
) -> None:
    for name in ("child", "other"):
        consumer.report_alive(living(name))
    flood(store, jobs=5, rows=2 * CLAIM)
    claim()
    entry = consumer.wait("other", 1)
    assert entry
    assert [each.id for each in consumer.claim("other", "wake_up", CLAIM, [entry])] == [entry.job_id.decode()]


def test_explained_jobs_take_turns_too(redis: Redis, store: PredictionStore) -> None:
    consumer = PredictionConsumer(redis, KEYED, EXPLANATIONS)
    consumer.claim("child", "", CLAIM)
    explained = [job([float(number)]) for number in range(CLAIM + 50)] + [job(owner="bob")]
    for each in explained:
        each.explained_values = 1
    store.add(explained)
    assert ids_of(consumer.claim("child", "", CLAIM)) == [explained[-1].id]


def test_the_first_task_of_a_batch_waits_for_a_task_or_two_of_other_owners(redis: Redis) -> None:
    store, consumer = BatchStore(redis, Settings()), BatchConsumer(redis, Settings())
    assert consumer.claim("child", "wake_up") is None
    for _ in range(100):
        add(store)
    other = add(store, owner="bob")
    claimed = [task.id for _ in range(3) if (task := consumer.claim("child", "wake_up"))]
    assert other in claimed


def test_every_batch_of_every_owner_is_claimed_once(redis: Redis) -> None:
    store, consumer = BatchStore(redis, Settings()), BatchConsumer(redis, Settings())
    consumer.claim("child", "wake_up")
    added = {add(store, OPTIONS, owner=owner) for _ in range(10) for owner in ("ada", "bob", "cleo")}
    claimed = []
    while task := consumer.claim("child", "wake_up"):
        claimed.append(task.id)
    assert sorted(claimed) == sorted(added)
