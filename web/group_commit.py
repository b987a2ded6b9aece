"""Calls of the store that arrive together share one round trip."""

from collections.abc import Callable, Sequence
from typing import Generic, TypeVar

import gevent
from gevent.event import AsyncResult

from jobs.errors import StoreUnavailable

LARGEST_GROUP = 128
LONGEST_GATHERING_SECONDS = 0.01

Argument = TypeVar("Argument")
Result = TypeVar("Result")


class GroupCommit(Generic[Argument, Result]):
    """Groups calls into one round trip: while one is under way, the calls that arrive form the next group."""

    def __init__(self, call: Callable[[Sequence[Argument]], Sequence[Result | Exception]]) -> None:
        self._call = call
        self._gathered: list[tuple[Argument, AsyncResult]] = []
        self._under_way = False

    def __call__(self, argument: Argument) -> Result:
        """Raises what the shared call raised, or the exception that it gave for this argument."""
        result = AsyncResult()
        self._gathered.append((argument, result))
        if not self._under_way:
            self._under_way = True
            gevent.spawn(self._run)
        value: Result = result.get()
        return value

    def _run(self) -> None:
        while self._gathered:
            gevent.sleep(0)
            if len(self._gathered) > 1:  # under load, first read all requests that have arrived
                with gevent.Timeout(LONGEST_GATHERING_SECONDS, False):
                    gevent.idle()
            group, self._gathered = self._gathered[:LARGEST_GROUP], self._gathered[LARGEST_GROUP:]
            try:
                values = self._call([argument for argument, _ in group])
                for (_, result), value in zip(group, values, strict=True):
                    if isinstance(value, Exception):
                        result.set_exception(value)
                    else:
                        result.set(value)
            except Exception as error:
                if isinstance(error, StoreUnavailable):  # the next group would only fail later
                    group, self._gathered = group + self._gathered, []
                for _, result in group:
                    result.set_exception(error)
        self._under_way = False
