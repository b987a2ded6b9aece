"""Stand-ins for time, threads and greenlets, so that the code under test runs on the scheduler as it is."""

import gc
import os
import sys
import threading
import time
from collections.abc import Callable, Hashable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack, contextmanager, nullcontext
from types import SimpleNamespace
from typing import Any
from unittest.mock import patch

import gevent
from gevent.event import AsyncResult

from tests.simulation.scheduler import Actor, Result, Scheduler

OURS = ("web.", "worker.", "jobs.")
_REAL = {
    time.time: "time",
    time.monotonic: "monotonic",
    time.perf_counter: "perf_counter",
    time.sleep: "sleep",
}


class SimulatedThread:
    def __init__(
        self, scheduler: Scheduler, target: Callable[..., object], args: tuple[Any, ...] = (), **_: Any
    ) -> None:
        self._scheduler = scheduler
        self._call = lambda: target(*args)
        self._actor: Actor | None = None

    def start(self) -> None:
        self._actor = self._scheduler.spawn(self._scheduler.process, self._call)

    def is_alive(self) -> bool:
        return self._actor is not None and not self._actor.dead

    def join(self, timeout: float = 60) -> None:
        end = self._scheduler.now + timeout
        while self.is_alive() and self._scheduler.now < end:
            self._scheduler.sleep(0.01)


class SimulatedEvent:
    def __init__(self, scheduler: Scheduler) -> None:
        self._result = Result(scheduler)

    def set(self) -> None:
        self._result.set(True)

    def is_set(self) -> bool:
        return self._result.ready()

    def wait(self, timeout: float) -> bool:
        try:
            self._result.get(timeout)
        except TimeoutError:
            return False
        return True


class InlineExecutor:
    """Runs each call at once, in the actor that submits it."""

    def __init__(self, *_: Any, **__: Any) -> None:
        pass

    def submit(self, call: Callable[..., Any], *arguments: Any) -> "Future[Any]":
        future: Future[Any] = Future()
        try:
            future.set_result(call(*arguments))
        except Exception as error:
            future.set_exception(error)
        return future


@contextmanager
def simulated(scheduler: Scheduler, redis_time: Callable[[], float]) -> Iterator[None]:
    """Within the block, time passes only in the simulation; `redis_time` is what time.time returns."""
    with ExitStack() as stack:
        for target, name, value in _replacements(scheduler, redis_time):
            stack.enter_context(patch.object(target, name, value))
        yield


def _replacements(scheduler: Scheduler, redis_time: Callable[[], float]) -> Iterator[tuple[Any, str, Any]]:
    clocks: dict[str, Callable[..., Any]] = {
        "time": redis_time,
        "monotonic": lambda: scheduler.now,
        "perf_counter": lambda: scheduler.now,
        "sleep": scheduler.sleep,
    }
    for name, clock in clocks.items():
        yield time, name, clock
    yield time, "time_ns", lambda: int(redis_time() * 1e9)
    yield os, "urandom", scheduler.random.randbytes
    yield os, "getpid", lambda: scheduler.process.number
    yield os, "getppid", lambda: _parent_of(scheduler)
    yield os, "_exit", lambda status: scheduler.kill(scheduler.process)
    yield gc, "freeze", lambda: None
    yield gc, "set_threshold", lambda *_: None
    yield gevent, "spawn", lambda call, *arguments: scheduler.spawn(scheduler.process, call, *arguments)
    yield gevent, "sleep", lambda seconds=0: scheduler.sleep(seconds)
    yield gevent, "idle", scheduler.step
    yield gevent, "Timeout", lambda *_: nullcontext()
    in_place_of = {
        id(AsyncResult): lambda: Result(scheduler),
        id(threading.Thread): lambda **named: SimulatedThread(scheduler, **named),
        id(threading.Event): lambda: SimulatedEvent(scheduler),
        id(ThreadPoolExecutor): InlineExecutor,
    }
    threads = {name: in_place_of.get(id(value), value) for name, value in vars(threading).items()}
    in_place_of[id(threading)] = SimpleNamespace(**threads)
    for module in [each for name, each in sys.modules.items() if name.startswith(OURS)]:
        for name, value in list(vars(module).items()):
            if id(value) in in_place_of:
                yield module, name, in_place_of[id(value)]
            elif getattr(value, "__module__", "") == module.__name__:
                yield from _defaults_in(value, clocks)


def _defaults_in(value: Any, clocks: dict[str, Callable[..., Any]]) -> Iterator[tuple[Any, str, Any]]:
    """Clocks that are the default of an argument were taken before the simulation began."""
    for member in (value, *vars(value).values()) if isinstance(value, type) else (value,):
        function = getattr(member, "__func__", member)  # of a class method
        defaults = getattr(function, "__defaults__", None) or ()
        simulated_defaults = tuple(
            clocks[_REAL[each]] if isinstance(each, Hashable) and each in _REAL else each for each in defaults
        )
        if simulated_defaults != defaults:
            yield function, "__defaults__", simulated_defaults


def _parent_of(scheduler: Scheduler) -> int:
    parent = scheduler.process.parent
    return parent.number if parent and parent.alive else 1
