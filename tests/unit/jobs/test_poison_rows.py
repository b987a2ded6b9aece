"""A list on its last attempt loses the rows that killed a worker, one by one, and keeps the others."""

from jobs.predictions.consumer import Claim, PredictionConsumer
from jobs.predictions.status import PredictionStatus
from jobs.predictions.store import PredictionStore
from tests.unit.conftest import MANY, Clock, Read, job, scored


def lose_twice(store: PredictionStore, line: PredictionConsumer, clock: Clock, *rows: list[float]) -> Claim:
    """The claim of the third attempt."""
    store.add([job(*rows)])
    for _ in range(2):
        [claim] = line.claim("lost", "wake_up", MANY)
        assert not claim.row_by_row
        clock.forward(16)
        line.sweep(0)
    return claim_one(line)


def claim_one(line: PredictionConsumer) -> Claim:
    [claim] = line.claim("child", "wake_up", MANY)
    return claim


def test_the_last_attempt_of_a_list_is_a_careful_one(
    store: PredictionStore, line: PredictionConsumer, clock: Clock
) -> None:
    claim = lose_twice(store, line, clock, [1.0], [2.0])
    assert (claim.attempt, claim.row_by_row, claim.given_up) == (3, True, frozenset())


def test_a_single_row_needs_no_care(store: PredictionStore, line: PredictionConsumer, clock: Clock) -> None:
    assert not lose_twice(store, line, clock, [1.0]).row_by_row


def test_each_row_that_is_lost_is_given_up_and_the_list_goes_on(
    store: PredictionStore, line: PredictionConsumer, clock: Clock, read: Read
) -> None:
    claim = lose_twice(store, line, clock, [1.0], [2.0], [3.0])
    for tried in (0, 2):
        line.note_row(claim, tried)
        clock.forward(16)
        assert (line.sweep(0).requeued, read(claim.id).status) == (1, PredictionStatus.QUEUED)
        claim = claim_one(line)
    assert (claim.attempt, claim.given_up) == (5, frozenset({0, 2}))
    assert len(line.record([scored(claim)])) == 1


def test_a_list_lost_without_a_row_under_way_is_given_up(
    store: PredictionStore, line: PredictionConsumer, clock: Clock, read: Read
) -> None:
    claim = lose_twice(store, line, clock, [1.0], [2.0])
    clock.forward(16)
    assert line.sweep(0).given_up == 1
    assert read(claim.id).status is PredictionStatus.FAILED


def test_an_outdated_child_gives_up_no_row(
    store: PredictionStore, line: PredictionConsumer, clock: Clock
) -> None:
    outdated = lose_twice(store, line, clock, [1.0], [2.0], [3.0])
    line.note_row(outdated, 0)
    clock.forward(16)
    line.sweep(0)
    current = claim_one(line)
    line.note_row(current, 1)
    line.note_row(outdated, 0)
    clock.forward(16)
    line.sweep(0)
    assert claim_one(line).given_up == {0, 1}
