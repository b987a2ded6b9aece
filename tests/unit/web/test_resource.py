"""The resource of a prediction, member by member, in every status."""

import re
from typing import Any

import orjson
import pytest

from jobs.predictions.consumer import Outcome
from jobs.predictions.status import PredictionStatus
from tests.unit.web.site import CHILD, Site

TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z")
SHA256 = "c176bdea49324a06b5ba0849cfc68966ce80a9ccf749fd815fd4943a9ee8bc45"
FAILED = b'{"error":{"type":"not_scored","detail":"why"}}'
SCORED = b'{"prediction":0.1}'
REASON = b'{"type":"worker_lost","detail":"why"}'
ONE, TWO = {"years": 1}, [{"years": 1}, {"years": 2}]


def expected(job: Any, **changed: Any) -> dict[str, Any]:
    return {
        "id": job["id"],
        "object": "prediction",
        "status": "queued",
        "model": {"name": "salary", "version": 1, "sha256": SHA256},
        "created_at": job["created_at"],
        "started_at": None,
        "finished_at": None,
        "deadline_at": None,
        "expires_at": None,
        "output": None,
        "error": None,
        "metadata": {"any": "text"},
        "urls": {"self": f"/v1/predictions/{job['id']}", "cancel": f"/v1/predictions/{job['id']}/cancel"},
        **changed,
    }


def accepted(site: Site, inputs: Any) -> Any:
    job = site.post({"inputs": inputs, "metadata": {"any": "text"}}).get_json()
    assert TIME.fullmatch(job["created_at"])
    assert job == expected(job, queue={"position": 1, "eta_seconds": None})
    assert list(job)[:9] + list(job)[10:] == list(expected(job))
    return job


def ended(
    site: Site, inputs: Any, status: PredictionStatus, outputs: bytes = b"", error: bytes = b""
) -> tuple[Any, Any]:
    """The resource as shown, and as expected except for its outcome."""
    job = accepted(site, inputs)
    [claim] = site.consumer.claim(CHILD, "wake_up", rows=10)
    assert len(site.consumer.record([Outcome(claim, status, outputs, error)])) == 1
    shown = site.show(job["id"])
    times = {name: shown[name] for name in ("started_at", "finished_at", "expires_at")}
    assert all(TIME.fullmatch(time) for time in times.values())
    assert job["created_at"] <= shown["started_at"] <= shown["finished_at"] < shown["expires_at"]
    return shown, expected(job, status=status, **times)


def test_the_accepted_job_is_shown_as_it_is_read(site: Site) -> None:
    job = accepted(site, ONE)
    assert site.show(job["id"]) == job


def test_running_it_has_started(site: Site) -> None:
    job = accepted(site, ONE)
    site.consumer.claim(CHILD, "wake_up", rows=10)
    shown = site.show(job["id"])
    assert TIME.fullmatch(shown["started_at"])
    assert shown == expected(job, status="running", started_at=shown["started_at"])


def test_one_row_has_an_output(site: Site) -> None:
    shown, should = ended(site, ONE, PredictionStatus.SUCCEEDED, SCORED)
    assert shown == {**should, "output": {"prediction": 0.1}}


@pytest.mark.parametrize(
    ("status", "outputs", "error"),
    [
        (PredictionStatus.SUCCEEDED, [SCORED, SCORED], b""),
        (PredictionStatus.PARTIALLY_SUCCEEDED, [FAILED, SCORED], b""),
        (PredictionStatus.FAILED, [FAILED, FAILED], REASON),
    ],
)
def test_a_list_has_outputs_in_order(
    site: Site, status: PredictionStatus, outputs: list[bytes], error: bytes
) -> None:
    shown, should = ended(site, TWO, status, b"[%b]" % b",".join(outputs), error)
    del should["output"]
    should["error"] = orjson.loads(error) if error else None
    assert shown == {**should, "outputs": [orjson.loads(output) for output in outputs]}


@pytest.mark.parametrize("inputs", [ONE, TWO])
def test_a_failed_job_shows_the_reason(site: Site, inputs: Any) -> None:
    shown, should = ended(site, inputs, PredictionStatus.FAILED, error=REASON)
    assert shown == {**should, "error": {"type": "worker_lost", "detail": "why"}}


def test_a_score_keeps_its_recorded_digits(site: Site) -> None:
    job_id = accepted(site, ONE)["id"]
    [claim] = site.consumer.claim(CHILD, "wake_up", rows=10)
    site.consumer.record([Outcome(claim, PredictionStatus.SUCCEEDED, b'{"prediction":1.10e+20}')])
    assert b'"output":{"prediction":1.10e+20}' in site.client.get(f"/v1/predictions/{job_id}").data


def test_a_list_of_one_row_is_a_list(site: Site) -> None:
    job = accepted(site, [{"years": 2.5}])
    site.work()
    assert site.show(job["id"])["outputs"] == [{"prediction": 260.00012}]
