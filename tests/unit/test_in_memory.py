"""The Redis of the unit tests refuses what no script may do to a job."""

from typing import Any

import pytest
from fakeredis import FakeRedis
from redis import Redis
from redis.exceptions import ResponseError

from tests.unit.conftest import Clock
from tests.unit.in_memory import IllegalChange, MemoryRedis

PREDICTION, BATCH = "job:pred_1", "job:batch_1"


def run(redis: Redis, *commands: str) -> None:
    redis.eval("\n".join(f"redis.call({command})" for command in commands), 0)


def status(key: str, value: str) -> str:
    return f"'HSET', '{key}', 'status', '{value}'"


@pytest.mark.parametrize(
    ("key", "steps"),
    [
        (PREDICTION, ["queued", "running", "queued", "running", "failed"]),
        (BATCH, ["validating", "queued", "running", "running", "canceling", "canceled"]),
    ],
)
def test_a_script_may_follow_the_table_step_by_step(redis: Redis, key: str, steps: list[str]) -> None:
    run(redis, *(status(key, step) for step in steps), f"'PEXPIRE', '{key}', 1000", f"'DEL', '{key}'")


@pytest.mark.parametrize(
    ("key", "steps", "message"),
    [
        (PREDICTION, ["running"], "a job begins as queued"),
        (PREDICTION, ["queued", "succeeded"], "queued -> succeeded: the table has no such transition"),
        (PREDICTION, ["queued", "canceled", "queued"], "a job that has ended must not change"),
        (BATCH, ["queued"], "a job begins as validating"),
        (BATCH, ["validating", "running", "queued"], "validating -> running: the table has no"),
        (BATCH, ["validating", "failed", "failed"], "a job that has ended must not change"),
    ],
)
def test_a_step_that_is_not_in_the_table_is_refused_within_a_script(
    redis: Redis, key: str, steps: list[str], message: str
) -> None:
    with pytest.raises(IllegalChange, match=message):
        run(redis, *(status(key, step) for step in steps))


@pytest.mark.parametrize("command", ["'DEL', '%s'", "'PEXPIRE', '%s', 1000"])
@pytest.mark.parametrize(("key", "first"), [(PREDICTION, "queued"), (BATCH, "validating")])
def test_a_job_that_has_not_ended_must_stay(redis: Redis, key: str, first: str, command: str) -> None:
    with pytest.raises(IllegalChange, match="must stay"):
        run(redis, status(key, first), command % key)


@pytest.mark.parametrize("command", ["'HINCRBY', '%s', 'rows', 1", "'HDEL', '%s', 'rows'"])
def test_no_field_of_an_ended_job_changes(redis: Redis, command: str) -> None:
    with pytest.raises(IllegalChange, match="must not change"):
        run(redis, status(BATCH, "validating"), status(BATCH, "canceled"), command % BATCH)


def test_other_keys_of_a_job_are_free(redis: Redis) -> None:
    run(redis, "'HSET', 'job:batch_1:done', '0', '10 0'", "'DEL', 'job:batch_1:done'")


COMMANDS = [
    ("HSET", "hash", "a", 1, "b", b"2"),
    ("HGETALL", "hash"),
    ("HINCRBY", "hash", "a", "no number"),
    ("HMGET", "hash", "a", "missing"),
    ("ZADD", "sorted", 1.5, "one", 2, "two"),
    ("ZRANGE", "sorted", 0, -1, "WITHSCORES"),
    ("ZSCORE", "sorted", "one"),
    ("GET", "hash"),
    ("SET", "text", "x"),
    ("PEXPIRE", "text", 1000),
    ("PTTL", "text"),
    ("XADD", "stream", "1-0", "id", "first"),
    ("XGROUP CREATE", "stream", "group", "0"),
    ("XREADGROUP", "GROUP", "group", "anna", "COUNT", 5, "STREAMS", "stream", ">"),
    ("XPENDING", "stream", "group"),
    ("XINFO STREAM", "missing"),
    ("DEL", "hash", "missing"),
    ("EXISTS", "hash"),
    ("HGET", "hash"),
    ("UNHEARD", "of"),
]


@pytest.mark.parametrize("protocol", [2, 3])
def test_a_command_is_answered_as_by_the_fake_around_it(clock: Clock, protocol: int) -> None:
    def replies(redis: Redis) -> list[Any]:
        return [answer(redis, *command) for command in COMMANDS]

    assert replies(MemoryRedis(protocol=protocol)) == replies(FakeRedis(protocol=protocol))


def answer(redis: Redis, *command: Any) -> Any:
    try:
        return redis.execute_command(*command)  # type: ignore[no-untyped-call]
    except ResponseError as error:
        return str(error)


@pytest.mark.parametrize(
    ("script", "reply"),
    [
        ("return {1, 'two', {3.7}, false, nil, 6}", [1, b"two", [3], None]),
        ("return redis.call('SET', 'text', 'x')", b"OK"),
        ("return {redis.call('GET', 'missing') == false, redis.call('PTTL', 'missing')}", [1, -2]),
        ("return redis.pcall('HGET', 'too few').err and 'told'", b"told"),
        ("return cjson.decode('[null, {\"a\": 2}]')[2].a", 2),
        ("local many = {} for n = 1, 9000 do many[n] = n end return many", [*range(1, 9001)]),
    ],
)
def test_a_script_returns_what_redis_would(redis: Redis, script: str, reply: Any) -> None:
    assert redis.eval(script, 0) == reply


@pytest.mark.parametrize(
    "script", ["mine = 1", "return mine", "return redis.call('HGET', 'too few')", "error('no')"]
)
def test_a_script_that_breaks_a_rule_fails(redis: Redis, script: str) -> None:
    with pytest.raises(ResponseError):
        redis.eval(script, 0)
