"""When a webhook is sent again: eleven attempts over about a day."""

import random
from collections.abc import Callable
from typing import NamedTuple

from jobs.webhooks.delivery import DeliveryStatus
from web.webhooks.posting import Answer

DELAYS = (5, 30, 120, 600, 1_800, 3_600, 7_200, 14_400, 21_600, 36_000)
"""Seconds between an attempt and the next."""
JITTER = 0.2
LONGEST_DELAY = 86_400
LONGEST_HOLD, SHORTEST_HOLD = 3_600, 5
BUSY = frozenset({429, 502, 503, 504})
"""Statuses of a receiver that has too much to do."""
GONE = 410


class NextStep(NamedTuple):
    """What follows an attempt; for `hold_ms` the receiver is left alone."""

    outcome: DeliveryStatus
    next_ms: int = 0
    hold_ms: int = 0


def next_step(answer: Answer, tries: int, chance: Callable[[], float] = random.random) -> NextStep:
    """`tries` counts this attempt; `chance` gives a number from 0 to 1."""
    if answer.status is not None and 200 <= answer.status < 300:
        return NextStep(DeliveryStatus.DELIVERED)
    if answer.status == GONE or tries > len(DELAYS):
        return NextStep(DeliveryStatus.GIVEN_UP)
    delay = DELAYS[tries - 1] * (1 + JITTER * (2 * chance() - 1))
    wanted = min(answer.retry_after or 0, LONGEST_DELAY)
    hold = min(max(wanted, SHORTEST_HOLD), LONGEST_HOLD) if answer.status in BUSY else 0
    return NextStep(DeliveryStatus.PENDING, round(max(delay, wanted) * 1000), hold * 1000)
