"""As many wake_ups ring as there is work for children that live; a wake_up may be lost without harm."""

import pytest
from redis import Redis

from jobs.predictions.consumer import PredictionConsumer
from jobs.predictions.store import PredictionStore
from jobs.queues.names import PREDICTIONS
from jobs.queues.processes import LAPSES_MS
from tests.unit.conftest import MANY, Clock, job, jobs_of, living


def rung(store: PredictionStore, jobs: int = 1) -> int:
    return len(store.add([job([float(number)]) for number in range(jobs)])[1])


@pytest.fixture
def children(line: PredictionConsumer) -> list[str]:
    """Three that live, and that claim two rows at a time."""
    names = ["anna", "ben", "cleo"]
    for name in names:
        line.alive(living(name))
        line.claim(name, "none", 2)
    return names


def test_no_bell_rings_without_children(store: PredictionStore) -> None:
    assert rung(store, jobs=5) == 0


def test_the_first_job_rings_and_the_next_finds_the_bell_out(
    store: PredictionStore, children: list[str]
) -> None:
    assert rung(store) == 1
    assert rung(store) == 0


def test_a_bell_rings_for_each_claims_worth_of_rows(store: PredictionStore, children: list[str]) -> None:
    assert [rung(store) for _ in range(6)] == [1, 0, 1, 0, 1, 0]


def test_a_list_rings_for_its_rows(store: PredictionStore, children: list[str]) -> None:
    lists = [job([years], [years + 0.5]) for years in (1.0, 2.0, 3.0)]
    assert [len(store.add([one])[1]) for one in lists] == [1, 1, 1]


def test_rows_taken_back_before_they_were_claimed_count_once(
    store: PredictionStore, line: PredictionConsumer, clock: Clock, children: list[str]
) -> None:
    store.add([job([1.0], [2.0])])
    line.wait("lost", 100)
    clock.forward(16)
    for child in children:
        line.alive(living(child))
    assert len(line.sweep(most_wake_ups=10).wake_ups) == 1


def test_at_most_one_bell_rings_for_each_child(
    store: PredictionStore, line: PredictionConsumer, children: list[str]
) -> None:
    assert sum(rung(store, jobs=4) for _ in range(10)) == 3
    assert line.sweep(most_wake_ups=10).wake_ups == []


def test_the_sweeper_rings_what_is_missing(
    store: PredictionStore, line: PredictionConsumer, children: list[str]
) -> None:
    assert rung(store, jobs=40) == 1
    wake_ups = line.sweep(most_wake_ups=10).wake_ups
    assert len(set(wake_ups)) == 2


def test_an_empty_line_rings_no_bell(line: PredictionConsumer, children: list[str]) -> None:
    assert line.sweep(most_wake_ups=10).wake_ups == []


def test_a_bell_that_is_not_answered_lapses(
    store: PredictionStore, line: PredictionConsumer, clock: Clock
) -> None:
    line.alive(living("anna"))
    assert rung(store) == 1
    clock.forward(4)
    line.alive(living("anna"))
    assert rung(store) == 0
    clock.forward(2)
    assert rung(store) == 1


def test_a_claim_renews_its_bell(store: PredictionStore, line: PredictionConsumer, clock: Clock) -> None:
    line.alive(living("anna"))
    _, [wake_up] = store.add(jobs_of(1, 2))
    clock.forward(4)
    line.alive(living("anna"))
    line.claim("anna", wake_up, 1)
    clock.forward(1.5)
    assert rung(store) == 0


def test_the_bell_of_a_lost_child_is_rung_again_after_two_seconds(
    store: PredictionStore, line: PredictionConsumer, clock: Clock
) -> None:
    line.alive(living("anna"))
    _, [wake_up] = store.add(jobs_of(1, 2))
    line.claim("anna", wake_up, 1)
    clock.forward(2.5)
    assert rung(store) == 1


def test_a_bell_that_is_withdrawn_may_ring_again(store: PredictionStore, line: PredictionConsumer) -> None:
    line.alive(living("anna"))
    _, [wake_up] = store.add([job()])
    line.claim("anna", wake_up, MANY)
    line.withdraw(wake_up)
    assert rung(store) == 1


def test_no_bell_rings_for_children_that_lapsed(
    store: PredictionStore, line: PredictionConsumer, clock: Clock
) -> None:
    line.alive(living("ben"))
    clock.forward(LAPSES_MS / 1000 + 1)
    assert rung(store) == 0
    line.alive(living("cleo"))
    assert rung(store) == 1


def test_a_bell_names_no_job(store: PredictionStore, line: PredictionConsumer, redis: Redis) -> None:
    line.alive(living("anna"))
    a_job = job()
    _, [wake_up] = store.add([a_job])
    assert len(wake_up) == 34
    assert wake_up not in a_job.id
    assert redis.zrange("queue:predictions:wake_ups", 0, -1) == [wake_up.encode()]
    assert redis.xlen(PREDICTIONS.stream) == 1
