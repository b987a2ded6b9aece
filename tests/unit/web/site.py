"""A whole Paygrade in one process: web over a Redis in memory, and workers that run when they are called."""

import math
import tempfile
from collections.abc import Callable
from contextlib import nullcontext
from functools import cache, partial
from itertools import chain
from pathlib import Path
from typing import Any

import gevent
from werkzeug.test import TestResponse

from jobs import RELEASE
from jobs.batches.consumer import BatchConsumer
from jobs.batches.store import BatchStore
from jobs.files.location import files_at
from jobs.logs import Journal
from jobs.predictions.consumer import PredictionConsumer
from jobs.predictions.store import PredictionStore
from jobs.queues.capacity import Monitor
from jobs.queues.names import BATCH, PREDICTIONS, QUEUES, WEB_PROCESSES
from jobs.queues.processes import Process
from jobs.queues.queue import event_targets
from jobs.queues.script_calls import create_groups
from jobs.settings import Settings
from jobs.tracing import Tracing
from jobs.webhooks.outbox import WebhookOutbox
from model.description.catalog import Catalog
from tests.unit.conftest import living
from tests.unit.web.documented import DocumentedClient
from tests.unit.web.faulty_redis import FaultyRedis
from web.events.publishing import OutgoingEvent
from web.events.queue import EventQueue
from web.keeper.services import WorkerServices
from web.keys import ApiKeys
from web.openapi.document import Document
from web.webhooks.posting import Answer
from web.webhooks.receivers import Receiver
from web.wiring import ROUTE_CLASSES, Backends, Web, build
from worker.batches import BatchLoop as BatchWorker
from worker.batches import BatchStages, Lease
from worker.bundles import Bundles
from worker.measurements import Measurements
from worker.predictions import PredictionLoop
from worker.spans import ClaimSpans, span_of_task

BUNDLES = Path("model/bundles")
CHILD = "child"
CHANNEL = "ended:web"

LONGEST_RETENTION = 6 * 3600 + 60
"""Seconds after which a full Redis has room at the latest."""

KEYS_OF_WEB = {WEB_PROCESSES, "processes"}


class Site:
    """A test may replace the keys, the bundles and any setting."""

    def __init__(
        self,
        keys: str = "",
        bundles: Path = BUNDLES,
        keys_file: str = "",
        workers: WorkerServices | None = None,
        events: EventQueue | None = None,
        tracing: Tracing | None = None,
        admission_redis: FaultyRedis | None = None,
        **settings: Any,
    ) -> None:
        self.settings = Settings(bundles=str(bundles), **settings)
        self.redis = FaultyRedis()
        self.admission_redis = admission_redis or self.redis
        create_groups(self.redis)  # the error of fakeredis for a missing group is another one
        self.store = PredictionStore(self.redis, self.settings)
        self.monitor = Monitor(self.redis, self.settings)
        self.batch_store = BatchStore(self.redis, self.settings)
        self.folder = tempfile.TemporaryDirectory(prefix="paygrade-files-")
        self.files = files_at(self.settings.files or self.folder.name)
        self.wake_ups: list[str] = []
        self.logged: list[bytes] = []
        self.webhooks: list[tuple[str, dict[str, str], bytes]] = []
        self.receiver = Answer(status=204)
        """How receivers of webhooks answer."""
        self.published: list[tuple[str, OutgoingEvent]] = []
        self.bus = Answer(status=200)
        """How the targets of events answer."""
        self.on_wake_up: Callable[[str], None] = self.wake_ups.append
        self.journal = Journal("INFO", self.logged.append)
        self._keys = ApiKeys(keys, keys_file)
        self._workers = workers
        self._events = events
        self._tracing = tracing
        self.serve(bundles)
        self._hold_workers(bundles)

    def serve(self, bundles: Path) -> None:
        """Starts web, or starts it again with other bundles."""
        default, keys = self.settings.default_model, self._keys
        self.web = self._build(keys, Catalog(bundles, default))
        self.client = DocumentedClient(self.web.app, documented(bundles, default, bool(keys.owners)))
        self.web.supervisor.start("capacity watch", self.web.watch.run)
        self.web.waiting.start(self.web.supervisor)
        gevent.sleep(0)  # web has subscribed, and measured the memory

    def _build(self, keys: ApiKeys, catalog: Catalog) -> Web:
        backends = Backends(
            redis=self.redis,
            admission_redis=self.admission_redis,
            batch_redis=self.redis,
            subscriber=self.redis,
            files=self.files,
            send_wake_up=lambda wake_up: self.on_wake_up(wake_up),
            send_batch_wake_up=self.wake_ups.append,
            process=Process("web:1", RELEASE),
            channel=CHANNEL,
            post_webhook=self._receive,
            tracing=self._tracing,
            workers=self._workers,
            publish={
                target: partial(self._publish, target) for target in event_targets(self.settings, BATCH)
            },
            events=self._events,
        )
        return build(self.settings, keys, catalog, self.journal, backends)

    def _receive(self, receiver: Receiver, headers: dict[str, str], body: bytes) -> Answer:
        self.webhooks.append((receiver.url, headers, body))
        return self.receiver

    def _publish(self, target: str, event: OutgoingEvent) -> Answer:
        self.published.append((target, event))
        return self.bus

    def _hold_workers(self, bundles: Path) -> None:
        """The side of the workers; no test of web depends on how it is built."""
        self.consumer = PredictionConsumer(self.redis, self.settings)
        spans = ClaimSpans(self._tracing) if self._tracing else None
        measurements = Measurements(self.web.access_log.metrics, self.journal, spans)
        self.worker = PredictionLoop(
            self.consumer, loaded(bundles), measurements, CHILD, lambda: self.queued() == 0
        )

    def score_batches(self, tasks: int = 100) -> None:
        """A worker for batches runs up to so many tasks."""
        consumer = BatchConsumer(self.redis, self.settings, self.wake_ups.append)
        measurements = Measurements(self.web.access_log.metrics, self.journal)
        stages = BatchStages.of(consumer, self.files, measurements, self.settings)
        leases = Lease(consumer, CHILD, lambda: False, self.web.supervisor)
        left = iter(range(tasks))
        worker = BatchWorker(
            consumer,
            loaded(Path(self.settings.bundles)),
            stages,
            leases,
            CHILD,
            lambda: next(left, None) is None,
            attempts=3,
            files_patience=0,
            give_back_memory=lambda: None,
            span_of=span_of_task(self._tracing) if self._tracing else nullcontext,
        )
        worker.answer("wake-up")
        worker.flush()

    def send_webhooks(self) -> None:
        """Web makes one attempt for each delivery whose time has come."""
        for claimed in WebhookOutbox(self.redis).claim(1_000, {}):
            self.web.webhooks.send(claimed)

    def hire(self) -> "Site":
        """From now on a worker runs at each wake-up."""
        self.consumer.report_alive(living(CHILD))
        self.on_wake_up = self._answer
        return self

    def work(self) -> None:
        self._answer("wake-up")

    def _answer(self, wake_up: str) -> None:
        self.worker.answer(wake_up)
        self.worker.flush()

    def post(self, body: Any, **headers: str) -> TestResponse:
        """Headers as in `Prefer="wait=5"` or `X_API_Key="..."`."""
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        kind = "data" if isinstance(body, bytes) else "json"
        options: dict[str, Any] = {kind: body, "content_type": "application/json"}
        return self.client.post("/v1/predictions", headers=named, **options)

    def post_years(self, years: float = 2.5, **headers: str) -> str:
        """The id of a job that has been accepted."""
        response = self.post({"inputs": {"years": years}}, **headers)
        assert response.status_code == 202, response.text
        job_id: str = response.get_json()["id"]
        return job_id

    def cancel(self, job_id: str) -> TestResponse:
        return self.client.post(f"/v1/predictions/{job_id}/cancel")

    def delete(self, job_id: str) -> TestResponse:
        return self.client.delete(f"/v1/predictions/{job_id}")

    def list_jobs(self, query: str = "") -> Any:
        response = self.client.get(f"/v1/predictions{query}")
        assert response.status_code == 200, response.text
        return response.get_json()

    def show(self, job_id: str, query: str = "") -> Any:
        response = self.client.get(f"/v1/predictions/{job_id}{query}")
        assert response.status_code == 200, response.text
        return response.get_json()

    def started(self, call: Callable[..., Any], *arguments: Any, **named: Any) -> Any:
        """The greenlet of a call, once the call waits for the end of a job."""
        before = self._waiting()
        greenlet = gevent.spawn(call, *arguments, **named)
        while self._waiting() == before:
            assert not greenlet.dead, "the call did not wait"
            gevent.sleep(0)
        return greenlet

    def _waiting(self) -> int:
        callers = chain.from_iterable(self.web.waiting.by_job.values())
        return sum(caller.until < math.inf for caller in callers)

    def queued(self) -> int:
        return int(self.redis.xlen(PREDICTIONS.stream))

    def is_untouched(self) -> bool:
        """Nothing was recorded or queued."""
        self.redis.failure = None
        return set(self._matching("*")) - KEYS_OF_WEB == {
            stream for queue in QUEUES for stream in queue.streams
        }

    def jobs(self) -> list[str]:
        return [key.removeprefix("job:") for key in self._matching("job:*")]

    def _matching(self, pattern: str) -> list[str]:
        keys: list[Any] = self.redis.keys(pattern)
        return [key.decode() for key in keys]

    def close(self) -> None:
        self.folder.cleanup()
        self.redis.failure = None
        self.redis.closed = True


@cache
def documented(bundles: Path, default: str, keyed: bool) -> Document:
    return Document(Catalog(bundles, default), keyed, ROUTE_CLASSES)


@cache
def loaded(bundles: Path) -> Bundles:
    return Bundles(Catalog(bundles, "salary"))


def problem(response: TestResponse, status: int) -> Any:
    """The problem details, checked against RFC 9457 and the design."""
    assert response.status_code == status, response.text
    assert response.mimetype == "application/problem+json"
    assert response.headers["X-Request-ID"]
    body = response.get_json()
    assert body.keys() - {"errors", "error"} == {"type", "title", "status", "detail"}
    assert body["status"] == status
    assert body["detail"]
    assert ("error" in body) == f"{response.request.path}/".startswith("/v2/")
    if status in (429, 503):
        assert 1 <= int(response.headers["Retry-After"]) <= LONGEST_RETENTION
    return body


def pointers(response: TestResponse) -> list[str]:
    errors = problem(response, 422)["errors"]
    assert all(fault["detail"] for fault in errors)
    return [fault["pointer"] for fault in errors]
