"""The two services of the workers, as ECS and Fargate run them."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from tests.keeper.timeline import Timeline
from web.keeper.need import Counts, ServiceCount
from web.keeper.services import FoundServices, WorkerServices

FARGATE_START_SECONDS = (20.0, 60.0)
"""From the call to the container: what others have measured (docs/guides/ecs.md)."""
STOP_SECONDS = (1.0, 5.0)
"""From the call to SIGTERM, and the end of a worker that has nothing to do."""
COUNTS_AS_ALIVE_SECONDS = 5.0
CALL_SECONDS = (0.05, 0.5)


class Throttled(Exception):
    """ECS refuses a call."""


class Died(Exception):
    """The web process dies in this moment."""


@dataclass(eq=False)
class Task:
    own_start: float
    """What Fargate alone takes for it, in seconds."""
    running: bool = False
    stopped: bool = False


@dataclass
class Service:
    tasks: list[Task] = field(default_factory=list)
    desired: int = 0


class SimulatedEcs(WorkerServices):
    """`boot_seconds` is from the start of a container to its worker's first claim."""

    def __init__(self, timeline: Timeline, boot_seconds: float, with_spot: bool) -> None:
        self.on_demand, self.spot = Service(), Service() if with_spot else None
        self.boot_seconds = boot_seconds
        self.has_spot = True
        self.deploying = False
        self.throttled = 0.0
        """The share of calls that are refused, however often the client has repeated them."""
        self.started: Callable[[Task], None] = lambda task: None
        self.history: list[tuple[float, int]] = []
        """How many tasks were asked for, by the time."""
        self.caller_dies = False
        """Whoever asks for another number next, before the call."""
        self.calls = 0
        self.task_seconds = 0.0
        """Billed: from the start of a container to its end."""
        self.living: set[Task] = set()
        self.reported: set[Task] = set()
        """Those that count as alive in Redis: a worker that has ended does so for some seconds."""
        self._billed: set[Task] = set()
        self._timeline = timeline

    def pass_time(self, seconds: float) -> None:
        self.task_seconds += len(self._billed) * seconds

    @property
    def services(self) -> Iterator[Service]:
        yield self.on_demand
        if self.spot:
            yield self.spot

    @property
    def desired(self) -> int:
        return sum(service.desired for service in self.services)

    def count(self) -> FoundServices:
        self._call()
        on_demand, *spot = (
            ServiceCount(each.desired, sum(task.running for task in each.tasks), self.deploying)
            for each in self.services
        )
        return FoundServices(on_demand, spot[0] if spot else None)

    def ask(self, counts: Counts, before: Counts) -> None:
        if self.caller_dies:
            self.caller_dies = False
            raise Died
        if counts.on_demand != before.on_demand:
            self._update(self.on_demand, counts.on_demand)
        if self.spot and counts.spot != before.spot:
            self._update(self.spot, counts.spot)
        self.history.append((self._timeline.now, self.desired))

    def bring_spot_back(self) -> None:
        self.has_spot = True
        for task in self.spot.tasks if self.spot else ():
            if not task.running:
                self._place(task)

    def reclaim_spot(self) -> None:
        """AWS takes all tasks on Spot, and has no others."""
        assert self.spot
        self.has_spot = False
        for task in [task for task in self.spot.tasks if task.running]:
            self._stop(self.spot, task)
        self._fill(self.spot)

    def _call(self) -> None:
        self.calls += 1
        if self._timeline.chance.random() < self.throttled:
            raise Throttled

    def _update(self, service: Service, desired: int) -> None:
        self._call()
        service.desired = desired
        while len(service.tasks) > desired:  # those that have not started first, then the newest
            waiting = [task for task in service.tasks if not task.running]
            task = (waiting or service.tasks)[-1]
            service.tasks.remove(task)
            delay = self._timeline.chance.uniform(*STOP_SECONDS) if task.running else 0.0
            self._timeline.after(delay, lambda task=task: self._end(task))  # type: ignore[misc]
        self._fill(service)

    def _fill(self, service: Service) -> None:
        while len(service.tasks) < service.desired:
            task = Task(self._timeline.chance.uniform(*FARGATE_START_SECONDS))
            service.tasks.append(task)
            if service is self.on_demand or self.has_spot:
                self._place(task)

    def _place(self, task: Task) -> None:
        call = self._timeline.chance.uniform(*CALL_SECONDS)
        self._timeline.after(call + task.own_start, lambda: self._run(task))

    def _run(self, task: Task) -> None:
        if not task.stopped:
            task.running = True
            self._billed.add(task)
            self._timeline.after(self.boot_seconds, lambda: self._live(task))

    def _live(self, task: Task) -> None:
        if not task.stopped:
            self.living.add(task)
            self.reported.add(task)
            self.started(task)

    def _stop(self, service: Service, task: Task) -> None:
        service.tasks.remove(task)
        self._end(task)

    def _end(self, task: Task) -> None:
        task.stopped, task.running = True, False
        self.living.discard(task)
        self._billed.discard(task)
        self._timeline.after(COUNTS_AS_ALIVE_SECONDS, lambda: self.reported.discard(task))
