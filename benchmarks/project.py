"""Paygrade itself, part by part, on a store of its own."""

import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from redis import Redis
from redis.backoff import ConstantBackoff
from redis.retry import Retry

from benchmarks.client import Client
from benchmarks.contenders import Contender
from benchmarks.load import PATH, POSTED_ROW
from benchmarks.process import Process, StartFailedError, free_port, last_words, running, wait_for
from run import store_command

PROJECT = "paygrade"
SETTLE_SECONDS = 120


@dataclass
class Project(Contender):
    """Paygrade on a store of its own; its worker may be left out, and started later."""

    redis_url: str = ""
    settings: dict[str, str] = field(default_factory=dict)

    def redis(self) -> Redis:
        """A client of the store itself."""
        return Redis.from_url(self.redis_url)

    @contextmanager
    def worker(self) -> Iterator[Process]:
        """Run `python -m worker`."""
        with self._part("worker") as process:
            yield process

    @contextmanager
    def web(self) -> Iterator[Process]:
        """Run `python -m web`."""
        with self._part("web", "--host", "127.0.0.1", "--port", str(self.port)) as process:
            yield process

    @contextmanager
    def _part(self, module: str, *arguments: str) -> Iterator[Process]:
        environment = {"REDIS_URL": self.redis_url, "PAYGRADE_DATA": str(self.directory)} | self.settings
        command = [sys.executable, "-m", module, *arguments]
        with running(command, self.log(module), **environment) as process:
            self.processes[module].append(process)
            try:
                yield process
            finally:
                self.processes[module].remove(process)

    def settle(self) -> None:
        """Post a job and return when it is done: the queue is in order, so nothing else waits then."""
        deadline = time.monotonic() + SETTLE_SECONDS
        with Client(self.port) as client:
            job = client.ask(POSTED_ROW, [2.5])
            while job["status"] != "succeeded":
                if time.monotonic() > deadline:
                    raise StartFailedError(
                        f"a job is still {job['status']}: {last_words(self.log('worker'))}"
                    )
                job = client.get(f"{PATH}/{job['id']}?wait=5")

    def log(self, part: str) -> Path:
        """The file with the output of a part."""
        return self.directory / f"{part}.log"


@contextmanager
def project(*, worker: bool = True, **settings: str) -> Iterator[Project]:
    """Start a store and web; also a worker, unless it is to be started later."""
    with ExitStack() as stack:
        contender = stack.enter_context(only_store(**settings))
        web = stack.enter_context(contender.web())
        wait_for("/readyz", contender.port, web, contender.log("web"))
        if worker:
            stack.enter_context(contender.worker())
            contender.settle()
        yield contender


@contextmanager
def only_store(**settings: str) -> Iterator[Project]:
    """Only the store, as `run.py` sets it up, and empty."""
    with tempfile.TemporaryDirectory(prefix="paygrade-bench-", ignore_cleanup_errors=True) as directory:
        port = free_port()
        command = [*store_command(), "--bind", "127.0.0.1", "--port", str(port), "--dir", directory]
        command += ["--appendonly", "yes", "--appendfsync", "always", "--save", ""]
        command += ["--maxmemory", "2gb", "--maxmemory-policy", "noeviction"]
        contender = Project(PROJECT, free_port(), Path(directory))
        contender.redis_url = f"redis://127.0.0.1:{port}/0"
        contender.settings = settings
        with running(command, contender.log("store")) as process:
            contender.processes["store"].append(process)
            with Redis.from_url(contender.redis_url, retry=Retry(ConstantBackoff(0.02), 250)) as redis:
                redis.ping()
            yield contender
