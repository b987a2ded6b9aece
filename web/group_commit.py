"""Calls of the store that arrive together share one round trip."""

from collections.abc import Callable, Sequence
from functools import partial
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
        self._last_size = 0
        self._called = AsyncResult()
        self._runner: gevent.Greenlet | None = None
        self._gathered: list[tuple[Argument, Callable[[Result | Exception], None]]] = []
        self._under_way = False

    def __call__(self, argument: Argument) -> Result:
        """Raises what the shared call raised, or the exception that it gave for this argument."""
        result = AsyncResult()
        self.send(argument, partial(deliver, result))
        value: Result = result.get()
        return value

    def send(self, argument: Argument, take: Callable[[Result | Exception], None]) -> None:
        """Passes to `take` what a call would return or raise, later or now."""
        self._gathered.append((argument, take))
        if self._under_way:
            return
        self._under_way = True
        try:
            if self._last_size == 1:  # a caller who is alone need not wait for others
                self._commit()
        finally:  # also if the greenlet of this caller was ended meanwhile
            self._go_on()

    def _go_on(self) -> None:
        if not self._gathered:
            self._under_way = False
            return
        if not self._runner:  # to start a greenlet for each group would take longer than to gather it
            self._runner = gevent.spawn(self._run)
        self._called.set(None)

    def _run(self) -> None:
        while True:
            self._called.get()
            self._called = AsyncResult()
            while self._gathered:
                gevent.sleep(0)
                if len(self._gathered) > 1:  # under load, first read all requests that have arrived
                    with gevent.Timeout(LONGEST_GATHERING_SECONDS, False):
                        gevent.idle()
                self._commit()
            self._under_way = False

    def _commit(self) -> None:
        group, self._gathered = self._gathered[:LARGEST_GROUP], self._gathered[LARGEST_GROUP:]
        self._last_size = len(group)
        try:
            values = self._call([argument for argument, _ in group])
            for (_, take), value in zip(group, values, strict=True):
                take(value)
        except Exception as error:
            if isinstance(error, StoreUnavailable):  # the next group would only fail later
                group, self._gathered = group + self._gathered, []
            for _, take in group:
                take(error)


def deliver(result: AsyncResult, value: object) -> None:
    """Wakes whoever waits for the result, which is raised if it is an exception."""
    if isinstance(value, Exception):
        result.set_exception(value)
    else:
        result.set(value)
