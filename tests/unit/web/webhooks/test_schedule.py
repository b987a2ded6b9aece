"""When a webhook is sent again."""

import pytest

from jobs.webhooks.delivery import DeliveryStatus
from web.webhooks.posting import Answer
from web.webhooks.schedule import DELAYS, next_step

FAILED = Answer(status=500)


@pytest.mark.parametrize("status", [200, 201, 204, 299])
def test_any_status_of_success_ends_it(status: int) -> None:
    assert next_step(Answer(status=status), 1).outcome is DeliveryStatus.DELIVERED


@pytest.mark.parametrize("status", [301, 302, 307, 400, 401, 404, 500, 503])
def test_anything_else_is_a_failure_and_is_repeated(status: int) -> None:
    assert next_step(Answer(status=status), 1).outcome is DeliveryStatus.PENDING


def test_gone_ends_it_at_once() -> None:
    assert next_step(Answer(status=410), 1).outcome is DeliveryStatus.GIVEN_UP


def test_the_attempts_span_about_a_day_and_then_end() -> None:
    waits = [next_step(FAILED, tries, lambda: 0.5).next_ms for tries in range(1, len(DELAYS) + 1)]
    assert waits == [delay * 1000 for delay in DELAYS]
    assert 20 * 3_600_000 < sum(waits) < 26 * 3_600_000
    assert next_step(FAILED, len(DELAYS) + 1).outcome is DeliveryStatus.GIVEN_UP


def test_chance_spreads_the_attempts() -> None:
    assert next_step(FAILED, 1, lambda: 0.0).next_ms == 4_000
    assert next_step(FAILED, 1, lambda: 1.0).next_ms == 6_000


def test_a_receiver_says_when_to_come_again() -> None:
    step = next_step(Answer(status=503, retry_after=120), 1, lambda: 0.5)
    assert (step.next_ms, step.hold_ms) == (120_000, 120_000)


def test_a_wish_for_a_year_is_cut() -> None:
    step = next_step(Answer(status=429, retry_after=31_536_000), 1)
    assert (step.next_ms, step.hold_ms) == (86_400_000, 3_600_000)


def test_a_receiver_with_too_much_to_do_is_left_alone_for_a_while() -> None:
    assert next_step(Answer(status=429), 1).hold_ms == 5_000
    assert next_step(Answer(error="timeout"), 1).hold_ms == 0
