"""What should be a number in Redis and is none: in entries that wait in turns, in counts and in records."""

from collections.abc import Callable
from typing import Any

import pytest
from pydantic import SecretStr
from redis import Redis

from jobs.errors import UnknownRecord
from jobs.predictions.consumer import Claim, PredictionConsumer
from jobs.predictions.record import NewPrediction, PredictionRecord
from jobs.predictions.store import PredictionStore
from jobs.queues.capacity import Capacity
from jobs.queues.names import PREDICTIONS
from jobs.queues.usage import UsageReader
from jobs.settings import Settings
from tests.unit.conftest import MANY, Clock, Read, job, living, refusals, scored

CLAIM = 2
"""Rows that a claim wants; what comes after so many waits behind."""
NO_NUMBERS = ["many", "inf", "nan", "0x10", "2.5", "-5", "1e300", ""]
COUNTS = ["rows", "behind", "claim_rows", "added", "given"]


@pytest.fixture
def store(redis: Redis) -> PredictionStore:
    """Owners take turns."""
    return PredictionStore(redis, Settings(api_keys=SecretStr("ada:" + "0" * 64)))


@pytest.fixture
def claimed_ids(consumer: PredictionConsumer) -> Callable[[], list[str]]:
    """Claims and records until nothing waits; the ids, in order."""

    def claim_all() -> list[str]:
        found: list[Claim] = []
        for _ in range(20):
            claims = consumer.claim("child", "wake_up", CLAIM)
            consumer.record([scored(claim) for claim in claims])
            found += claims
        return [claim.id for claim in found]

    assert claim_all() == []
    return claim_all


def post(store: PredictionStore, number: int, owner: str = "ada") -> list[NewPrediction]:
    posted = [job(owner=owner) for _ in range(number)]
    assert refusals(store, posted) == [None] * number
    return posted


def spoil_rows(redis: Redis, behind: NewPrediction, rows: str) -> None:
    """Replaces the entry of a job that waits behind, and all after it, by such as say this of its rows."""
    stream = f"queue:predictions:of:{behind.owner}"
    entries: Any = redis.xrange(stream)
    for entry, fields in entries:
        redis.xdel(stream, entry)
        number = int(entry.partition(b"-")[0])
        its_rows = rows if fields[b"id"] == behind.id.encode() else fields[b"rows"]
        redis.xadd(stream, {"id": fields[b"id"], "rows": its_rows}, id=f"{number + 100}-0")


@pytest.mark.parametrize("rows", NO_NUMBERS)
def test_an_entry_behind_whose_rows_are_no_number_is_given_up_alone(
    store: PredictionStore, redis: Redis, read: Read, claimed_ids: Callable[[], list[str]], rows: str
) -> None:
    front = post(store, CLAIM)
    bad, *others = post(store, 3)
    [bob] = post(store, 1, "bob")
    spoil_rows(redis, bad, rows)
    assert set(claimed_ids()) == {each.id for each in (*front, *others, bob)}
    assert (read(bad.id).status, b'"unreadable"' in (read(bad.id).error or b"")) == ("failed", True)
    assert not redis.exists("queue:predictions:turns")


def test_the_sweeper_says_how_many_entries_could_not_be_read(
    store: PredictionStore,
    consumer: PredictionConsumer,
    redis: Redis,
    clock: Clock,
    claimed_ids: Callable[[], list[str]],
) -> None:
    post(store, CLAIM)
    bad, no_json = post(store, 2)
    spoil_rows(redis, bad, "many")
    redis.hset(f"job:{no_json.id}", "inputs", "[2.5")
    claimed_ids()
    assert consumer.sweep(0).unreadable == 2
    clock.forward(2)
    assert consumer.sweep(0).unreadable == 0


def test_a_job_behind_can_be_canceled_though_its_entry_says_nothing_of_its_rows(
    store: PredictionStore, redis: Redis, claimed_ids: Callable[[], list[str]]
) -> None:
    post(store, CLAIM)
    [bad] = post(store, 1)
    stream = f"queue:predictions:of:{bad.owner}"
    entries: Any = redis.xrange(stream)
    redis.delete(stream)
    redis.xadd(stream, {"id": bad.id, "rows": "many"}, id=entries[0][0])
    assert store.cancel(bad.id) == "canceled"


def test_an_entry_that_was_read_and_names_no_job_is_given_up(
    store: PredictionStore, consumer: PredictionConsumer, redis: Redis
) -> None:
    redis.xadd(PREDICTIONS.stream, {"x": "y"}, id="1-0")
    entry = consumer.wait("child", 1)
    assert entry
    assert consumer.claim("child", "wake_up", CLAIM, [entry]) == []
    assert redis.xlen(PREDICTIONS.stream) == 0


@pytest.mark.parametrize("value", ["many", "inf", "2.5e3", ["a list"]])
@pytest.mark.parametrize("count", COUNTS)
def test_a_count_that_is_no_number_is_counted_anew_by_the_next_sweep(
    store: PredictionStore,
    consumer: PredictionConsumer,
    redis: Redis,
    clock: Clock,
    claimed_ids: Callable[[], list[str]],
    count: str,
    value: Any,
) -> None:
    posted = [*post(store, CLAIM + 3), *post(store, 2, "bob")]
    redis.delete(key := f"queue:predictions:{count}")
    redis.rpush(key, *value) if isinstance(value, list) else redis.set(key, value)
    consumer.report_alive(living("child"))
    clock.forward(3)
    assert consumer.sweep(most_wake_ups=1).wake_ups
    posted += post(store, 4)
    assert sorted(claimed_ids()) == sorted(each.id for each in posted)


def test_a_position_that_was_set_back_is_put_right_by_the_next_sweep(
    store: PredictionStore, consumer: PredictionConsumer, redis: Redis, claimed_ids: Callable[[], list[str]]
) -> None:
    posted = post(store, 2)
    redis.set("queue:predictions:added", 1)
    consumer.sweep(0)
    posted += post(store, 1)
    assert claimed_ids() == [each.id for each in posted]


def test_a_time_of_the_last_sweep_that_is_none_stops_no_sweep(
    consumer: PredictionConsumer, redis: Redis
) -> None:
    redis.set("queue:predictions:swept", "yesterday")
    consumer.sweep(0)
    assert redis.hget("metrics", "sweeps|predictions") == b"1"


def test_an_owner_whose_entries_are_numbered_by_no_number_may_post_and_others_too(
    store: PredictionStore, redis: Redis, claimed_ids: Callable[[], list[str]]
) -> None:
    posted = post(store, CLAIM + 3)
    redis.hset("queue:predictions:numbered", "ada", "many")
    posted += post(store, 2)
    redis.hdel("queue:predictions:numbered", "ada")
    posted += post(store, 1) + post(store, 1, "bob")
    assert sorted(claimed_ids()) == sorted(each.id for each in posted)


def test_an_owner_of_a_turn_without_entries_keeps_nobody_waiting(
    store: PredictionStore, redis: Redis, claimed_ids: Callable[[], list[str]]
) -> None:
    posted = post(store, CLAIM + 2)
    redis.zadd("queue:predictions:turns", {"nobody": 0})
    assert claimed_ids() == [each.id for each in posted]


def test_a_metric_that_is_no_number_stops_no_claim(
    store: PredictionStore, consumer: PredictionConsumer, redis: Redis, read: Read
) -> None:
    [posted] = post(store, 1)
    for metric in (
        "attempts|predictions|1",
        "wake_ups|predictions",
        "jobs_ended|predictions|salary@1|succeeded",
    ):
        redis.hset("metrics", metric, "many")
    claims = consumer.claim("child", "wake_up", MANY)
    assert len(consumer.record([scored(claim) for claim in claims])) == 1
    assert read(posted.id).status == "succeeded"


def test_a_post_that_meets_what_cannot_be_read_is_refused_alone(
    store: PredictionStore, redis: Redis, claimed_ids: Callable[[], list[str]]
) -> None:
    front = post(store, CLAIM)
    redis.set("queue:predictions:of:ada", "x")
    bad, good = job(), job(owner="bob")
    refused, accepted = refusals(store, [bad, good])
    assert isinstance(refused, UnknownRecord)
    assert accepted is None
    assert claimed_ids() == [each.id for each in (*front, good)]


@pytest.mark.parametrize(
    ("field", "value"),
    [("attempt", "many"), ("started", "soon"), ("status", "lost"), ("deadline", "soon"), ("rows", "many")],
)
def test_records_are_read_and_listed_without_one_that_cannot_be_read(
    store: PredictionStore, redis: Redis, field: str, value: str
) -> None:
    bad, good = post(store, 2)
    redis.hset(f"job:{bad.id}", field, value)
    unknown, record = store.read([bad.id, good.id])
    assert isinstance(unknown, UnknownRecord)
    assert isinstance(record, PredictionRecord)
    assert [each.id for each in store.list_jobs("ada", None, None, 10)[0]] == [good.id]


@pytest.mark.parametrize("field", ["position", "behind"])
def test_a_record_that_says_wrongly_where_it_waits_is_read(
    store: PredictionStore, redis: Redis, field: str, claimed_ids: Callable[[], list[str]]
) -> None:
    bad = post(store, CLAIM + 1)[-1]
    redis.hset(f"job:{bad.id}", field, "many")
    [record] = store.read([bad.id])
    assert isinstance(record, PredictionRecord)


def test_a_record_of_another_kind_is_read_as_an_error_of_its_own(
    store: PredictionStore, redis: Redis
) -> None:
    bad, good = post(store, 2)
    redis.delete(f"job:{bad.id}")
    redis.rpush(f"job:{bad.id}", "x")
    unknown, record = store.read([bad.id, good.id], watcher="ended:web")
    assert isinstance(unknown, UnknownRecord)
    assert isinstance(record, PredictionRecord)
    assert [each.id for each in store.list_jobs("ada", None, None, 10)[0]] == [good.id]


def test_claims_are_released_without_one_whose_record_cannot_be_read(
    store: PredictionStore, consumer: PredictionConsumer, redis: Redis
) -> None:
    bad, good = post(store, 2)
    claims = consumer.claim("child", "wake_up", MANY)
    redis.delete(f"job:{bad.id}")
    redis.set(f"job:{bad.id}", "x")
    consumer.release(claims, b"{}")
    assert redis.hexists(f"job:{good.id}", "reason")


def test_what_an_owner_has_used_is_read_without_what_is_no_number(redis: Redis, clock: Clock) -> None:
    minute = int(clock() / 60)
    redis.hset("kept:ada", mapping={f"{minute + 5}": 700, "soon": 5, f"{minute + 6}": "many"})
    redis.set(f"rate:ada:{minute}", "many")
    usage = UsageReader(redis).of_owners({"ada": 3, "bob": 0})
    assert (usage["ada"].rows, usage["ada"].kept.size, usage["bob"].rows) == (0, 700, 0)


def test_the_capacity_is_known_beside_an_entry_and_a_report_that_cannot_be_read(
    store: PredictionStore, consumer: PredictionConsumer, redis: Redis, capacity: Callable[[], Capacity]
) -> None:
    redis.xadd(PREDICTIONS.stream, {"id": b"\xff", "rows": "many"}, id="1-0")
    consumer.report_alive(living("one:1:2", pace=7))
    redis.hset("processes", "queue:predictions:consumers one:1:2", b"\xff many")
    assert (capacity().waiting, capacity().rows_per_second) == (1, 0)
