"""The server under Flask: gunicorn manages the processes, gevent serves thousands of callers in each.

Of the servers that were measured (docs/explanations/decisions/gevent.md), this was the fastest that can hold
thousands of waiting callers.
"""

import gc
import os
import resource
import sys
import time
from contextlib import suppress
from functools import partial
from socket import gethostname
from typing import Any
from uuid import uuid4

import gevent
from gunicorn.app.base import BaseApplication
from gunicorn.workers.ggevent import GeventPyWSGIWorker

from jobs import RELEASE
from jobs.errors import JobsError
from jobs.files.location import files_at
from jobs.logs import Journal
from jobs.queues.celery_app import make_celery
from jobs.queues.connection import connect, connect_one
from jobs.queues.names import BATCHES, PREDICTIONS, channel_of
from jobs.queues.processes import Process
from jobs.queues.queue import send_wake_up
from jobs.settings import Settings
from jobs.tracing import Tracing, tracing_of
from model.description.catalog import Catalog
from web.app import App
from web.arbiter import PatientArbiter
from web.connection import Connection
from web.events.publishing import PublishEvent
from web.events.queue import EventQueue
from web.keeper.services import WorkerServices
from web.keys import ApiKeys
from web.listener import Listener, Share, Shares
from web.webhooks.posting import post
from web.webhooks.resolving import threaded_resolve
from web.webhooks.sender import AT_ONCE
from web.wiring import Backends, Web, build

GRACE_SECONDS = 10
IDLE_SECONDS = 2
"""How long after SIGTERM an idle connection may still send a request."""
_MARGIN = 200
"""Connections that are accepted beyond the most, so that others can give way to them."""
_OTHER_FILES = 400
"""Descriptors that are left for everything but connections of callers, beside the margin."""


class ServerProcess(GeventPyWSGIWorker):  # type: ignore[misc]
    share: Share
    """Set before the fork."""

    @property
    def server_class(self) -> Any:
        return partial(Listener, self.share)

    @property
    def wsgi_handler(self) -> Any:
        return partial(Connection, self.app.web.connections)

    def handle_exit(self, sig: int, frame: Any) -> None:
        """On SIGTERM, answers the waiting callers with 202 before the process ends."""
        super().handle_exit(sig, frame)
        gevent.spawn(self._drain)

    def _drain(self) -> None:
        web: Web = self.app.web
        web.drain()
        gevent.sleep(IDLE_SECONDS)
        web.connections.close_idle()
        with suppress(JobsError):
            web.access_log.flush()
        if self.app.tracing:
            self.app.tracing.close()


class WebServer(BaseApplication):  # type: ignore[misc]
    web: Web
    tracing: Tracing | None
    """Both are set in each process, after the fork."""

    def __init__(
        self, settings: Settings, keys: ApiKeys, catalog: Catalog, journal: Journal, host: str, port: int
    ) -> None:
        self._settings = settings
        self._keys = keys
        self._catalog = catalog
        self._journal = journal
        self._options = {
            "bind": f"[{host}]:{port}" if ":" in host else f"{host}:{port}",
            "workers": settings.web_processes,
            "worker_class": ServerProcess,
            "worker_connections": settings.most_connections + _MARGIN,
            "graceful_timeout": GRACE_SECONDS,
            "backlog": 2048,
            "pre_fork": partial(_enter, Shares(settings.web_processes)),
            "child_exit": _leave,
            "control_socket_disable": True,
            "loglevel": "warning",
        }
        super().__init__()

    def load_config(self) -> None:
        for name, value in self._options.items():
            self.cfg.set(name, value)

    def run(self) -> None:
        """Raises SystemExit when it ends, with one line if it cannot run."""
        try:
            PatientArbiter(self).run()
        except RuntimeError as error:  # so does gunicorn's own
            sys.exit(f"web: {error}")

    def load(self) -> App:
        """Called in each process, after the fork."""
        settings = self._settings
        celery = make_celery(settings)
        self.tracing = tracing_of(settings.otlp_endpoint, "paygrade-web")
        backends = Backends(
            redis=connect(settings),
            admission_redis=connect_one(settings, repeats_once=True),
            batch_redis=connect(settings),
            subscriber=connect(settings, answer_seconds=None),
            files=files_at(settings.files_location, sync=_sync_in_thread),
            send_wake_up=partial(send_wake_up, celery, PREDICTIONS),
            send_batch_wake_up=partial(send_wake_up, celery, BATCHES),
            process=Process(f"{gethostname()}:{os.getpid()}", RELEASE),
            channel=channel_of(uuid4().hex[:8]),
            post_webhook=partial(post, threaded_resolve(AT_ONCE), time.time),
            tracing=self.tracing,
            workers=_worker_services(settings),
            publish=_publishers(settings),
            events=_event_queue(settings),
        )
        self.web = build(settings, self._keys, self._catalog, self._journal, backends)
        self.web.connections.allow(open_files() - _MARGIN - _OTHER_FILES)
        self.web.start()
        # The garbage collector need not visit what lives until the process ends; requests leave few cycles.
        gc.freeze()
        gc.set_threshold(20_000, 20, 20)
        return self.web.app


def _enter(shares: Shares, arbiter: Any, process: ServerProcess) -> None:
    process.share = shares.enter()


def _leave(arbiter: Any, process: ServerProcess) -> None:
    process.share.leave()


def open_files() -> int:
    """Raises the limit of file descriptors as far as this process may, and returns it."""
    limit, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    with suppress(ValueError, OSError):  # not every system lets it be raised to its hard limit
        resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
        limit = most
    return sys.maxsize if limit == resource.RLIM_INFINITY else limit


def _worker_services(settings: Settings) -> WorkerServices | None:
    if not settings.worker_service:
        return None
    from web.keeper.ecs_services import EcsWorkerServices  # it imports boto3

    return EcsWorkerServices(settings.worker_service, settings.worker_spot_service)


def _publishers(settings: Settings) -> dict[str, PublishEvent]:
    if not (settings.event_bus or settings.event_topic):
        return {}
    from web.events.aws import publishers  # it imports boto3

    return publishers(settings)


def _event_queue(settings: Settings) -> EventQueue | None:
    if not settings.event_queue:
        return None
    from web.events.aws import SqsEventQueue  # it imports boto3

    return SqsEventQueue(settings.event_queue, settings.event_dead_queue)


def _sync_in_thread(descriptor: int) -> None:
    """Makes a file durable while other requests go on."""
    gevent.get_hub().threadpool.apply(os.fsync, (descriptor,))
