"""The server under Flask: gunicorn minds the processes, gevent holds thousands of callers in each.

Of what was measured (benchmarks/README.md) this was the fastest that also keeps every waiting caller.
"""

import gc
import os
from contextlib import suppress
from socket import gethostname
from typing import Any
from uuid import uuid4

import gevent
from flask import Flask
from gunicorn.app.base import BaseApplication
from gunicorn.workers.ggevent import GeventPyWSGIWorker, PyWSGIServer

from jobs import RELEASE
from jobs.batches.store import BatchStore
from jobs.connection import connect
from jobs.errors import JobsError
from jobs.files.location import files_at
from jobs.logs import Journal
from jobs.metrics import Metrics
from jobs.predictions.store import PredictionStore
from jobs.queues.names import channel_of
from jobs.queues.processes import Process
from jobs.queues.wake_ups import make_celery, send_wake_up
from jobs.settings import Settings
from model.description.catalog import Catalog
from web.admission import Admission
from web.app import create_app
from web.batches import BatchRoutes
from web.connection import Connection
from web.keys import Keys
from web.trace import Trace
from web.waiting import Waiting

GRACE_SECONDS = 10
IDLE_SECONDS = 2
"""How long, once told to end, a connection that is kept may yet send a request."""


class Listener(PyWSGIServer):  # type: ignore[misc]
    def close(self) -> None:
        """Takes in who has connected already: the kernel would reset them."""
        while (accepted := self.do_read()) is not None:
            self.do_handle(*accepted)
        super().close()


class ServerProcess(GeventPyWSGIWorker):  # type: ignore[misc]
    server_class = Listener
    wsgi_handler = Connection

    def handle_exit(self, sig: int, frame: Any) -> None:
        """SIGTERM: whoever waits is answered with 202 before the process ends."""
        super().handle_exit(sig, frame)
        gevent.spawn(self._drain)

    def _drain(self) -> None:
        self.wsgi.config["WAITING"].release()
        Connection.drain()
        gevent.sleep(IDLE_SECONDS)
        Connection.close_idle()
        with suppress(JobsError):
            self.wsgi.config["TRACE"].flush()


class Server(BaseApplication):  # type: ignore[misc]
    def __init__(
        self, settings: Settings, keys: Keys, catalog: Catalog, journal: Journal, host: str, port: int
    ) -> None:
        self._settings = settings
        self._journal = journal
        self._keys = keys
        self._catalog = catalog
        self._options = {
            "bind": f"[{host}]:{port}" if ":" in host else f"{host}:{port}",
            "workers": settings.web_processes,
            "worker_class": ServerProcess,
            "worker_connections": settings.max_waiting_callers + 1_000,
            "graceful_timeout": GRACE_SECONDS,
            "backlog": 2048,
            "control_socket_disable": True,
            "loglevel": "warning",
        }
        super().__init__()

    def load_config(self) -> None:
        for name, value in self._options.items():
            self.cfg.set(name, value)

    def load(self) -> Flask:
        """Called in each process, after the fork."""
        settings = self._settings
        store = PredictionStore(connect(settings), settings)
        celery = make_celery(settings)
        channel = channel_of(uuid4().hex[:8])
        listening = connect(settings, answer_seconds=None)
        waiting = Waiting(listening, store.read, channel, settings.max_waiting_callers)
        web = Process(f"{gethostname()}:{os.getpid()}", RELEASE)
        door = Admission(
            store, lambda wake_up: ring(celery, wake_up), web, settings.max_waiting, self._journal
        )
        trace = Trace(Metrics(connect(settings)), self._journal)
        door.open()
        waiting.open()
        gevent.spawn(Connection.close_slow)
        gevent.spawn(trace.keep_telling)
        batches = BatchRoutes(
            settings,
            self._keys,
            self._catalog,
            BatchStore(connect(settings), settings),
            files_at(settings.files_place),
            door,
            waiting,
            ring=lambda wake_up: send_wake_up(celery, PREDICTIONS, BATCHES, wake_up),
        )
        app = create_app(settings, self._keys, self._catalog, store, door, waiting, trace, batches)
        app.config.update(WAITING=waiting, TRACE=trace)
        # What lives for ever need not be looked at by each collection; requests leave few cycles behind.
        gc.freeze()
        gc.set_threshold(20_000, 20, 20)
        return app
