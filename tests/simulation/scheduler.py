"""Runs all parts one at a time, in an order that a seed decides, on a clock that only the scheduler moves."""

import math
import random
from collections.abc import Callable
from typing import Any

from greenlet import GreenletExit, getcurrent, greenlet

EPOCH = 1_795_300_818.0
LOOK_EVERY_SECONDS = 0.5
LONGEST_STEP = 0.000_4
"""Seconds that an actor runs at most before another may run."""


class Process:
    """What dies, hangs and restarts together."""

    def __init__(self, name: str, number: int, parent: "Process | None" = None) -> None:
        self.name = name
        self.number = number
        self.parent = parent
        self.alive = True
        self.frozen_until = 0.0


class Actor:
    """A thread or a greenlet of the code under test."""

    def __init__(self, scheduler: "Scheduler", process: Process, call: Callable[[], object]) -> None:
        self.process = process
        self.wake_at = scheduler.now
        self.dead = False
        self._scheduler = scheduler
        self._call = call
        self.killed = False
        self._greenlet = greenlet(self._run, scheduler.main)

    def switch(self) -> None:
        self._greenlet.switch()

    def kill(self) -> None:
        """As gevent's: the actor ends where it waits, and its `finally` blocks run."""
        self.killed = True
        self.wake_at = self._scheduler.now

    @property
    def has_started(self) -> bool:
        return bool(self._greenlet)

    def ready_at(self) -> float:
        return max(self.wake_at, self.process.frozen_until)

    def _run(self) -> None:
        try:
            if not self.killed:
                self._call()
        except GreenletExit:
            pass
        except Exception as error:
            self._scheduler.crashed(self, error)
        self.dead = True


class Scheduler:
    def __init__(self, seed: int) -> None:
        self.main = getcurrent()
        self.random = random.Random(seed)  # noqa: S311 (it must repeat)
        self.now = EPOCH
        self.closed = False
        self.crashes: list[str] = []
        self.outside = Process("outside", 1)
        self._actors: list[Actor] = []
        self._abandoned: list[Actor] = []
        self.current: Actor | None = None
        self._numbers = iter(range(100, 1_000_000))

    @property
    def process(self) -> Process:
        """The process whose code runs now."""
        return self.current.process if self.current else self.outside

    def start_process(self, name: str, parent: Process | None = None) -> Process:
        return Process(name, next(self._numbers), parent)

    def spawn(self, process: Process, call: Callable[..., object], *arguments: Any) -> Actor:
        actor = Actor(self, process, lambda: call(*arguments))
        self._actors.append(actor)
        return actor

    def kill(self, process: Process) -> None:
        """As SIGKILL: nothing of the process runs again, not even a `finally` block."""
        process.alive = False
        gone = [actor for actor in self._actors if actor.process is process]
        self._actors = [actor for actor in self._actors if actor.process is not process]
        self._abandoned += gone
        if self.current in gone:
            self._leave()

    def sleep(self, seconds: float) -> None:
        """Lets others run; the current actor goes on after so many seconds."""
        if self.closed:
            raise GreenletExit
        actor = self.current
        assert actor, "only an actor can sleep"
        actor.wake_at = self.now + seconds
        self._leave()

    def step(self) -> None:
        self.sleep(0)

    def run(self, is_done: Callable[[], bool], most_seconds: float) -> bool:
        """Runs until the condition holds; False if it does not within so many simulated seconds."""
        end = self.now + most_seconds
        while not is_done():
            if self.now > end:
                return False
            look_again = self.now + LOOK_EVERY_SECONDS
            while self.now < look_again:
                self._run_one()
        return True

    def close(self) -> None:
        """Ends all actors; what they still call has no effect."""
        self.closed = True
        for actor in self._actors + self._abandoned:
            if actor.has_started:
                actor.switch()

    def crashed(self, actor: Actor, error: Exception) -> None:
        if not self.closed:
            self.crashes.append(f"{actor.process.name}: {type(error).__name__}: {error}")

    def _run_one(self) -> None:
        now = self.now
        ready = [one for one in self._actors if one.wake_at <= now and one.process.frozen_until <= now]
        if not ready:
            soonest = min((actor.ready_at() for actor in self._actors), default=math.inf)
            assert soonest < math.inf, "everything waits for ever"
            self.now = soonest
            return
        self.current = self.random.choice(ready)
        self.now += self.random.random() * LONGEST_STEP
        self.current.switch()
        if self.current.dead:
            self._actors.remove(self.current)
        self.current = None

    def _leave(self) -> None:
        actor = self.current
        self.main.switch()
        if self.closed or (actor and actor.killed):
            raise GreenletExit


class Result:
    """Stands in for gevent's AsyncResult."""

    def __init__(self, scheduler: Scheduler) -> None:
        self._scheduler = scheduler
        self._waiting: list[Actor] = []
        self._outcome: tuple[Any, Exception | None] | None = None

    def ready(self) -> bool:
        return self._outcome is not None

    def set(self, value: Any = None) -> None:
        self._end(value, None)

    def set_exception(self, error: Exception) -> None:
        self._end(None, error)

    def get(self, timeout: float = math.inf) -> Any:
        """Raises TimeoutError."""
        end = self._scheduler.now + timeout
        while self._outcome is None:
            if self._scheduler.now >= end:
                raise TimeoutError
            assert self._scheduler.current, "only an actor can wait"
            self._waiting.append(self._scheduler.current)
            self._scheduler.sleep(end - self._scheduler.now)
        value, error = self._outcome
        if error:
            raise error
        return value

    def _end(self, value: Any, error: Exception | None) -> None:
        if self._outcome is None:
            self._outcome = value, error
        for actor in self._waiting:
            actor.wake_at = self._scheduler.now
        self._waiting.clear()
