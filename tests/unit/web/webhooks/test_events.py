"""The end of a job is told to the bus and the topic as to a webhook."""

import json
from typing import Any

import pytest

from jobs.webhooks.delivery import id_of
from tests.unit.web.batch_calls import post as post_batch
from tests.unit.web.batch_calls import posted as posted_batch
from tests.unit.web.conftest import NewSite
from tests.unit.web.site import BUNDLES, Site, problem
from tests.unit.web.webhooks.test_webhooks import SECRET, URL, deliveries
from web.webhooks.posting import Answer

TARGETS = {"event_bus": "paygrade", "event_topic": "arn:aws:sns:eu-central-1:123456789012:ends"}


@pytest.fixture
def site(new_site: NewSite) -> Site:
    return new_site(webhook_secrets=f"anonymous:{SECRET}", **TARGETS)


def ended(site: Site, **options: str) -> str:
    """The path of a batch that has ended."""
    path = posted_batch(site, query="?" + "&".join(f"{name}={value}" for name, value in options.items()))
    site.score_batches()
    return path


def test_the_end_of_a_batch_is_an_event_on_the_bus_and_on_the_topic(site: Site) -> None:
    path = ended(site)
    site.send_webhooks()
    resource = site.client.get(path).get_json()
    assert [target for target, _ in site.published] == ["bus", "topic"]
    for target, event in site.published:
        assert (event.type, event.owner) == ("batch.partially_succeeded", "anonymous")
        assert json.loads(event.detail) == {
            "id": f"{id_of(resource['id'])}.{target}",
            "owner": "anonymous",
            "type": event.type,
            "timestamp": resource["finished_at"],
            "data": resource,
        }


def test_a_webhook_is_sent_beside_the_events(site: Site) -> None:
    path = ended(site, webhook=URL)
    site.send_webhooks()
    found = {each["target"]: each for each in deliveries(site, path)}
    assert {target: each["status"] for target, each in found.items()} == {
        "webhook": "delivered",
        "bus": "delivered",
        "topic": "delivered",
    }
    assert (found["webhook"]["url"], found["bus"]["url"]) == (URL, None)
    assert len(site.webhooks) == 1


def test_a_target_that_fails_is_told_again_and_holds_up_nobody(site: Site) -> None:
    site.bus = Answer(error="ThrottlingException")
    path = ended(site, webhook=URL)
    site.send_webhooks()
    webhook, bus, topic = deliveries(site, path)
    assert (webhook["status"], bus["status"], topic["status"]) == ("delivered", "pending", "pending")
    assert bus["attempts"][0]["error"] == "ThrottlingException"
    assert bus["next_attempt_at"] > bus["attempts"][0]["at"]


def test_an_event_is_told_again_on_request_under_its_id(site: Site) -> None:
    path = ended(site)
    site.send_webhooks()
    bus = deliveries(site, path)[0]
    response = site.client.post(bus["urls"]["redeliver"])
    assert (response.status_code, response.get_json()["status"]) == (202, "pending")
    site.send_webhooks()
    ids = [json.loads(event.detail)["id"] for target, event in site.published if target == "bus"]
    assert ids == [bus["id"]] * 2
    problem(site.client.post(f"{path}/deliveries/{bus['id']}x/redeliver"), 404)


def test_a_target_that_is_no_longer_named_waits_for_its_return(site: Site) -> None:
    path = ended(site)
    site.settings = site.settings.model_copy(update={"event_bus": "", "event_topic": ""})
    site.serve(BUNDLES)
    site.send_webhooks()
    assert [each["attempts"][0]["error"] for each in deliveries(site, path)] == ["no_target"] * 2


def test_an_event_that_was_given_up_is_a_dead_letter(site: Site) -> None:
    site.bus = Answer(status=410)
    ended(site)
    site.send_webhooks()
    letters = site.client.get("/v1/dead").get_json()["data"]
    assert {letter["reason"]["type"] for letter in letters} == {"event_not_delivered"}
    site.bus = Answer(status=200)
    for letter in letters:
        assert site.client.post(letter["urls"]["replay"]).status_code == 200
    site.published.clear()
    site.send_webhooks()
    assert len(site.published) == 2
    assert site.client.get("/v1/dead").get_json()["data"] == []


def test_a_retry_is_told_once_of_itself(site: Site) -> None:
    path = ended(site, webhook=URL)
    site.send_webhooks()
    site.published.clear()
    retried = site.client.post(f"{path}/retry", data=b"")
    assert retried.status_code == 202, retried.text
    site.score_batches()
    site.send_webhooks()
    assert [target for target, _ in site.published] == ["bus", "topic"]
    assert [each["target"] for each in deliveries(site, retried.headers["Location"])] == [
        "webhook", "bus", "topic",
    ]  # fmt: skip


def test_deleting_the_job_ends_its_deliveries(site: Site) -> None:
    path = ended(site)
    assert site.client.delete(path).status_code == 204
    site.send_webhooks()
    assert site.published == []
    assert site.redis.keys("delivery:*") == []


def test_a_dry_run_is_told_to_nobody(site: Site) -> None:
    call = site.started(post_batch, site, query="?dry_run=true")
    site.score_batches()
    assert call.get().status_code == 200
    site.send_webhooks()
    assert site.published == []


def predicted(site: Site) -> Any:
    path = f"/v1/predictions/{site.post_years()}"
    site.work()
    site.send_webhooks()
    return deliveries(site, path)


def test_predictions_are_told_only_where_all_jobs_are(site: Site, new_site: NewSite) -> None:
    assert predicted(site) == []
    every = new_site(event_jobs="all", event_bus="paygrade")
    assert [each["status"] for each in predicted(every)] == ["delivered"]
    [(_, event)] = every.published
    assert json.loads(event.detail)["data"]["output"] == {"prediction": 260.00012}
