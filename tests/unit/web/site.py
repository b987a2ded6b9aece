"""A whole Paygrade in one process: web over a Redis that is played, and a worker that comes when called."""

import tempfile
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

import gevent
from werkzeug.test import TestResponse

from jobs import RELEASE
from jobs.batches.consumer import BatchConsumer
from jobs.batches.store import BatchStore
from jobs.files.location import files_at
from jobs.logs import Journal
from jobs.metrics import Metrics
from jobs.predictions.consumer import PredictionConsumer
from jobs.predictions.store import PredictionStore
from jobs.queues.names import BATCHES, GROUP, PREDICTIONS, QUEUES
from jobs.queues.processes import Process
from jobs.settings import Settings
from model.description.catalog import Catalog
from tests.unit.conftest import living
from tests.unit.web.documented import DocumentedClient
from tests.unit.web.played_redis import PlayedRedis
from web.admission import Admission
from web.app import create_app
from web.batches import BatchRoutes
from web.keys import Keys
from web.openapi.document import Document
from web.trace import Trace
from web.waiting import Waiting
from worker.batch_steps import BatchSteps
from worker.batches import BatchLoop as BatchWorker
from worker.bundles import Bundles
from worker.lease import Lease
from worker.measurements import Report
from worker.predictions import PredictionLoop

BUNDLES = Path("model/bundles")
CHILD = "child"

OF_WEB = {"webs", "processes"}


class Site:
    """What a test may replace: keys, bundles and any setting."""

    def __init__(self, keys: str = "", bundles: Path = BUNDLES, **settings: Any) -> None:
        self.settings = Settings(bundles=str(bundles), **settings)
        self.redis = PlayedRedis()
        for stream in (*QUEUES, BATCHES.stream):  # a missing group fakeredis says in words of its own
            self.redis.xgroup_create(stream, GROUP, id="0", mkstream=True)
        self.store = PredictionStore(self.redis, self.settings)
        self.line = PredictionConsumer(self.redis, self.settings)
        self.wake_ups: list[str] = []
        self.logged: list[bytes] = []
        self.on_bell: Callable[[str], None] = self.wake_ups.append
        self.waiting = Waiting(self.redis, self.store.read, "ended:web", self.settings.max_waiting_callers)
        self.journal = Journal("INFO", self.logged.append)
        self.metrics = Metrics(self.redis)
        self.trace = Trace(self.metrics, self.journal)
        self.door = self._open_door()
        self.waiting.open()
        gevent.sleep(0)  # it has subscribed, and looked at the memory
        self.files = tempfile.TemporaryDirectory(prefix="paygrade-files-")
        catalog = Catalog(bundles, self.settings.default_model)
        self.batches = self._make_batches(Keys(keys), catalog)
        self.app = create_app(
            self.settings,
            Keys(keys),
            catalog,
            self.store,
            self.door,
            self.waiting,
            self.trace,
            self.batches,
        )
        self.client = DocumentedClient(self.app, documented(bundles, self.settings.default_model, bool(keys)))
        account = Report(self.metrics, self.journal)
        self.worker = PredictionLoop(self.line, loaded(bundles), account, CHILD, lambda: self.queued() == 0)

    def _open_door(self) -> Admission:
        web = Process("web:1", RELEASE)
        most = self.settings.max_waiting
        door = Admission(self.store, lambda wake_up: self.on_bell(wake_up), web, most, self.journal)
        door.open()
        return door

    def _make_batches(self, keys: Keys, catalog: Catalog) -> BatchRoutes:
        return BatchRoutes(
            self.settings,
            keys,
            catalog,
            BatchStore(self.redis, self.settings),
            files_at(self.files.name),
            self.door,
            self.waiting,
            ring=self.wake_ups.append,
        )

    def score_batches(self, tasks: int = 100) -> None:
        """A worker for batches comes, does up to so many tasks, and goes."""
        line = BatchConsumer(self.redis, self.settings)
        steps = BatchSteps(
            line,
            files_at(self.files.name),
            self.metrics,
            self.wake_ups.append,
            most_wake_ups=1,
            most=self.settings.max_file,
        )
        leases = Lease(line, CHILD, lambda: False)
        left = iter(range(tasks))
        worker = BatchWorker(
            line,
            loaded(Path(self.settings.bundles)),
            steps,
            leases,
            CHILD,
            lambda: next(left, None) is None,
            3,
        )
        worker.answer("wake_up")

    def hire(self) -> "Site":
        """From now on a worker comes whenever the wake_up rings."""
        self.line.alive(living(CHILD))
        self.on_bell = self.worker.answer
        return self

    def work(self) -> None:
        self.worker.answer("wake_up")

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

    def queued(self) -> int:
        return int(self.redis.xlen(PREDICTIONS.stream))

    def is_untouched(self) -> bool:
        """Nothing was recorded, queued or rung for."""
        self.redis.failure = None
        return set(self._keys("*")) - OF_WEB == {*QUEUES, BATCHES.stream}

    def jobs(self) -> list[str]:
        return [key.removeprefix("job:") for key in self._keys("job:*")]

    def _keys(self, pattern: str) -> list[str]:
        keys: list[Any] = self.redis.keys(pattern)
        return [key.decode() for key in keys]

    def close(self) -> None:
        self.files.cleanup()
        self.redis.failure = None
        self.redis.closed = True


@cache
def documented(bundles: Path, default: str, keyed: bool) -> Document:
    return Document(Catalog(bundles, default), keyed)


@cache
def loaded(bundles: Path) -> Bundles:
    return Bundles(Catalog(bundles, "salary"))


def problem(response: TestResponse, status: int) -> Any:
    """The problem details, which must be as RFC 9457 and the design have them."""
    assert response.status_code == status, response.text
    assert response.mimetype == "application/problem+json"
    assert response.headers["X-Request-ID"]
    body = response.get_json()
    assert body.keys() - {"errors", "error"} == {"type", "title", "status", "detail"}
    assert body["status"] == status
    assert body["detail"]
    assert ("error" in body) == response.request.path.startswith("/v2")
    if status in (429, 503):
        assert 1 <= int(response.headers["Retry-After"]) <= 60
    return body


def pointers(response: TestResponse) -> list[str]:
    errors = problem(response, 422)["errors"]
    assert all(fault["detail"] for fault in errors)
    return [fault["pointer"] for fault in errors]
