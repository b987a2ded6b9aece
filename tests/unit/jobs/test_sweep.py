"""What a lost child had claimed runs again, and ends in the end."""

import orjson
import pytest
from redis import Redis

from jobs.predictions.consumer import Claim, PredictionConsumer
from jobs.predictions.status import PredictionStatus
from jobs.predictions.store import PredictionStore
from jobs.queues.names import PREDICTIONS
from jobs.settings import Settings
from tests.unit.conftest import MANY, Clock, Read, job, jobs_of, listen, scored

UNAVAILABLE = b'{"type":"model_unavailable","detail":"no worker could load salary@1"}'


def claim_all(line: PredictionConsumer) -> list[Claim]:
    """As often as there is something: lost jobs come one by one."""
    claims: list[Claim] = []
    while more := line.claim("child", "wake_up", MANY):
        claims += more
    return claims


def after_the_lease(line: PredictionConsumer, clock: Clock) -> tuple[int, int]:
    clock.forward(16)
    swept = line.sweep(0)
    return swept.requeued, swept.given_up


def error_of(read: Read, job_id: str) -> str:
    error = read(job_id).error
    assert error is not None
    return str(orjson.loads(error)["type"])


def test_a_claim_is_taken_back_after_its_lease_and_not_before(
    store: PredictionStore, line: PredictionConsumer, clock: Clock, read: Read
) -> None:
    store.add([a_job := job()])
    line.claim("lost", "wake_up", MANY)
    clock.forward(13)
    assert line.sweep(0).requeued == 0
    assert read(a_job.id).status is PredictionStatus.RUNNING
    clock.forward(2)
    assert line.sweep(0).requeued == 1
    assert read(a_job.id).status is PredictionStatus.QUEUED


def test_a_job_that_is_recorded_in_time_is_not_taken_back(
    store: PredictionStore, line: PredictionConsumer, clock: Clock
) -> None:
    store.add(jobs_of(1, 2))
    lost, kept = line.claim("child", "wake_up", MANY)
    line.record([scored(kept)])
    assert after_the_lease(line, clock) == (1, 0)
    assert [claim.id for claim in claim_all(line)] == [lost.id]


def test_what_waits_is_left_where_it_is(
    store: PredictionStore, line: PredictionConsumer, clock: Clock, redis: Redis
) -> None:
    store.add(jobs_of(1, 2))
    assert after_the_lease(line, clock) == (0, 0)
    assert redis.xlen(PREDICTIONS.stream) == 2


def test_more_jobs_than_one_look_finds_are_all_taken_back(
    store: PredictionStore, line: PredictionConsumer, clock: Clock
) -> None:
    store.add(jobs_of(*range(250)))
    line.claim("lost", "wake_up", MANY)
    assert after_the_lease(line, clock) == (250, 0)
    assert [claim.rows for claim in claim_all(line)] == [[[years]] for years in range(250)]


def test_the_third_loss_is_the_last(
    store: PredictionStore, line: PredictionConsumer, clock: Clock, read: Read, redis: Redis
) -> None:
    store.add([a_job := job()])
    swept = []
    for _ in range(3):
        claim_all(line)
        swept.append(after_the_lease(line, clock))
    assert swept == [(1, 0), (1, 0), (0, 1)]
    assert read(a_job.id).status is PredictionStatus.FAILED
    assert error_of(read, a_job.id) == "worker_lost"
    assert redis.xlen(PREDICTIONS.streams[1]) == redis.xlen(PREDICTIONS.stream) == 0
    assert redis.pttl(f"job:{a_job.id}") > 0


def test_the_mates_of_a_row_that_kills_go_on(
    store: PredictionStore, line: PredictionConsumer, clock: Clock, read: Read
) -> None:
    killer, *mates = jobs_of(666, 1, 2)
    store.add([mates[0], killer, mates[1]])
    line.claim("lost", "wake_up", MANY)
    for _ in range(3):
        after_the_lease(line, clock)
        line.record([scored(claim) for claim in claim_all(line) if claim.id != killer.id])
    assert error_of(read, killer.id) == "worker_lost"
    assert [read(mate.id).status for mate in mates] == [PredictionStatus.SUCCEEDED] * 2


def test_a_job_read_but_never_started_is_taken_back_without_loss(
    store: PredictionStore, line: PredictionConsumer, clock: Clock, read: Read
) -> None:
    store.add([a_job := job()])
    for _ in range(4):
        line.wait("lost", 100)
        assert after_the_lease(line, clock)[1] == 0
    assert read(a_job.id).attempt == 0
    assert [claim.attempt for claim in claim_all(line)] == [1]


def test_a_job_canceled_or_gone_in_lost_hands_leaves_the_line(
    store: PredictionStore, line: PredictionConsumer, clock: Clock, redis: Redis
) -> None:
    canceled, gone = jobs_of(1, 2)
    store.add([canceled, gone])
    for one in (canceled, gone):
        line.wait("lost", 100)
        store.cancel(one.id)
    redis.delete(f"job:{gone.id}")
    assert after_the_lease(line, clock) == (0, 0)
    assert (
        redis.xlen(PREDICTIONS.stream)
        == redis.xlen(PREDICTIONS.streams[1])
        == redis.xpending(PREDICTIONS.stream, "workers")["pending"]
        == 0
    )
    assert redis.exists(f"job:{gone.id}") == 0


def test_the_watchers_of_a_job_given_up_are_told(
    store: PredictionStore, redis: Redis, clock: Clock, read: Read
) -> None:
    line = PredictionConsumer(redis, Settings(attempts=1))
    listener = listen(redis, "ended:me")
    store.add([a_job := job(watcher="ended:me")])
    line.claim("lost", "wake_up", MANY)
    assert after_the_lease(line, clock) == (0, 1)
    messages = [message for _ in range(3) if (message := listener.get_message())]
    assert [message["data"].split(b"\n")[0] for message in messages] == [a_job.id.encode()]


def release(line: PredictionConsumer) -> list[Claim]:
    claims = claim_all(line)
    line.release(claims, UNAVAILABLE)
    return claims


def test_what_is_given_back_runs_again_in_a_few_seconds(
    store: PredictionStore, line: PredictionConsumer, clock: Clock
) -> None:
    store.add(jobs_of(1, 2))
    before = release(line)
    clock.forward(3)
    assert line.sweep(0).requeued == 0
    clock.forward(2)
    assert line.sweep(0).requeued == 2
    assert [(claim.id, claim.attempt) for claim in claim_all(line)] == [(each.id, 2) for each in before]


def test_what_is_given_back_each_time_fails_for_that_reason(
    store: PredictionStore, line: PredictionConsumer, clock: Clock, read: Read
) -> None:
    store.add([a_job := job()])
    for _ in range(3):
        release(line)
        after_the_lease(line, clock)
    assert read(a_job.id).status is PredictionStatus.FAILED
    assert read(a_job.id).error == UNAVAILABLE


def test_a_job_given_back_once_and_then_scored_has_no_error(
    store: PredictionStore, line: PredictionConsumer, clock: Clock, read: Read
) -> None:
    store.add([a_job := job()])
    release(line)
    after_the_lease(line, clock)
    line.record([scored(claim) for claim in claim_all(line)])
    assert (read(a_job.id).status, read(a_job.id).error) == (PredictionStatus.SUCCEEDED, None)


def test_a_job_given_back_shows_no_error_while_it_may_yet_succeed(
    store: PredictionStore, line: PredictionConsumer, clock: Clock, read: Read
) -> None:
    store.add([a_job := job()])
    release(line)
    after_the_lease(line, clock)
    assert read(a_job.id).status is PredictionStatus.QUEUED
    assert read(a_job.id).error is None


def test_a_job_given_back_once_and_then_lost_fails_as_lost(
    store: PredictionStore, line: PredictionConsumer, clock: Clock, read: Read
) -> None:
    store.add([a_job := job()])
    release(line)
    for _ in range(3):
        after_the_lease(line, clock)
        claim_all(line)
    assert error_of(read, a_job.id) == "worker_lost"


def test_giving_back_an_outdated_attempt_changes_nothing(
    store: PredictionStore, line: PredictionConsumer, clock: Clock, read: Read
) -> None:
    store.add([a_job := job()])
    [outdated] = line.claim("slow", "wake_up", MANY)
    after_the_lease(line, clock)
    [current] = claim_all(line)
    line.release([outdated], UNAVAILABLE)
    clock.forward(5)
    assert line.sweep(0).requeued == 0
    assert len(line.record([scored(current)])) == 1
    assert read(a_job.id).error is None


@pytest.mark.parametrize("lease", [2, 3, 60])
def test_the_lease_is_a_setting(store: PredictionStore, redis: Redis, clock: Clock, lease: int) -> None:
    line = PredictionConsumer(redis, Settings(lease_seconds=lease))
    store.add([job()])
    line.claim("lost", "wake_up", MANY)
    clock.forward(lease - 1.6)
    assert line.sweep(0).requeued == 0
    clock.forward(1.7)
    assert line.sweep(0).requeued == 1


def test_of_all_workers_one_sweeps_at_a_time(
    store: PredictionStore, line: PredictionConsumer, clock: Clock
) -> None:
    store.add([job()])
    line.claim("lost", "wake_up", MANY)
    clock.forward(13.5)
    line.sweep(0)
    clock.forward(1.4)
    assert line.sweep(0).requeued == 0
    clock.forward(0.2)
    assert line.sweep(0).requeued == 1
