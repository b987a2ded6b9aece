"""The processes of a simulated Paygrade: webs and workers of the real code, which restart when they die."""

from collections import defaultdict, deque
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from functools import cache
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from unittest.mock import patch

from werkzeug.routing import Rule
from werkzeug.test import Client, TestResponse

import worker.batches
import worker.bundles
import worker.child
import worker.explanations
import worker.predictions
import worker.roles
import worker.stopping
import worker.tables.plan
from jobs import RELEASE
from jobs.errors import FilesUnavailable
from jobs.logs import Journal
from jobs.metrics import Metrics
from jobs.queues.names import BATCHES, PREDICTIONS, channel_of
from jobs.queues.processes import Process as ReportedProcess
from jobs.queues.queue import send_wake_up
from jobs.queues.script_calls import create_groups
from jobs.settings import Settings
from jobs.supervision import Supervisor
from model.description.catalog import Catalog
from tests.simulation.files import SimulatedFiles
from tests.simulation.network import Network, RepeatingRedis, SimulatedRedis
from tests.simulation.scheduler import Process, Result, Scheduler
from web.keys import ApiKeys
from web.wiring import Backends, Web, build
from worker.bundles import Bundles
from worker.child import Child
from worker.roles import ROLES
from worker.sweeper import Sweeper

BUNDLES = "model/bundles"
RESTART_SECONDS = 1.0
CHUNK_BYTES = 120
CHECKPOINT_SECONDS = 0.1
"""A file of a few hundred bytes then takes many checkpoints to plan and to join."""


@cache
def catalog() -> Catalog:
    return Catalog(Path(BUNDLES), "salary")


@cache
def bundles() -> Bundles:
    return Bundles(catalog())


class Broker:
    """Stands in for Celery: its messages may get lost, doubled or late, as the random numbers want it."""

    def __init__(self, network: Network, scheduler: Scheduler, loss: float) -> None:
        self._network = network
        self._scheduler = scheduler
        self._loss = loss
        self._messages: defaultdict[str, deque[str]] = defaultdict(deque)
        self.tasks: dict[str, Callable[[Any], None]] = {}

    def task(self, name: str, **_: Any) -> Callable[[Callable[[Any], None]], Callable[[Any], None]]:
        def register(call: Callable[[Any], None]) -> Callable[[Any], None]:
            self.tasks[name] = call
            return call

        return register

    def send_task(self, task: str, task_id: str, queue: str, **_: Any) -> None:
        self._network.call("send_task", lambda: self._deliver(queue, task_id))

    def _deliver(self, queue: str, wake_up: str) -> None:
        chance = self._scheduler.random.random()
        if chance > self._loss:
            self._messages[queue].append(wake_up)
        if 1 - chance < self._loss:
            self._messages[queue].append(wake_up)

    def take(self, queue: str) -> str:
        while not self._messages[queue]:
            self._network.wait_until(lambda: bool(self._messages[queue]))
        return self._messages[queue].popleft()


class WebProcess:
    def __init__(self, process: Process) -> None:
        self.process = process
        self.web: Web | None = None


class Service:
    def __init__(self, scheduler: Scheduler, network: Network, settings: Settings, loss: float) -> None:
        self.scheduler = scheduler
        self.network = network
        self.settings = settings
        self.webs: dict[str, WebProcess] = {}
        self._loss = loss
        self._restarts: dict[Process, Callable[[], None]] = {}
        network.on_kill = self._killed

    def start(self, webs: int, workers: int) -> None:
        create_groups(SimulatedRedis(self.network))
        self._broker = Broker(self.network, self.scheduler, self._loss)
        for number in range(webs):
            self._start_web(f"web{number}")
        for number in range(workers):
            for role in ROLES:
                self._start_worker(role, number)

    def request(self, method: str, path: str, **options: Any) -> TestResponse | None:
        """The answer of one of the webs; None if it died before it answered."""
        ready = [each for each in self.webs.values() if each.web]
        if not ready:
            return None
        chosen = self.scheduler.random.choice(ready)
        answer = Result(self.scheduler)
        self.scheduler.spawn(chosen.process, self._handle, chosen, answer, method, path, options)
        while True:
            with suppress(TimeoutError):
                response: TestResponse | None = answer.get(timeout=0.5)
                return response
            if not chosen.process.alive:
                return None

    def _handle(
        self, chosen: WebProcess, answer: Result, method: str, path: str, options: dict[str, Any]
    ) -> None:
        assert chosen.web
        response = None
        with suppress(FilesUnavailable):  # in the middle of a file that is being sent
            response = Client(chosen.web.app).open(path, method=method, **options)
        answer.set(response)

    def _killed(self, process: Process) -> None:
        """Whatever is killed is started again; the children of a killed worker end by themselves."""
        restart = self._restarts.pop(process, None)
        if restart:
            self.scheduler.spawn(self.scheduler.outside, self._restart, restart)

    def _restart(self, start: Callable[[], None]) -> None:
        self.scheduler.sleep(RESTART_SECONDS)
        start()

    def _start_web(self, name: str) -> None:
        started = WebProcess(self.scheduler.start_process(name))
        self.webs[name] = started
        self._restarts[started.process] = lambda: self._start_web(name)
        self.scheduler.spawn(started.process, self._run_web, started)

    def _run_web(self, started: WebProcess) -> None:
        number = started.process.number
        redis = [SimulatedRedis(self.network) for _ in range(3)]
        backends = Backends(
            redis=redis[0],
            admission_redis=RepeatingRedis(self.network),
            batch_redis=redis[1],
            subscriber=redis[2],
            files=SimulatedFiles(self.network, self.settings.data),
            send_wake_up=lambda name: send_wake_up(self._broker, PREDICTIONS, name),
            send_batch_wake_up=lambda name: send_wake_up(self._broker, BATCHES, name),
            process=ReportedProcess(f"host:{number}", RELEASE),
            channel=channel_of(str(number)),
            post_webhook=_post_nowhere,
        )
        web = build(self.settings, ApiKeys(""), catalog(), _journal(), backends)
        web.start()
        started.web = web

    def _start_worker(self, role_name: str, number: int) -> None:
        role = ROLES[role_name]
        parent = self.scheduler.start_process(f"{role_name}-worker{number}")
        self._restarts[parent] = lambda: self._start_worker(role_name, number)
        self.scheduler.spawn(parent, self._run_worker, parent, role)

    def _run_worker(self, parent: Process, role: Any) -> None:
        celery = Broker.__new__(Broker)
        celery.__dict__ = {**self._broker.__dict__, "tasks": {}}
        supervisor = Supervisor(Metrics(SimulatedRedis(self.network)))
        Sweeper([*role.make_sweeps(self.settings, celery), supervisor.metrics.flush], supervisor).start()
        for number in range(role.children(self.settings)):
            self._start_child(parent, role, celery, number)

    def _start_child(self, parent: Process, role: Any, celery: Any, number: int) -> None:
        if not parent.alive:
            return
        process = self.scheduler.start_process(f"{role.queue.name}-child{number}", parent)
        self._restarts[process] = lambda: self._start_child(parent, role, celery, number)
        self.scheduler.spawn(process, self._run_child, parent, role, celery)

    def _run_child(self, parent: Process, role: Any, celery: Any) -> None:
        child = Child(role, self.settings, celery, _journal(), lambda: False)
        child._worker = parent.number  # which Child reads before the fork
        child.start()
        while True:
            wake_up = celery.take(role.queue.name)
            celery.tasks[role.queue.task](SimpleNamespace(request=SimpleNamespace(id=wake_up)))


def _post_nowhere(*_: Any) -> Any:
    raise OSError("no receiver is there")


def _journal() -> Journal:
    return Journal("ERROR", lambda line: None)


_compile_builder = Rule._compile_builder
_builders: dict[tuple[str, bool], Callable[..., Any]] = {}


def _builder(rule: Rule, append_unknown: bool) -> Callable[..., Any]:
    """What makes the address of a route: it takes long to compile, and is the same in each web process."""
    key = (rule.rule, append_unknown)
    if key not in _builders:
        _builders[key] = _compile_builder(rule, append_unknown)
    return _builders[key]


@contextmanager
def connected(network: Network, files: SimulatedFiles) -> Iterator[None]:
    """Within the block, workers connect to the simulated stores, share a model, and cut small chunks."""
    with ExitStack() as stack:
        for module in (worker.child, worker.roles):
            for name in ("connect", "connect_one"):
                if hasattr(module, name):
                    stack.enter_context(patch.object(module, name, lambda *_: SimulatedRedis(network)))
        stack.enter_context(patch.object(Rule, "_compile_builder", _builder))
        stack.enter_context(patch.object(worker.bundles, "Bundles", lambda *_: bundles()))
        stack.enter_context(patch.object(worker.roles, "files_at", lambda _: files))
        stack.enter_context(patch.object(worker.tables.plan, "CHUNK", CHUNK_BYTES))
        stack.enter_context(patch.object(worker.stopping, "CHECKPOINT_SECONDS", CHECKPOINT_SECONDS))
        yield
