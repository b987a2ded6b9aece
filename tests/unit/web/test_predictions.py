"""GET and cancel, for each status of a job and for unknown and expired ids."""

import time

import pytest

from tests.unit.web.conftest import NewSite
from tests.unit.web.site import Site, problem

HOUR = 3_600_000
KNOWN = "01890a5d-ac96-774b-bcce-b302099a8057"


def id_made(milliseconds_ago: int) -> str:
    made = f"{int(time.time() * 1000) - milliseconds_ago:012x}"
    return f"pred_{made[:8]}-{made[8:]}-7000-8000-000000000000"


@pytest.mark.parametrize(
    "job_id",
    [
        "x",
        "pred_",
        "pred_x",
        KNOWN,
        f"batch_{KNOWN}",
        f"PRED_{KNOWN}",
        f"pred_{KNOWN.upper()}",
        f"pred_{KNOWN.replace('-', '')}",
        f"pred_{{{KNOWN}}}",
        f"pred_urn:uuid:{KNOWN}",
        f"pred_{KNOWN.replace('-7', '-4')}",
        f"pred_{KNOWN}%20",
        f"pred_{KNOWN}%0A",
        f"%70red_{KNOWN[:-1]}%EF%BC%97",
        "pred_" + "0" * 5000,
        "%00",
        "%FF%FE",
        "%ED%A0%80",
        "..",
    ],
    ids=lambda job_id: job_id[:20],
)
def test_a_malformed_id_is_not_found(site: Site, job_id: str) -> None:
    for method, path in (("GET", ""), ("GET", "?wait=20"), ("POST", "/cancel")):
        problem(site.client.open(f"/v1/predictions/{job_id}{path}", method=method), 404)
    assert site.is_untouched()


@pytest.mark.parametrize(
    ("age", "status"), [(0, 404), (5 * HOUR, 404), (-HOUR, 404), (7 * HOUR, 410), (20_000 * HOUR, 410)]
)
def test_an_absent_job_is_gone_if_its_id_is_old_and_unknown_otherwise(
    site: Site, age: int, status: int
) -> None:
    path = f"/v1/predictions/{id_made(age)}"
    problem(site.client.get(path), status)
    problem(site.client.get(f"{path}?wait=20"), status)
    problem(site.client.post(f"{path}/cancel"), status)


def test_a_queued_job_stays_canceled(site: Site) -> None:
    job_id = site.post_years()
    first, again = (site.client.post(f"/v1/predictions/{job_id}/cancel") for _ in range(2))
    site.work()
    assert (first.status_code, again.status_code) == (200, 200)
    assert first.get_json() == again.get_json() == site.show(job_id)
    assert first.get_json()["status"] == "canceled"
    assert first.get_json()["output"] is None


def test_a_running_job_and_an_ended_one_cannot_be_canceled(site: Site) -> None:
    running = site.post_years()
    site.consumer.claim("child", "wake_up", rows=1)
    problem(site.client.post(f"/v1/predictions/{running}/cancel"), 409)
    assert site.show(running)["status"] == "running"
    ended = site.post_years()
    site.work()
    problem(site.client.post(f"/v1/predictions/{ended}/cancel"), 409)
    assert site.show(ended)["status"] == "succeeded"


def test_responses_are_never_cached_and_have_retry_after_until_the_end(site: Site) -> None:
    path = f"/v1/predictions/{site.post_years()}"
    queued = site.client.get(path)
    site.work()
    ended = site.client.get(path)
    assert queued.headers["Cache-Control"] == ended.headers["Cache-Control"] == "no-store"
    assert queued.headers["Retry-After"] == "5"
    assert "Retry-After" not in ended.headers


def test_a_job_removed_after_it_ended_is_not_found(new_site: NewSite) -> None:
    site = new_site(retention_seconds=60)
    job_id = site.post_years()
    site.work()
    assert 0 < site.redis.pttl(f"job:{job_id}") <= 60_000
    site.redis.delete(f"job:{job_id}")
    problem(site.client.get(f"/v1/predictions/{job_id}"), 404)


def test_the_article_is_answered_by_its_own_model_only(site: Site) -> None:
    site.hire()
    answer = site.client.post("/recms", json={"years": 2.5})
    assert answer.mimetype == "application/json"
    assert answer.data == b'{"salary":"260.00012"}'
    problem(site.client.post("/recms", json={"model": "salary", "years": 2.5}), 422)
