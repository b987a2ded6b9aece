"""A batch can be followed through the log, from its request to its end."""

import logging
from typing import Any

import orjson
import pytest

from tests.unit.web.batch_calls import posted
from tests.unit.web.site import Site

FIELDS = {
    "request_id",
    "job_id",
    "owner",
    "model",
    "bytes",
    "status",
    "rows",
    "failed",
    "waited_ms",
    "ran_ms",
}


def logged(caplog: pytest.LogCaptureFixture, event: str) -> dict[str, Any]:
    [record] = [record for record in caplog.records if record.msg == event]
    return {name: value for name, value in record.__dict__.items() if name in FIELDS}


def answered(site: Site) -> list[dict[str, Any]]:
    site.web.access_log.write()
    return [line for lines in site.logged for line in map(orjson.loads, lines.splitlines())]


def test_a_batch_is_logged_when_it_is_accepted_and_when_it_ends(
    site: Site, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    table = b"years\n2.5\nmany\n"
    job_id = posted(site, table, X_Request_ID="mine").rpartition("/")[2]
    known = {"job_id": job_id, "owner": "anonymous", "model": "salary@1"}
    assert logged(caplog, "accepted") == {**known, "request_id": "mine", "bytes": len(table)}
    site.score_batches()
    ended = logged(caplog, "ended")
    assert min(ended.pop("waited_ms"), ended.pop("ran_ms")) >= 0
    assert ended == {**known, "status": "partially_succeeded", "rows": 2, "failed": 1}


def test_every_request_about_a_batch_is_logged_with_its_id(site: Site) -> None:
    path = posted(site)
    site.score_batches()
    for request in (path, f"{path}/results", f"{path}/errors", f"{path}/deliveries"):
        assert site.client.get(request).status_code == 200
    assert site.client.delete(path).status_code == 204
    assert [line.get("job_id") for line in answered(site)] == [path.rpartition("/")[2]] * 6


def test_an_id_that_a_caller_made_up_is_not_logged(site: Site) -> None:
    for path in ("batch_secret", "batch_secret/results", "batch_secret/deliveries"):
        assert site.client.get(f"/v1/batches/{path}").status_code in (400, 404)
    assert site.client.delete("/v1/batches/batch_secret").status_code in (400, 404)
    assert not [line for line in answered(site) if "job_id" in line]
