"""The Redis of the unit tests refuses what no script may do to a job."""

import pytest
from redis import Redis

from tests.unit.in_memory import IllegalChange

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
