"""Callers who wait for a batch: woken by the message of its end, and never left without a response."""

import gzip

import pytest

from tests.unit.web.batch_calls import CSV, post, posted, publish_end
from tests.unit.web.conftest import NewSite
from tests.unit.web.site import Site, problem
from web import waiting


@pytest.mark.usefixtures("no_polling")
def test_the_message_of_its_end_wakes_the_caller(site: Site) -> None:
    path = posted(site, b"years\n2.5\n")
    waits = site.started(site.client.get, f"{path}?wait=10")
    site.score_batches()
    publish_end(site, path.rpartition("/")[2])
    assert waits.get(timeout=5).get_json()["status"] == "succeeded"


def test_a_lost_message_is_made_up_for_by_reading_again(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(waiting, "READ_AGAIN_EVERY_SECONDS", 0.02)
    path = posted(site)
    site.redis.loses_messages = True
    waits = site.started(site.client.get, f"{path}?wait=25")
    site.score_batches()
    assert waits.get(timeout=5).get_json()["status"] == "partially_succeeded"


def test_a_batch_that_has_ended_is_not_waited_for(site: Site) -> None:
    path = posted(site)
    site.score_batches()
    assert site.client.get(f"{path}?wait=25").get_json()["status"] == "partially_succeeded"


def test_when_the_time_is_over_the_batch_is_shown_as_it_is(site: Site) -> None:
    assert site.client.get(f"{posted(site)}?wait=1").get_json()["status"] == "validating"


@pytest.mark.usefixtures("no_polling")
def test_when_web_stops_readers_get_the_batch_as_it_is(site: Site) -> None:
    waits = site.started(site.client.get, f"{posted(site)}?wait=10")
    site.web.drain()
    response = waits.get(timeout=5)
    assert (response.status_code, response.get_json()["status"]) == (200, "validating")


@pytest.mark.usefixtures("no_polling")
def test_when_web_stops_a_dry_run_is_503_and_leaves_no_batch(site: Site) -> None:
    waits = site.started(post, site, query="?dry_run=true")
    site.web.drain()
    assert "try again" in problem(waits.get(timeout=5), 503)["detail"]
    assert site.jobs() == []


@pytest.mark.usefixtures("no_polling")
@pytest.mark.parametrize("body", [CSV, gzip.compress(CSV.replace(b",", b";"))], ids=["plain", "packed"])
def test_a_dry_run_previews_the_first_rows(site: Site, body: bytes) -> None:
    waits = site.started(post, site, body, query="?dry_run=true")
    site.score_batches()
    [job_id] = site.jobs()
    publish_end(site, job_id)
    response = waits.get(timeout=5)
    assert (response.status_code, response.get_json()["rows"], response.get_json()["failed"]) == (200, 3, 1)
    assert site.jobs() == []


@pytest.mark.usefixtures("no_polling")
def test_who_waits_for_a_batch_counts_among_those_who_wait(
    new_site: NewSite,
) -> None:
    site = new_site(max_waiting_callers=1)
    path = posted(site, b"years\n2.5\n")
    waits = site.started(site.client.get, f"{path}?wait=10")
    assert site.client.get(f"{path}?wait=10").get_json()["status"] == "validating"
    assert site.post({"inputs": {"years": 2.5}}, Prefer="wait=10").status_code == 202
    site.score_batches()
    publish_end(site, path.rpartition("/")[2])
    assert waits.get(timeout=5).get_json()["status"] == "succeeded"
