"""Time that passes only from one event to the next."""

import heapq
import random
from collections.abc import Callable
from itertools import count

Event = Callable[[], None]


class Timeline:
    def __init__(self, seed: int) -> None:
        self.now = 1_795_300_818.0
        self.chance = random.Random(seed)  # noqa: S311 (it must repeat)
        self.before_event: Callable[[float], None] = lambda now: None
        """Called with the time of each event, before it."""
        self._events: list[tuple[float, int, Event]] = []
        self._numbers = count()

    def after(self, seconds: float, event: Event) -> None:
        self.at(self.now + seconds, event)

    def at(self, time: float, event: Event) -> None:
        heapq.heappush(self._events, (max(time, self.now), next(self._numbers), event))

    def run(self, seconds: float) -> None:
        """Until so many seconds have passed."""
        end = self.now + seconds
        while self._events and self._events[0][0] <= end:
            time, _, event = heapq.heappop(self._events)
            self.before_event(time)
            self.now = time
            event()
        self.before_event(end)
        self.now = end
