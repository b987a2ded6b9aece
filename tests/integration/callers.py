"""Callers of the API, one after the other or many at once, each bounded in time."""

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import requests

from tests.integration.service import PATIENCE, wait_until

Resource = dict[str, Any]


class Caller:
    """One caller and its connection."""

    def __init__(self, address: str, key: str = "") -> None:
        self.address = address
        self._session = requests.Session()
        if key:
            self._session.headers["X-API-Key"] = key

    def close(self) -> None:
        self._session.close()

    def recms(self, row: Resource) -> requests.Response:
        return self._session.post(f"{self.address}/recms", json=row, timeout=PATIENCE)

    def post(self, inputs: Any, wait: int = 0, key: str = "", **members: Any) -> requests.Response:
        headers = {"Prefer": f"wait={wait}"} if wait else {}
        if key:
            headers["Idempotency-Key"] = key
        body = {"inputs": inputs, **members}
        return self._session.post(
            f"{self.address}/v1/predictions", json=body, headers=headers, timeout=PATIENCE
        )

    def accepted(self, inputs: Any, **members: Any) -> str:
        """Posts, and returns the id of the job."""
        answer = self.post(inputs, **members)
        assert answer.status_code == 202, answer.text
        job_id: str = answer.json()["id"]
        return job_id

    def get(self, path: str) -> requests.Response:
        return self._session.get(self.address + path, timeout=PATIENCE)

    def cancel(self, job_id: str) -> requests.Response:
        return self._session.post(f"{self.address}/v1/predictions/{job_id}/cancel", timeout=PATIENCE)

    def show(self, job_id: str, wait: int = 0) -> Resource:
        answer = self.get(f"/v1/predictions/{job_id}" + (f"?wait={wait}" if wait else ""))
        assert answer.status_code == 200, answer.text
        resource: Resource = answer.json()
        return resource

    def ended(self, job_id: str, within: float = PATIENCE) -> Resource:
        """Polls until the job has ended."""
        deadline = time.monotonic() + within
        while True:
            resource = self.show(job_id, wait=5)
            if resource["finished_at"]:
                return resource
            assert time.monotonic() < deadline, f"{job_id} is still {resource['status']}"


@dataclass
class Crowd:
    """Callers that post row after row, each another, until they are told to stop.

    `accepted` maps each job that got its 202 to its row; `answers` counts every status there was,
    and `cut` holds what befell those who got no answer at all.
    """

    address: str
    callers: int
    row: Callable[[int], Resource]
    members: Resource = field(default_factory=dict)
    wait: int = 0
    pause: float = 0.01
    fresh: bool = False
    """Whether each post comes over a connection of its own."""
    once: bool = False
    """Whether each caller posts only once."""
    accepted: dict[str, Resource] = field(default_factory=dict)
    answers: list[int] = field(default_factory=list)
    refused: list[str] = field(default_factory=list)
    cut: list[str] = field(default_factory=list)

    def __enter__(self) -> "Crowd":
        self._stop = threading.Event()
        self._lock = threading.Lock()
        self._next = 0
        self._threads = [threading.Thread(target=self._call, daemon=True) for _ in range(self.callers)]
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        for thread in self._threads:
            thread.join(PATIENCE)
            assert not thread.is_alive(), "a caller never got an answer"

    def post_more(self, jobs: int) -> None:
        """Returns once so many more have been accepted."""
        wanted = len(self.accepted) + jobs
        wait_until(f"{jobs} more jobs", lambda: len(self.accepted) >= wanted)

    def _call(self) -> None:
        caller = Caller(self.address)
        try:
            while not self._stop.wait(self.pause):
                with self._lock:
                    row = self.row(self._next)
                    self._next += 1
                if self.fresh:
                    caller.close()
                    caller = Caller(self.address)
                self._post(caller, row)
                if self.once:
                    return
        finally:
            caller.close()

    def _post(self, caller: Caller, row: Resource) -> None:
        try:
            answer = caller.post(row, wait=self.wait, **self.members)
            if answer.status_code in (200, 202):
                self.accepted[answer.json()["id"]] = row
            self.answers.append(answer.status_code)
        except requests.RequestException as error:
            text = repr(error)
            (self.refused if "refused" in text else self.cut).append(text)
