"""Builds web from its parts, for the server and for tests."""

import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from importlib.resources import files
from typing import NamedTuple

import gevent
from redis import Redis

from jobs import ids
from jobs.batches.retry import BatchRetries
from jobs.batches.store import BatchStore
from jobs.batches.upload_store import UploadStore
from jobs.dead.letters import DeadLetters
from jobs.dead.wiring import dead_letters
from jobs.files.store import FileStore
from jobs.logs import Journal
from jobs.metrics import Metrics
from jobs.predictions.store import PredictionStore
from jobs.queues.capacity import Monitor
from jobs.queues.names import BATCH
from jobs.queues.processes import Process
from jobs.queues.queue import SendWakeUp
from jobs.queues.usage import UsageReader
from jobs.settings import Settings
from jobs.supervision import Supervisor
from jobs.tracing import Tracing
from model.description.catalog import Catalog
from web.access_log import AccessLog
from web.app import App
from web.batch_inputs import BatchInputs
from web.batch_retries import BatchRetrying
from web.batch_submission import BatchSubmission
from web.batches import BatchRoutes
from web.capacity_watch import CapacityWatch
from web.dead import DeadLetterRoutes
from web.direct_uploads.routes import UploadRoutes
from web.direct_uploads.service import DirectUploads
from web.events.marks import EventMarks
from web.events.posting import post_to
from web.events.publishing import PublishEvent
from web.events.queue import EventQueue
from web.events.reader import EventReader
from web.guide.routes import GuideRoutes
from web.keeper.awakening import Awakening
from web.keeper.services import WorkerServices
from web.keeper.wiring import KeptWorkers, keep_workers
from web.key_limits import KeyLimits
from web.keys import ApiKeys
from web.models import ModelRoutes
from web.oip.responses import with_error_line
from web.oip.routes import InferenceRoutes
from web.openapi.document import Document
from web.openapi.routes import DocumentRoutes
from web.operating import OperatingRoutes
from web.owners import OwnerRoutes
from web.page.wiring import PAGE_CLASSES, build_page
from web.prediction_submission import Admission, PredictionSubmission
from web.predictions import PredictionRoutes
from web.problems import ProblemResponses
from web.process_limits import Bodies, OpenConnections
from web.recms import RecmsRoutes
from web.waiting import WaitingCallers
from web.webhooks.attempts import Post
from web.webhooks.payload import ReadJobs
from web.webhooks.routes import DeliveryRoutes
from web.webhooks.sender import WebhookSender
from web.webhooks.wiring import Webhooks, build_webhooks

ROUTE_CLASSES = (
    PredictionRoutes,
    BatchRoutes,
    UploadRoutes,
    RecmsRoutes,
    InferenceRoutes,
    ModelRoutes,
    DeliveryRoutes,
    DeadLetterRoutes,
    OwnerRoutes,
    OperatingRoutes,
    DocumentRoutes,
    GuideRoutes,
    *PAGE_CLASSES,
)
"""The classes whose methods are routes."""


GUIDE = files("web.guide") / "site"


@dataclass(frozen=True)
class Backends:
    """What web talks to, and the names of this process there.

    `admission_redis` adds predictions, one call at a time. `subscriber` may block without a time limit.
    Batches have connections of their own, so that many uploads do not use up the connections of predictions.
    """

    redis: Redis
    admission_redis: Redis
    batch_redis: Redis
    subscriber: Redis
    files: FileStore
    send_wake_up: SendWakeUp
    send_batch_wake_up: SendWakeUp
    process: Process
    channel: str
    post_webhook: Post
    tracing: Tracing | None = None
    workers: WorkerServices | None = None
    """Where workers are started and stopped; None where nobody does."""
    publish: Mapping[str, PublishEvent] = field(default_factory=dict)
    """Where events go, by target."""
    events: EventQueue | None = None
    """Where messages come from that are to become batches; None where nobody sends any."""


@dataclass(frozen=True)
class Web:
    """One web process."""

    app: App
    access_log: AccessLog
    watch: CapacityWatch
    waiting: WaitingCallers
    connections: OpenConnections
    batches: BatchSubmission
    keys: ApiKeys
    supervisor: Supervisor
    webhooks: WebhookSender
    kept: KeptWorkers | None
    events: EventReader | None

    def start(self) -> None:
        """Starts what runs in the background."""
        self.supervisor.start("capacity watch", self.watch.run)
        self.waiting.start(self.supervisor)
        self.supervisor.start("slow connections", self.connections.run)
        self.supervisor.start("keys", self.keys.run)
        self.supervisor.start("access log", self.access_log.run)
        self.supervisor.start("webhooks", self.webhooks.run)
        if self.kept:
            self.kept.start(self.supervisor)
        if self.events:
            self.supervisor.start("events", self.events.run)

    def drain(self) -> None:
        """Answers the waiting callers, and closes each connection after its next response."""
        self.waiting.wake_all()
        self.webhooks.stop()
        if self.events:
            self.events.stop()
        self.connections.draining = True


class Measuring(NamedTuple):
    """What is measured every second, and what follows from it."""

    monitor: Monitor
    usage: UsageReader
    limits: KeyLimits
    watch: CapacityWatch
    kept: KeptWorkers | None


class JobServices(NamedTuple):
    """What the routes of jobs call; `read` is by the prefix of ids."""

    predictions: PredictionSubmission
    batches: BatchSubmission
    retrying: BatchRetrying
    uploads: DirectUploads
    letters: DeadLetters
    waiting: WaitingCallers
    read: dict[str, ReadJobs]


def build(settings: Settings, keys: ApiKeys, catalog: Catalog, journal: Journal, backends: Backends) -> Web:
    """Connects to nothing, and starts nothing."""
    access_log = AccessLog(Metrics(backends.redis), journal)
    supervisor = Supervisor(access_log.metrics, gevent.spawn, gevent.sleep)
    measuring = _measuring(settings, backends, access_log.metrics)
    watch = measuring.watch
    services = _services(settings, backends, watch, journal, supervisor)
    webhooks = build_webhooks(
        settings,
        backends.redis,
        services.read,
        lambda: watch.capacity,
        access_log.metrics,
        backends.post_webhook,
        backends.publish,
        backends.tracing,
    )
    connections = OpenConnections(settings.most_connections)
    bodies = Bodies(settings.held_bodies, connections)
    app = App(settings, keys, access_log, bodies, measuring.limits, backends.tracing)
    ProblemResponses(app, extensions={"v2": with_error_line})
    app.add_routes(_job_routes(settings, catalog, measuring, services, webhooks))
    app.add_routes(_operator_routes(keys, access_log, measuring, webhooks, backends.files))
    app.add_routes(_describing_routes(catalog, keyed=bool(keys.owners)))
    direct = backends.files.direct if settings.direct_files else None
    app.add_routes(build_page(app, GUIDE.is_dir(), direct, BATCH.name in settings.served))
    return Web(
        app=app,
        access_log=access_log,
        watch=watch,
        waiting=services.waiting,
        connections=connections,
        batches=services.batches,
        keys=keys,
        supervisor=supervisor,
        webhooks=webhooks.sender,
        kept=measuring.kept,
        events=_event_reader(backends, app, watch, supervisor),
    )


def _measuring(settings: Settings, backends: Backends, metrics: Metrics) -> Measuring:
    monitor, usage = Monitor(backends.redis, settings), UsageReader(backends.redis)
    kept = None
    if backends.workers:
        kept = keep_workers(settings, backends.redis, backends.workers, monitor, metrics, gevent.sleep)
    awakening = kept.awakening if kept else Awakening()
    limits = KeyLimits(usage, settings, time.time)
    watch = CapacityWatch(
        monitor,
        usage,
        limits,
        backends.process,
        settings.max_waiting,
        time.time,
        awakening,
        settings.served,
    )
    return Measuring(monitor, usage, limits, watch, kept)


def _services(
    settings: Settings, backends: Backends, watch: CapacityWatch, journal: Journal, supervisor: Supervisor
) -> JobServices:
    store, batch_store = PredictionStore(backends.redis, settings), BatchStore(backends.batch_redis, settings)
    read: dict[str, ReadJobs] = {ids.PREDICTION: store.read, ids.BATCH: batch_store.read}
    waiting = WaitingCallers(backends.subscriber, read, backends.channel, settings.max_waiting_callers)
    files, wake_up, wake_batches = backends.files, backends.send_wake_up, backends.send_batch_wake_up
    admission = Admission(PredictionStore(backends.admission_redis, settings), watch, wake_up, journal)
    inputs = BatchInputs(files, settings.max_file, settings.max_files_per_batch, settings.s3_allow)
    batches = BatchSubmission(batch_store, inputs, watch, waiting, wake_batches, supervisor)
    retries = BatchRetries(batch_store, files)
    return JobServices(
        predictions=PredictionSubmission(store, admission, watch, waiting),
        batches=batches,
        retrying=BatchRetrying(batches, retries, watch),
        uploads=_uploads(settings, backends, batch_store, watch),
        letters=dead_letters(backends.redis, store, retries, wake_up, wake_batches),
        waiting=waiting,
        read=read,
    )


def _uploads(
    settings: Settings, backends: Backends, batches: BatchStore, watch: CapacityWatch
) -> DirectUploads:
    return DirectUploads(
        UploadStore(backends.batch_redis, settings),
        backends.files,
        watch,
        settings.max_file,
        settings.direct_files,
        is_used=lambda batch_id: batches.read([batch_id])[0] is not None,
    )


def _job_routes(
    settings: Settings, catalog: Catalog, measuring: Measuring, services: JobServices, webhooks: Webhooks
) -> Iterator[object]:
    predictions, batches, uploads = services.predictions, services.batches, services.uploads
    yield PredictionRoutes(predictions, catalog, measuring.watch, webhooks.requests)
    yield BatchRoutes(batches, catalog, services.retrying, webhooks.requests, uploads, settings)
    yield UploadRoutes(uploads)
    yield RecmsRoutes(predictions, catalog)
    yield InferenceRoutes(predictions, catalog, measuring.monitor)
    yield DeliveryRoutes(predictions, batches, webhooks.outbox)
    yield DeadLetterRoutes(services.letters, measuring.watch)


def _operator_routes(
    keys: ApiKeys, access_log: AccessLog, measuring: Measuring, webhooks: Webhooks, files: FileStore
) -> Iterator[object]:
    yield OwnerRoutes(measuring.usage, keys)
    yield OperatingRoutes(measuring.monitor, measuring.watch, access_log, webhooks.outbox, files)


def _describing_routes(catalog: Catalog, keyed: bool) -> Iterator[object]:
    yield ModelRoutes(catalog)
    yield DocumentRoutes(Document(catalog, keyed, ROUTE_CLASSES))
    yield GuideRoutes(GUIDE)


def _event_reader(
    backends: Backends, app: App, watch: CapacityWatch, supervisor: Supervisor
) -> EventReader | None:
    if not backends.events:
        return None
    return EventReader(
        backends.events,
        post_to(app),
        EventMarks(backends.batch_redis),
        lambda: watch.accepting,
        supervisor,
        gevent.sleep,
    )
