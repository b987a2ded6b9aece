"""What became of all that was promised."""

import io
import json
from collections import Counter
from collections.abc import Iterator
from math import isclose, nan
from typing import Any

import requests
from pyarrow import csv, parquet

from tests.chaos.ledger import FINAL, ChaosLedger, Posted
from tests.chaos.town import Town
from tests.integration.models import LADDER, STEPS, score_in_process
from tests.integration.service import wait_until

ATTEMPTS = 3

Broken = tuple[str, str]
"""The promise, and how it is broken."""


class Judge:
    """Reads every job once more, and compares each row with XGBoost's own score."""

    def __init__(self, town: Town, ledger: ChaosLedger, harms: int) -> None:
        self._town = town
        self._ledger = ledger
        self._harms = harms
        steps = [{"step": step} for step in range(STEPS)]
        self._scores = score_in_process(steps, town.bundles, LADDER)

    def broken(self) -> Iterator[Broken]:
        yield from (("wrong", text) for text in self._ledger.dishonest)
        for posted in self._ledger.posted:
            if len(posted.ids) > 1:
                yield "doubled", f"{posted.tag} became {sorted(posted.ids)}"
            for job_id in posted.ids:
                yield from self._judge(posted, job_id)
        yield from (("changed", text) for text in self._ledger.changed)
        yield from self._unasked()

    def _judge(self, posted: Posted, job_id: str) -> Iterator[Broken]:
        answer = self._get(f"{posted.path.partition('?')[0]}/{job_id}")
        if answer.status_code in (404, 410):
            if not posted.may_be_gone:
                yield "lost", f"{job_id} ({posted.tag}) is {answer.status_code}"
            return
        resource = answer.json()
        self._ledger.note(posted, resource)
        status, why = resource["status"], f"{posted.tag}: {job_id}: {resource.get('error')}"
        if status not in FINAL:
            yield "stuck", why
        elif status == "succeeded":
            found = self._results(resource) if posted.is_batch else _outputs(posted, resource)
            if text := self._difference(posted, found):
                yield "wrong", f"{job_id} ({posted.tag}): {text}"
        elif not self._may_have_ended_so(posted, resource):
            yield "lost", why

    def _may_have_ended_so(self, posted: Posted, resource: Any) -> bool:
        if resource["status"] == "canceled":
            return posted.may_be_canceled
        if posted.is_batch:
            error = resource["error"] or {"type": "", "detail": ""}
            return error["type"] == "out_of_memory" or "needs more memory" in error["detail"]
        return "worker_lost" in json.dumps(resource) and self._harms >= ATTEMPTS

    def _difference(self, posted: Posted, found: list[Any]) -> str:
        numbers = range(posted.first, posted.first + posted.rows)
        expected = [self._scores[number % STEPS] for number in numbers]
        if len(found) != len(expected):
            return f"{len(found)} rows instead of {len(expected)}"
        differ = [row for row, (one, other) in enumerate(zip(found, expected, strict=True)) if one != other]
        if not differ:
            return ""
        row = differ[0]
        return f"{len(differ)} rows, the first is {row}: {found[row]} instead of {expected[row]}"

    def _results(self, batch: Any) -> list[Any]:
        """Of several files those of one after the other."""
        path, files = batch["urls"]["results"], range(batch.get("files", {}).get("total", 0))
        paths = [f"{path}?file={number}" for number in files] or [path]
        return [score for each in paths for score in self._scores_in(each, batch["results"])]

    def _scores_in(self, path: str, kind: str) -> list[Any]:
        data = self._get(path).content
        match kind:
            case "ndjson":
                return [json.loads(line)["prediction"] for line in data.splitlines()]
            case "parquet":
                column = parquet.read_table(io.BytesIO(data))["prediction"]
            case _:
                column = csv.read_csv(io.BytesIO(data))["prediction"]
        return [float(str(score.as_py())) for score in column]

    def _unasked(self) -> Iterator[Broken]:
        """Jobs that are there twice, or that no caller wants."""
        tags: Counter[str] = Counter()
        known = {job_id for posted in self._ledger.posted for job_id in posted.ids}
        for key in self._town.redis.scan_iter("job:*", count=1_000):
            prefix, _, job_id = key.partition(":")
            if prefix == "job" and ":" not in job_id and job_id not in known:
                yield from self._stranger(job_id, tags)

    def _stranger(self, job_id: str, tags: Counter[str]) -> Iterator[Broken]:
        kind = "batches" if job_id.startswith("batch_") else "predictions"
        answer = self._get(f"/v1/{kind}/{job_id}")
        tag = answer.json().get("metadata", {}).get("tag")
        wanted = next((posted for posted in self._ledger.posted if posted.tag == tag), None)
        if kind == "batches" or (wanted and (wanted.ids or tags[wanted.tag])):
            yield "doubled", f"{job_id} ({tag}) is there, and {wanted and wanted.ids} too"
        if wanted:
            tags[wanted.tag] += 1

    def _get(self, path: str) -> requests.Response:
        def answers() -> list[requests.Response]:
            answer = requests.get(self._town.address + path, timeout=60)
            return [] if answer.status_code == 503 else [answer]

        [answer] = wait_until(f"GET {path} is answered", answers)
        return answer


def _outputs(posted: Posted, resource: Any) -> list[Any]:
    outputs = resource["outputs"] if posted.is_list else [resource["output"]]
    return [_prediction(output, posted.explain) for output in outputs]


def _prediction(output: Any, explain: bool) -> float | None:
    """None if it lacks an explanation, or has one that does not add up to it."""
    prediction: float = output["prediction"]
    if not explain:
        return prediction
    explained = sum(output.get("contributions", {}).values()) + output.get("base", nan)
    return prediction if isclose(explained, prediction, abs_tol=0.01) else None
