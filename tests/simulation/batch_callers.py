"""A caller who uploads files, and compares the results row by row."""

from typing import Any

from tests.simulation import promises
from tests.simulation.callers import FINAL, YEARS, Caller

BAD = "many"
"""A cell that is no number: its row fails alone."""


class BatchCaller(Caller):
    def run(self, jobs: int) -> None:
        for number in range(jobs):
            self._scheduler.sleep(self._random.random() * 3)
            self._score_file(f"{self._name}-{number}")
        self.done = True

    def _score_file(self, key: str) -> None:
        bad = self._random.random() < 0.3
        cells = [
            BAD if bad and self._random.random() < 0.1 else str(self._random.choice(YEARS))
            for _ in range(self._random.choice([1, 20, 100, 200]))
        ]
        text = "id,years\n" + "".join(f"{number},{cell}\n" for number, cell in enumerate(cells))
        headers = {"Idempotency-Key": key, "Content-Type": "text/csv"}
        response = self._repeat(
            "POST", "/v1/batches", lambda code: code < 300, data=text.encode(), headers=headers
        )
        if response is None:
            return
        resource: Any = response.get_json()
        self._ledger.accepted_batch(resource["id"], key, set(cells) != {BAD})
        if self._random.random() < 0.15:
            self._request("POST", f"/v1/batches/{resource['id']}/cancel")
        ended = self._wait_for_end(resource["id"])
        if ended and ended["status"] in ("succeeded", "partially_succeeded"):
            self._compare(ended, cells)

    def _wait_for_end(self, job_id: str) -> Any:
        for _ in range(100):
            response = self._request("GET", f"/v1/batches/{job_id}")
            if response and response.status_code == 200:
                resource: Any = response.get_json()
                self._ledger.told(resource)
                if resource["status"] in FINAL:
                    return resource
            elif response and response.status_code != 503:
                self._break(f"{job_id} was accepted, and is answered with {response.status}")
            self._scheduler.sleep(1)
        return None

    def _compare(self, batch: Any, cells: list[str]) -> None:
        failed = cells.count(BAD)
        counts = {"total": len(cells), "succeeded": len(cells) - failed, "failed": failed}
        if {name: batch["counts"][name] for name in counts} != counts:
            self._break(f"{batch['id']} counts {batch['counts']} instead of {counts}")
        response = self._repeat("GET", batch["urls"]["results"], lambda code: code == 200)
        if response is None:
            self._break(f"{batch['id']} has no results")
            return
        lines = response.text.splitlines()[1:]
        rows = [line.split(",", 2) for line in lines]
        if [row[0] for row in rows] != [str(number) for number in range(len(cells))]:
            self._break(f"{batch['id']} has other rows than its input")
            return
        for row, cell in zip(rows, cells, strict=True):
            expected = "" if cell == BAD else str(promises.expected(float(cell)))
            if row[1] != expected:
                self._break(f"{batch['id']} has {row[1]!r} for {cell}, not {expected!r}")

    def _break(self, how: str) -> None:
        self._ledger.broken.append(how)
