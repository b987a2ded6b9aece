"""Callers, who note what they were promised and what they were told."""

from collections import defaultdict
from collections.abc import Callable
from typing import Any

from werkzeug.test import TestResponse

from tests.simulation.scheduler import Scheduler
from tests.simulation.service import Service

YEARS = (0.5, 1.0, 2.5, 3.0, 4.5, 7.0, 12.5)
TRIES = 8
FINAL = frozenset({"succeeded", "partially_succeeded", "failed", "canceled", "expired"})
TOLD = ("status", "output", "outputs", "counts", "error", "finished_at")
HONEST = frozenset({200, 201, 202, 204, 404, 409, 410, 429, 503})


class Ledger:
    """What callers know. `broken` has each promise that was seen broken."""

    def __init__(self) -> None:
        self.rows: dict[str, list[float]] = {}
        """The rows of each job that was accepted, by its id."""
        self.batches: set[str] = set()
        self.without_good_rows: set[str] = set()
        self.of_key: defaultdict[str, set[str]] = defaultdict(set)
        self.final: dict[str, Any] = {}
        self.deleted: set[str] = set()
        self.may_expire: set[str] = set()
        self.broken: list[str] = []

    def accepted(self, job_id: str, rows: list[float], key: str) -> None:
        self.rows[job_id] = rows
        self._note_key(key, job_id)

    def accepted_batch(self, job_id: str, key: str, has_good_rows: bool) -> None:
        self.batches.add(job_id)
        if not has_good_rows:
            self.without_good_rows.add(job_id)
        self._note_key(key, job_id)

    def _note_key(self, key: str, job_id: str) -> None:
        if not key:
            return
        self.of_key[key].add(job_id)
        if len(self.of_key[key]) > 1:
            self.broken.append(f"one key stands for several jobs: {sorted(self.of_key[key])}")

    def told(self, resource: Any) -> None:
        job_id, status = resource["id"], resource["status"]
        told = {name: resource.get(name) for name in TOLD}
        known = self.final.get(job_id)
        if known and told != known:
            self.broken.append(f"{job_id} had ended as {known}, and is now told as {told}")
        if status in FINAL:
            self.final[job_id] = told


class Caller:
    """Does some things that callers do, one after the other."""

    def __init__(self, service: Service, ledger: Ledger, name: str) -> None:
        self._service = service
        self._scheduler: Scheduler = service.scheduler
        self._random = service.scheduler.random
        self._ledger = ledger
        self._name = name
        self.done = False

    def run(self, jobs: int) -> None:
        for number in range(jobs):
            self._scheduler.sleep(self._random.random() * 3)
            job_id = self._post(f"{self._name}-{number}")
            if job_id:
                next_step = self._random.choice([self._follow, self._follow, self._cancel, self._delete])
                next_step(job_id)
        self.done = True

    def _post(self, key: str) -> str | None:
        rows = self._random.choices(YEARS, k=self._random.choice([1, 1, 1, 2, 5]))
        inputs: Any = [{"years": each} for each in rows] if len(rows) > 1 else {"years": rows[0]}
        keyed = self._random.random() < 0.75
        headers = {"Idempotency-Key": key} if keyed else {}
        waits = self._random.random() < 0.5
        if waits:
            headers["Prefer"] = f"wait={self._random.choice([1, 5, 20])}"
        if expires := self._random.random() < 0.1:
            headers["Cancel-After"] = "3s"
        body = {"inputs": inputs, "explain": self._random.random() < 0.2}
        response = self._repeat(
            "POST", "/v1/predictions", lambda code: code < 300, json=body, headers=headers
        )
        if response is None:
            return None
        resource: Any = response.get_json()
        job_id: str = resource["id"]
        self._ledger.accepted(job_id, rows, key if keyed else "")
        if expires:
            self._ledger.may_expire.add(job_id)
        if response.status_code == 200 and resource["status"] not in FINAL:
            self._ledger.broken.append(f"{job_id} was answered with 200 as {resource['status']}")
        self._ledger.told(resource)
        return job_id

    def _follow(self, job_id: str) -> None:
        for _ in range(self._random.choice([1, 3, 30])):
            query = self._random.choice(["", "?wait=5"])
            response = self._request("GET", f"/v1/predictions/{job_id}{query}")
            if response and response.status_code == 200:
                resource: Any = response.get_json()
                self._ledger.told(resource)
                if resource["status"] in FINAL:
                    return
            elif response and response.status_code != 503:
                self._ledger.broken.append(f"{job_id} was accepted, and is answered with {response.status}")
            self._scheduler.sleep(self._random.random() * 2)

    def _cancel(self, job_id: str) -> None:
        response = self._request("POST", f"/v1/predictions/{job_id}/cancel")
        if response and response.status_code == 200:
            self._ledger.told(response.get_json())
        self._follow(job_id)

    def _delete(self, job_id: str) -> None:
        self._follow(job_id)
        self._ledger.deleted.add(job_id)  # even if the answer gets lost
        self._request("DELETE", f"/v1/predictions/{job_id}")

    def _repeat(
        self, method: str, path: str, is_done: Callable[[int], bool], **options: Any
    ) -> TestResponse | None:
        for _ in range(TRIES):
            response = self._request(method, path, **options)
            if response and is_done(response.status_code):
                return response
            self._scheduler.sleep(0.5 + self._random.random() * 3)
        return None

    def _request(self, method: str, path: str, **options: Any) -> TestResponse | None:
        response = self._service.request(method, path, **options)
        if response is not None and response.status_code not in HONEST:
            self._ledger.broken.append(f"{method} {path} was answered with {response.status}")
        return response
