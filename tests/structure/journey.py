"""A whole Paygrade in one process: a server on loopback, a Redis in memory, workers that wake-ups call."""

import gc
import json
import sys
from collections.abc import Iterator
from contextlib import closing, contextmanager
from functools import partial
from hashlib import sha1
from http.client import HTTPConnection
from pathlib import Path
from types import FrameType
from typing import Any, NamedTuple

import gevent
import gevent.socket
import pytest
from gevent.pywsgi import WSGIServer

from jobs import RELEASE
from jobs.files.location import files_at
from jobs.logs import Journal
from jobs.metrics import Metrics
from jobs.queues.celery_app import make_celery
from jobs.queues.names import BATCHES, PREDICTIONS, Queue, channel_of
from jobs.queues.processes import Process
from jobs.queues.queue import QueueConsumer, send_wake_up
from jobs.queues.script_calls import create_groups
from jobs.settings import Settings
from jobs.supervision import Supervisor
from model.description.catalog import Catalog
from tests.structure.code import ROOT
from tests.structure.lua import linked_scripts
from tests.unit import in_memory
from tests.unit.web.faulty_redis import FaultyRedis
from web.connection import Connection
from web.keys import ApiKeys
from web.webhooks.posting import Answer
from web.wiring import Backends, build
from worker.bundles import Bundles
from worker.child import Child
from worker.limits import LEAST_BUDGET, MemoryBudget
from worker.roles import ROLES, ChildContext

PARTS = ("web", "jobs", "worker", "model")


class Response(NamedTuple):
    status: int
    location: str
    body: bytes

    @property
    def resource(self) -> Any:
        return json.loads(self.body)


class Journey:
    """One in each process, since Celery shares the tasks of its apps.

    Nothing runs in the background: what runs, runs for a request.
    """

    def __init__(self, data: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self.strangers = {one for one in gc.get_objects() if issubclass(type(one), gevent.Greenlet)}
        """The greenlets that other tests have left in this process."""
        self.settings = Settings(data=data, bundles=str(ROOT / "model/bundles"))
        self._redis = FaultyRedis()
        create_groups(self._redis)
        self._journal = Journal("INFO", lambda text: None)
        self._catalog = Catalog(self.settings.bundles, self.settings.default_model)
        self._celery = make_celery(self.settings)
        self._celery.conf.broker_url = "memory://localhost"
        for name in ("connect", "connect_one"):
            monkeypatch.setattr(f"worker.roles.{name}", lambda *_: self._redis)
        for role in ROLES:
            self._hire(role)
        web = build(self.settings, ApiKeys(""), self._catalog, self._journal, self._backends())
        self._server = WSGIServer(
            ("127.0.0.1", 0), web.app, handler_class=partial(Connection, web.connections), log=None
        )
        self._server.start()

    def _backends(self) -> Backends:
        return Backends(
            redis=self._redis,
            admission_redis=self._redis,
            batch_redis=self._redis,
            subscriber=self._redis,
            files=files_at(self.settings.files_location),
            send_wake_up=partial(self._wake, PREDICTIONS),
            send_batch_wake_up=partial(self._wake, BATCHES),
            process=Process("web:1", RELEASE),
            channel=channel_of("web"),
            post_webhook=lambda *_: Answer(status=204),
        )

    def _hire(self, name: str) -> None:
        role = ROLES[name]
        metrics = Metrics(self._redis)
        child = Child(role, self.settings, self._celery, self._journal, lambda: False)
        context = ChildContext(
            "child",
            self.settings,
            self._celery,
            metrics,
            self._journal,
            Bundles(self._catalog),
            lambda: False,
            Supervisor(metrics),
            MemoryBudget(LEAST_BUDGET),
            tracing=None,
        )
        child._woken, _ = role.make_loops(context)
        QueueConsumer(self._redis, self.settings, role.queue).report_alive(Process("child", RELEASE))

    def _wake(self, queue: Queue, name: str) -> None:
        """Sends the wake-up, and runs its task as a worker does that has received it."""
        send_wake_up(self._celery, queue, name)
        self._answer(queue, name)

    def _answer(self, queue: Queue, name: str) -> None:
        self._celery.tasks[queue.task].apply(task_id=name, throw=True)

    def call(self, method: str, path: str, body: bytes | None = None, kind: str = "") -> Response:
        headers = {"Content-Type": kind} if kind else {}
        with closing(HTTPConnection("127.0.0.1", self._server.server_port)) as connection:
            connection.sock = gevent.socket.create_connection(self._server.address)
            connection.request(method, path, body, {**headers, "Connection": "close"})
            with connection.getresponse() as response:
                return Response(response.status, response.headers.get("Location", ""), response.read())

    def ended(self, path: str) -> Any:
        """The resource of a job that has ended.

        On a slow machine no consumer counts as alive by then, and no wake-up is sent: they are woken here.
        """
        while True:
            resource = self.call("GET", path).resource
            if resource["finished_at"]:
                return resource
            self._answer(BATCHES if path.startswith("/v1/batches/") else PREDICTIONS, "again")

    def close(self) -> None:
        self._server.stop()
        self._redis.closed = True


class Trace:
    """What runs for a request: the functions of the project by their files, and the scripts."""

    def __init__(self, strangers: set[Any]) -> None:
        self._strangers = strangers
        self.functions: dict[str, set[str]] = {}
        self.scripts: set[str] = set()
        self._prefixes = tuple(f"{ROOT / part}/" for part in PARTS)
        self._names = {
            sha1(text.encode(), usedforsecurity=False).hexdigest(): name for name, text in linked_scripts()
        }

    @contextmanager
    def on(self) -> Iterator[None]:
        previous = sys.getprofile()
        sys.setprofile(self._note)
        try:
            yield
        finally:
            sys.setprofile(previous)

    def _note(self, frame: FrameType, event: str, _: Any) -> None:
        if event != "call" or gevent.getcurrent() in self._strangers:
            return
        code = frame.f_code
        if code.co_filename.startswith(self._prefixes):
            file = code.co_filename.removeprefix(f"{ROOT}/")
            self.functions.setdefault(file, set()).add(code.co_qualname)
        elif code.co_name == "evalsha" and code.co_filename == in_memory.__file__:
            self.scripts.add(self._names[frame.f_locals["sha1"].decode()])
