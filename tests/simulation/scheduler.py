"""Runs all parts one at a time, in an order that a seed decides, on a clock that only the scheduler moves."""

import heapq
import itertools
import math
import random
from bisect import insort
from collections.abc import Callable
from operator import attrgetter
from typing import Any

from greenlet import GreenletExit, getcurrent, greenlet

EPOCH = 1_795_300_818.0
LOOK_EVERY_SECONDS = 0.5
LONGEST_STEP = 0.000_4
"""Seconds that an actor runs at most before another may run."""
_BY_NUMBER = attrgetter("number")


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

    def __init__(
        self, scheduler: "Scheduler", process: Process, number: int, call: Callable[[], object]
    ) -> None:
        self.process = process
        self.number = number
        self.wake_at = scheduler.now
        self.dead = False
        self._scheduler = scheduler
        self._call = call
        self.killed = False
        self._greenlet = greenlet(self._run, scheduler.main)
        self.switch = self._greenlet.switch

    def kill(self) -> None:
        """As gevent's: the actor ends where it waits, and its `finally` blocks run."""
        self.killed = True
        self._scheduler.wake(self)

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
        self._actors: dict[int, Actor] = {}
        self._abandoned: list[Actor] = []
        self._ready: list[Actor] = []
        """Those that may run now, in the order in which they were spawned."""
        self._sleeping: list[tuple[float, int]] = []
        """A heap: when the actor with this number may run; one that was woken since is in it too."""
        self.current: Actor | None = None
        self._numbers = iter(range(100, 1_000_000))
        self._actor_numbers = itertools.count()

    @property
    def process(self) -> Process:
        """The process whose code runs now."""
        return self.current.process if self.current else self.outside

    def start_process(self, name: str, parent: Process | None = None) -> Process:
        return Process(name, next(self._numbers), parent)

    def spawn(self, process: Process, call: Callable[..., object], *arguments: Any) -> Actor:
        actor = Actor(self, process, next(self._actor_numbers), lambda: call(*arguments))
        self._actors[actor.number] = actor
        self._place(actor)
        return actor

    def wake(self, actor: Actor) -> None:
        """The actor goes on now, whatever it waits for."""
        actor.wake_at = self.now
        if actor.number in self._actors and actor is not self.current and actor not in self._ready:
            self._place(actor)

    def freeze(self, process: Process, until: float) -> None:
        """Nothing of the process runs until then."""
        process.frozen_until = until
        self._ready = [actor for actor in self._ready if actor.process is not process]
        for actor in self._actors.values():
            if actor.process is process and actor is not self.current:
                self._place(actor)

    def kill(self, process: Process) -> None:
        """As SIGKILL: nothing of the process runs again, not even a `finally` block."""
        process.alive = False
        gone = [actor for actor in self._actors.values() if actor.process is process]
        self._ready = [actor for actor in self._ready if actor.process is not process]
        for actor in gone:
            del self._actors[actor.number]
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
        for actor in [*self._actors.values(), *self._abandoned]:
            if actor.has_started:
                actor.switch()

    def crashed(self, actor: Actor, error: Exception) -> None:
        if not self.closed:
            self.crashes.append(f"{actor.process.name}: {type(error).__name__}: {error}")

    def _run_one(self) -> None:
        self._wake_sleepers()
        if not self._ready:
            assert self._sleeping, "everything waits for ever"
            self.now = self._sleeping[0][0]
            return
        self.current = self.random.choice(self._ready)
        self._ready.remove(self.current)
        self.now += self.random.random() * LONGEST_STEP
        self.current.switch()
        actor, self.current = self.current, None
        if actor.dead:
            self._actors.pop(actor.number, None)
        elif actor.number in self._actors:
            self._place(actor)

    def _wake_sleepers(self) -> None:
        """Those whose time has come; the first that is left sleeps."""
        while self._sleeping:
            time, number = self._sleeping[0]
            actor = self._actors.get(number)
            sleeps = actor and actor not in self._ready and actor.ready_at() == time
            if sleeps and time > self.now:
                return
            heapq.heappop(self._sleeping)
            if actor and sleeps:
                insort(self._ready, actor, key=_BY_NUMBER)

    def _place(self, actor: Actor) -> None:
        """Among those that may run, or those that sleep."""
        ready_at = actor.ready_at()
        if ready_at <= self.now:
            insort(self._ready, actor, key=_BY_NUMBER)
        elif ready_at < math.inf:
            heapq.heappush(self._sleeping, (ready_at, actor.number))

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
            self._scheduler.wake(actor)
        self._waiting.clear()
