"""Patience with a Redis that pauses: what was worked out is recorded once it answers again."""

import time
from collections.abc import Callable
from typing import TypeVar

from jobs.errors import StoreUnavailable

PAUSES_SECONDS = (0.5, 1, 2, 4)
"""Between the tries. With the time that each waits for an answer, a pause of half a minute is bridged."""

Result = TypeVar("Result")


def patiently(call: Callable[[], Result], sleep: Callable[[float], None] = time.sleep) -> Result:
    """Repeats a call that changes nothing when it is repeated. Raises StoreUnavailable after the last try."""
    for pause in PAUSES_SECONDS:
        try:
            return call()
        except StoreUnavailable:
            sleep(pause)
    return call()
