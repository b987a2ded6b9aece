"""Builds web from its parts, for the server and for tests."""

import time
from dataclasses import dataclass

import gevent
from redis import Redis

from jobs import ids
from jobs.batches.store import BatchStore
from jobs.files.store import FileStore
from jobs.logs import Journal
from jobs.metrics import Metrics
from jobs.predictions.store import PredictionStore
from jobs.queues.capacity import Monitor
from jobs.queues.processes import Process
from jobs.queues.queue import SendWakeUp
from jobs.queues.usage import UsageReader
from jobs.settings import Settings
from model.description.catalog import Catalog
from web.access_log import AccessLog
from web.app import App
from web.batch_submission import BatchSubmission
from web.batches import BatchRoutes
from web.capacity_watch import CapacityWatch
from web.connection import OpenConnections
from web.key_limits import KeyLimits
from web.keys import Owners
from web.models import ModelRoutes
from web.oip.responses import with_error_line
from web.oip.routes import InferenceRoutes
from web.openapi.document import Document
from web.openapi.routes import DocumentRoutes
from web.operating import OperatingRoutes
from web.predictions import PredictionRoutes
from web.problems import ProblemResponses
from web.recms import RecmsRoutes
from web.submission import Admission, PredictionSubmission
from web.waiting import WaitingCallers

ROUTE_CLASSES = (
    PredictionRoutes,
    BatchRoutes,
    RecmsRoutes,
    InferenceRoutes,
    ModelRoutes,
    OperatingRoutes,
    DocumentRoutes,
)
"""The classes whose methods are routes."""


@dataclass(frozen=True)
class Backends:
    """What web talks to, and the names of this process there.

    `subscriber` may block without a time limit. Batches have connections of their own, so that many uploads
    do not use up the connections of predictions.
    """

    redis: Redis
    batch_redis: Redis
    subscriber: Redis
    files: FileStore
    send_wake_up: SendWakeUp
    send_batch_wake_up: SendWakeUp
    process: Process
    channel: str


@dataclass(frozen=True)
class Web:
    """One web process."""

    app: App
    access_log: AccessLog
    watch: CapacityWatch
    waiting: WaitingCallers
    connections: OpenConnections
    batches: BatchSubmission

    def start(self) -> None:
        """Starts what runs in the background."""
        self.watch.start()
        self.waiting.start()
        gevent.spawn(self.connections.run)
        gevent.spawn(self.access_log.run)

    def drain(self) -> None:
        """Answers the waiting callers, and closes each connection after its next response."""
        self.waiting.release()
        self.connections.draining = True


def build(settings: Settings, owners: Owners, catalog: Catalog, journal: Journal, backends: Backends) -> Web:
    """Connects to nothing, and starts nothing."""
    store = PredictionStore(backends.redis, settings)
    batch_store = BatchStore(backends.batch_redis, settings)
    access_log = AccessLog(Metrics(backends.redis), journal)
    monitor = Monitor(backends.redis, settings)
    usage = UsageReader(backends.redis)
    limits = KeyLimits(usage, settings, time.time)
    watch = CapacityWatch(monitor, usage, limits, backends.process, settings.max_waiting, time.time)
    waiting = WaitingCallers(
        backends.subscriber,
        {ids.PREDICTION: store.read, ids.BATCH: batch_store.read},
        backends.channel,
        settings.max_waiting_callers,
    )
    admission = Admission(store, watch, backends.send_wake_up, journal)
    predictions = PredictionSubmission(store, admission, watch, waiting)
    batches = BatchSubmission(
        batch_store, backends.files, watch, waiting, backends.send_batch_wake_up, settings.max_file
    )
    connections = OpenConnections()
    app = App(settings, owners, access_log, limits)
    ProblemResponses(app, extensions={"v2": with_error_line})
    app.add_routes(
        (
            PredictionRoutes(predictions, catalog, watch),
            BatchRoutes(batches, catalog, connections, settings.s3_allow),
            RecmsRoutes(predictions, catalog),
            InferenceRoutes(predictions, catalog, monitor),
            ModelRoutes(catalog),
            OperatingRoutes(monitor, watch, access_log),
            DocumentRoutes(Document(catalog, keyed=bool(owners), route_classes=ROUTE_CLASSES)),
        )
    )
    return Web(app, access_log, watch, waiting, connections, batches)
