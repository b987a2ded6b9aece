"""What files cost the child process that scores them, in memory, time and room."""

from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any, NamedTuple

import psutil
import requests

from tests.hostile.files import HostileFile
from tests.integration.service import Service, wait_until
from tests.integration.stack import Stack

SETTINGS = {
    "PAYGRADE_QUEUES": "batches",
    "PAYGRADE_BATCH_CHILDREN": "1",
    "PAYGRADE_LEASE_SECONDS": "3",
}
LONGEST_SECONDS = 300
"""Far more than any file takes."""


class Cost(NamedTuple):
    """How the batch of a file ended, or the HTTP status of its refusal; `kept` is what the child has taken
    afterwards.
    """

    status: str
    error: dict[str, Any] | None
    cpu: float
    peak: int
    kept: int
    results: int


class MeasuredChild:
    """The only child process of a worker that serves batches. Web and the store are other processes."""

    def __init__(self, stack: Stack, worker: Service) -> None:
        self._stack = stack
        self._worker = worker
        self._name = self._names()[0]
        self._process = psutil.Process(int(self._name.rpartition(":")[2]))

    def lives(self) -> bool:
        """Whether it is still the first child: one that dies is replaced."""
        return self._names() == [self._name] and self._process.is_running()

    def cost_of(self, file: HostileFile) -> Cost:
        Path(f"/proc/{self._process.pid}/clear_refs").write_text("5")  # the peak of memory counts from here
        before = self._cpu()
        status, error, results = self._score(file)
        return Cost(
            status, error, self._cpu() - before, self._memory("VmHWM"), self._memory("VmData"), results
        )

    def events(self) -> set[str]:
        """The kinds of trouble that the worker has logged."""
        return {event for event in ("unexpected_error", "worker_ended") if self._worker.events(event)}

    def _score(self, file: HostileFile) -> tuple[str, dict[str, Any] | None, int]:
        posted = requests.post(
            f"{self._stack.address}/v1/batches{file.query}",
            file.data,
            headers={"Content-Type": file.media_type},
            timeout=LONGEST_SECONDS,
        )
        body: dict[str, Any] = posted.json()
        if posted.status_code != 202:
            return str(posted.status_code), body, 0
        address = f"{self._stack.address}{body['urls']['self']}"
        batch = wait_until(file.name, lambda: self._ended(address), within=LONGEST_SECONDS)
        results = sum(self._sizes(body["id"]))
        requests.delete(address, timeout=60).raise_for_status()
        return batch["status"], batch["error"], results

    def _ended(self, address: str) -> dict[str, Any]:
        """The batch, empty while it has not ended."""
        batch: dict[str, Any] = requests.get(address, {"wait": 20}, timeout=60).json()
        if not self.lives():
            return {"status": "child died", "error": None}
        return batch if batch["finished_at"] else {}

    def _sizes(self, batch: str) -> Iterator[int]:
        """Of the files of a batch that has ended; what only its scoring needed is being removed."""
        folder = self._stack.data / "files" / "batches" / batch
        for file in folder.rglob("*"):
            with suppress(FileNotFoundError):
                if file.is_file():
                    yield file.stat().st_size

    def _names(self) -> list[str]:
        return [event["child"] for event in self._worker.events("ready")]

    def _cpu(self) -> float:
        times = self._process.cpu_times()
        return times.user + times.system

    def _memory(self, name: str) -> int:
        status = Path(f"/proc/{self._process.pid}/status").read_text()
        return int(next(line.split()[1] for line in status.splitlines() if line.startswith(name))) * 1024
