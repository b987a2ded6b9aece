"""Patience with a Redis that pauses: what was worked out is recorded once it answers again."""

import time
from collections.abc import Callable
from typing import ParamSpec, TypeVar

from jobs.errors import StoreUnavailable

PAUSES_SECONDS = (0.5, 1, 2)
"""Between the tries. With the time that each waits for an answer, a pause of twenty seconds is bridged."""

Arguments = ParamSpec("Arguments")
Result = TypeVar("Result")


def patiently(
    call: Callable[Arguments, Result], *arguments: Arguments.args, **named: Arguments.kwargs
) -> Result:
    """Repeats a call that changes nothing when it is repeated. Raises StoreUnavailable after the last try."""
    for pause in PAUSES_SECONDS:
        try:
            return call(*arguments, **named)
        except StoreUnavailable:
            time.sleep(pause)
    return call(*arguments, **named)
