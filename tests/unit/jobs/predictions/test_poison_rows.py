"""The last attempt of a list gives up the rows that kill workers, one by one, and scores the others."""

from jobs.predictions.consumer import WORKER_LOST, Claim, PredictionConsumer
from jobs.predictions.status import PredictionStatus
from jobs.predictions.store import PredictionStore
from tests.unit.conftest import MANY, Clock, Read, job, scored


def lose_twice(
    store: PredictionStore, consumer: PredictionConsumer, clock: Clock, *rows: list[float]
) -> Claim:
    """The claim of the third attempt."""
    store.add([job(*rows)])
    for _ in range(2):
        [claim] = consumer.claim("lost", "wake_up", MANY)
        assert not claim.row_by_row
        clock.forward(16)
        consumer.sweep(0)
    return claim_one(consumer)


def claim_one(consumer: PredictionConsumer) -> Claim:
    [claim] = consumer.claim("child", "wake_up", MANY)
    return claim


def test_the_last_attempt_of_a_list_scores_row_by_row(
    store: PredictionStore, consumer: PredictionConsumer, clock: Clock
) -> None:
    claim = lose_twice(store, consumer, clock, [1.0], [2.0])
    assert (claim.attempt, claim.row_by_row, claim.given_up) == (3, True, frozenset())


def test_a_single_row_is_never_scored_row_by_row(
    store: PredictionStore, consumer: PredictionConsumer, clock: Clock
) -> None:
    assert not lose_twice(store, consumer, clock, [1.0]).row_by_row


def test_a_row_that_loses_its_worker_is_given_up_and_the_list_goes_on(
    store: PredictionStore, consumer: PredictionConsumer, clock: Clock, read: Read
) -> None:
    claim = lose_twice(store, consumer, clock, [1.0], [2.0], [3.0])
    for tried in (0, 2):
        consumer.note_row(claim, tried)
        clock.forward(16)
        assert (consumer.sweep(0).requeued, read(claim.id).status) == (1, PredictionStatus.QUEUED)
        claim = claim_one(consumer)
    assert (claim.attempt, claim.given_up) == (5, frozenset({0, 2}))
    assert len(consumer.record([scored(claim)])) == 1


def test_a_list_that_is_lost_before_any_row_was_noted_fails(
    store: PredictionStore, consumer: PredictionConsumer, clock: Clock, read: Read
) -> None:
    claim = lose_twice(store, consumer, clock, [1.0], [2.0])
    clock.forward(16)
    assert consumer.sweep(0).given_up == 1
    assert read(claim.id).status is PredictionStatus.FAILED


def test_a_stale_consumer_gives_up_no_row(
    store: PredictionStore, consumer: PredictionConsumer, clock: Clock
) -> None:
    stale = lose_twice(store, consumer, clock, [1.0], [2.0], [3.0])
    consumer.note_row(stale, 0)
    clock.forward(16)
    consumer.sweep(0)
    current = claim_one(consumer)
    consumer.note_row(current, 1)
    consumer.note_row(stale, 0)
    clock.forward(16)
    consumer.sweep(0)
    assert claim_one(consumer).given_up == {0, 1}


def test_a_worker_that_stops_in_the_middle_of_a_list_blames_no_row(
    store: PredictionStore, consumer: PredictionConsumer, clock: Clock
) -> None:
    claim = lose_twice(store, consumer, clock, [1.0], [2.0], [3.0])
    consumer.note_row(claim, 1)
    consumer.release([claim], WORKER_LOST)
    clock.forward(16)
    assert consumer.sweep(0).requeued == 1
    assert claim_one(consumer).given_up == set()
