"""The whole story of a salary, in the order in which its data goes: web, line, worker, web."""

from collections.abc import Iterator

import pytest

from tests.unit.conftest import living
from tests.unit.web.site import CHILD, Site


@pytest.fixture
def site() -> Iterator[Site]:
    site = Site()
    yield site
    site.close()


def test_a_salary_is_posted_waits_in_the_line_is_scored_and_read(site: Site) -> None:
    site.consumer.live(living(CHILD))

    # POST: checked against the schema, recorded and put into the line, and only then answered.
    accepted = site.client.post("/v1/predictions", json={"model": "salary", "inputs": {"years": 2.5}})
    assert accepted.status_code == 202
    place, job = accepted.headers["Location"], accepted.get_json()
    assert place == job["urls"]["self"] == f"/v1/predictions/{job['id']}"
    assert (job["status"], job["output"]) == ("queued", None)
    assert site.redis.hget(f"job:{job['id']}", "inputs") == b"[2.5]"
    assert site.queued() == 1

    # The wake_up carries no job: the worker claims from the line, scores, and records.
    [wake_up] = site.wake_ups
    site.worker.answer(wake_up)
    assert site.queued() == 0
    assert site.redis.hget(f"job:{job['id']}", "inputs") is None

    # GET: the record, as callers see it.
    found = site.client.get(place)
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
