"""A deployment: web processes with keepers and wakers, workers, and what callers post to them."""

import math
from collections.abc import Callable
from dataclasses import dataclass, field

from jobs.keeper.hours import WarmHours
from jobs.keeper.state import Totals
from jobs.queues.capacity import BatchCapacity, Capacity
from jobs.queues.processes import Process
from jobs.supervision import FIRST_PAUSE_SECONDS, LONGEST_PAUSE_SECONDS
from tests.keeper.backlog import Backlog, Job
from tests.keeper.cluster import Died, SimulatedEcs, Throttled
from tests.keeper.memory import PlainMemory
from tests.keeper.timeline import Timeline
from web.keeper.awakening import Awakening, Waker
from web.keeper.keeper import TICK_SECONDS, Keeper, LimitsByHour, RoundOutcome

REFRESH_SECONDS = 1.0
"""How often a web process measures the capacity (web/capacity_watch.py)."""
ROUND_SECONDS = 5.0
DETECTION_SECONDS = 0.05
"""From the start of a worker to its first claim, and from a post to the waker: a turn of the loop."""


@dataclass(frozen=True)
class Scene:
    """What is simulated. Paces are of one worker, in a second."""

    seed: int = 0
    least: int = 0
    most: int = 10
    warm: str = "always"
    within: float = 120.0
    idle: float = 600.0
    web_processes: int = 2
    with_spot: bool = True
    boot_seconds: float = 2.3
    """From the start of the container to its worker's first score: 1.7 s with half a vCPU (measured), and a
    third more for a slower one."""
    rows: float = 5_000.0
    explained: float = 50.0
    chunks: float = 0.5


class Signal:
    """Stands for the event for which the waker waits: calls it a moment later instead."""

    def __init__(self, react: Callable[[], None]) -> None:
        self.set = react


class WebProcess:
    """Its loops, called when the simulated time has come instead of running for ever."""

    def __init__(self, world: "World", phase: float) -> None:
        self._world = world
        self._phase = phase
        self.lives = True
        self.dies_in_round = False
        self._pause = 0.0
        signal = Signal(self._wake_soon)
        self.awakening = Awakening(world.memory, longest_wait=55, event=signal)
        self._waker = Waker(self.awakening, world.memory, world.ecs, world.scene.with_spot)
        self._keeper = Keeper(
            world.memory,
            world.ecs,
            world.limits,
            self._capacity,
            world.totals,
            world.reports.append,
            lambda _: None,
        )

    def next_tick(self, after: float, every: float) -> float:
        return self._phase + math.ceil((after - self._phase) / every) * every

    def refresh(self) -> None:
        if self.lives:
            self.awakening.refresh(self._world.capacity())

    def tick(self) -> None:
        """The keeper's; an error of ECS is met as the supervisor meets it, with a pause."""
        try:
            self._keeper.tick()
            self._pause = 0.0
        except Throttled:
            self._world.refused += 1
            self._pause = min(max(2 * self._pause, FIRST_PAUSE_SECONDS), LONGEST_PAUSE_SECONDS)
        except Died:
            self._world.kill(self)

    @property
    def pause(self) -> float:
        return self._pause

    def _capacity(self) -> Capacity:
        if self.dies_in_round:
            raise Died
        return self._world.capacity()

    def _wake_soon(self) -> None:
        self._world.timeline.after(DETECTION_SECONDS, self._wake)

    def _wake(self) -> None:
        try:
            if self.lives:
                self._waker.wake()
        except Throttled:
            self._world.refused += 1
        except Died:
            self._world.kill(self)
        self._world.memory_changed()


@dataclass
class Tally:
    """What has happened."""

    jobs: list[Job] = field(default_factory=list)
    starts: list[tuple[float, float]] = field(default_factory=list)
    """When each worker took its first work, and what Fargate alone took for it."""
    idle_with_workers: float = 0.0
    """The longest time that nothing waited, nothing came and a task ran."""

    def ours(self, job: Job) -> float:
        """Seconds from its post to its score, less what Fargate took for the first task that came."""
        assert job.done_at
        own_start = next(own for began, own in self.starts if began >= job.posted_at)
        return job.done_at - job.posted_at - own_start


class World:
    def __init__(self, scene: Scene) -> None:
        self.scene = scene
        self.timeline = Timeline(scene.seed)
        self.ecs = SimulatedEcs(self.timeline, scene.boot_seconds, scene.with_spot)
        self.ecs.started = lambda task: self.tally.starts.append((self.timeline.now, task.own_start))
        self.tally = Tally()
        self.reports: list[RoundOutcome] = []
        self.refused = 0
        self.deaths = 0
        self.memory = PlainMemory(
            lambda: self.timeline.now, lambda: bool(self.ecs.reported), lambda: int(self.explained.added)
        )
        self.limits = LimitsByHour(scene.least, scene.most, WarmHours(scene.warm), scene.within, scene.idle)
        self.rows, self.explained, self.chunks = (
            Backlog(pace, self.tally.jobs.append) for pace in (scene.rows, scene.explained, scene.chunks)
        )
        self.webs = [
            WebProcess(self, self.timeline.now + 0.37 * number) for number in range(scene.web_processes)
        ]
        self._worked_at = self.timeline.now
        self._looked_at = self.timeline.now
        self.timeline.before_event = self._pass_time
        self.timeline.after(0, self._round)

    def post(self, amount: float = 1, backlog: Backlog | None = None) -> Job:
        """To one of the web processes that live, as a load balancer does."""
        job = self.add(amount, backlog)
        awakening = self.timeline.chance.choice([web for web in self.webs if web.lives]).awakening
        if awakening.asleep:
            awakening.work_arrived()
        return job

    def add(self, amount: float = 1, backlog: Backlog | None = None) -> Job:
        """Work that no web process hears of, as a replay by `python -m ops`."""
        job = Job(self.timeline.now, amount, asleep=not self.ecs.living)
        (backlog or self.rows).add(job)
        self._worked_at = self.timeline.now
        self.memory_changed()
        return job

    def kill(self, web: WebProcess, restart_after: float = 30.0) -> None:
        """Never the last: then nobody could post."""
        if len(self.webs) == 1:
            return
        web.lives = False
        self.deaths += 1
        self.webs.remove(web)
        self.timeline.after(restart_after, lambda: self.webs.append(WebProcess(self, self.timeline.now)))

    def capacity(self) -> Capacity:
        waiting, scene = self.rows.jobs + self.explained.jobs, self.scene
        names = [f"host{number}:1" for number in range(len(self.ecs.reported))]
        worked = self.rows.served > 0
        return Capacity(
            waiting=waiting,
            rows=math.ceil(self.rows.amount + self.explained.amount),
            explained=math.ceil(self.explained.amount),
            children=tuple(Process(f"{name}:2", "1") for name in names),
            rows_per_second=round(len(names) * scene.rows * self._noise() * worked),
            explained_per_second=round(
                len(names) * scene.explained * self._noise() * (self.explained.served > 0)
            ),
            batches=BatchCapacity(
                open=self.chunks.jobs,
                waiting=math.ceil(self.chunks.amount),
                children=tuple(Process(f"{name}:{child}", "1") for name in names for child in (3, 4)),
            ),
        )

    def totals(self) -> Totals:
        """Two processes of each worker score chunks."""
        chunks = self.chunks.served
        return Totals(
            rows=self.rows.served + self.explained.served,
            chunks=chunks,
            chunk_seconds=2 * chunks / self.scene.chunks,
        )

    def memory_changed(self) -> None:
        """Each web process sees this, and what waits, when it looks next."""
        now = self.timeline.now
        for web in self.webs:
            self.timeline.at(web.next_tick(now + 1e-6, REFRESH_SECONDS), web.refresh)

    def _noise(self) -> float:
        return self.timeline.chance.uniform(0.9, 1.1)

    def _round(self) -> None:
        """The next round is that of the first web process that looks after five seconds."""
        now = self.timeline.now
        web = min(self.webs, key=lambda web: web.next_tick(now + web.pause, TICK_SECONDS))
        asleep = self.memory.read().sleep.asleep
        web.tick()
        if self.memory.read().sleep.asleep != asleep:
            self.memory_changed()
        due = min(web.next_tick(now + ROUND_SECONDS + web.pause, TICK_SECONDS) for web in self.webs)
        self.timeline.at(due, self._round)

    def _pass_time(self, until: float) -> None:
        """Nothing changes between two events but what waits, and the time."""
        now = self._looked_at
        seconds, workers = until - now, len(self.ecs.living)
        both = self.rows.amount > 0 and self.explained.amount > 0
        for backlog, share in ((self.rows, 1 + both), (self.explained, 1 + both), (self.chunks, 1)):
            if backlog.amount > 0:
                self._worked_at = until
                if workers:
                    backlog.drain(now, seconds, workers / share)
        self.ecs.pass_time(seconds)
        if self.ecs.living and not self.scene.least:
            self.tally.idle_with_workers = max(self.tally.idle_with_workers, until - self._worked_at)
        self._looked_at = until
