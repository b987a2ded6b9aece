"""How one salary is predicted, in the order in which the job travels: web, queue, worker, web."""

from collections.abc import Iterator

import pytest

from tests.unit.conftest import living
from tests.unit.web.site import CHILD, Site


@pytest.fixture
def site() -> Iterator[Site]:
    site = Site()
    yield site
    site.close()


def test_a_salary_is_posted_queued_scored_and_read(site: Site) -> None:
    site.consumer.report_alive(living(CHILD))

    # POST: the row is checked, the job is recorded and queued in one step, and only then answered.
    accepted = site.client.post("/v1/predictions", json={"model": "salary", "inputs": {"years": 2.5}})
    assert accepted.status_code == 202
    location, job = accepted.headers["Location"], accepted.get_json()
    assert location == job["urls"]["self"] == f"/v1/predictions/{job['id']}"
    assert (job["status"], job["output"]) == ("queued", None)
    assert site.redis.hget(f"job:{job['id']}", "inputs") == b"[2.5]"
    assert site.queued() == 1

    # The wake-up carries no job: the worker claims from the queue, scores, and records.
    [wake_up] = site.wake_ups
    site.worker.answer(wake_up)
    assert site.queued() == 0
    assert site.redis.hget(f"job:{job['id']}", "inputs") is None

    # GET: what the record says.
    found = site.client.get(location)
    assert found.status_code == 200
    assert found.get_json()["status"] == "succeeded"
    assert b'"output":{"prediction":260.00012}' in found.data


@pytest.mark.parametrize(
    ("years", "salary"), [("2.5", "260.00012"), ("4.5", "374.99866"), ("12.5", "749.99884")]
)
def test_the_articles_call_gives_the_articles_figures(site: Site, years: str, salary: str) -> None:
    site.hire()
    answer = site.client.post("/recms", json={"years": years})
    assert (answer.status_code, answer.get_json()) == (200, {"salary": salary})
