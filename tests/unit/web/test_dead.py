"""What the service gave up is listed for operators, who replay or drop it."""

from collections.abc import Callable
from typing import Any

import orjson
import pytest

from jobs.batches.consumer import BatchConsumer
from jobs.batches.status import BatchStatus
from jobs.predictions.consumer import Outcome, PredictionConsumer
from jobs.predictions.status import PredictionStatus
from jobs.queues.names import EXPLANATIONS
from tests.unit.conftest import MANY, living
from tests.unit.web.batch_calls import CSV, posted, sweep
from tests.unit.web.site import CHILD, Site, problem
from web.keys import digest
from web.webhooks.posting import Answer

NO_MODEL = orjson.dumps({"type": "model_unavailable", "detail": "no worker could load salary@1"})
INVALID = orjson.dumps({"type": "invalid", "detail": "the row cannot be scored"})
NewSite = Callable[..., Site]


def fail(site: Site, error: bytes = NO_MODEL) -> None:
    """A worker ends everything that waits with this error."""
    claims = site.consumer.claim(CHILD, "wake-up", MANY)
    site.consumer.record([Outcome(claim, PredictionStatus.FAILED, error=error) for claim in claims])


def letters(site: Site) -> list[dict[str, Any]]:
    response = site.client.get("/v1/dead")
    assert response.status_code == 200, response.text
    found: list[dict[str, Any]] = response.get_json()["data"]
    return found


def test_a_job_that_the_service_gave_up_is_a_dead_letter(site: Site) -> None:
    job_id = site.post_years()
    fail(site)
    [letter] = letters(site)
    assert (letter["id"], letter["kind"], letter["owner"]) == (job_id, "prediction", "anonymous")
    assert (letter["reason"], letter["attempts"]) == (orjson.loads(NO_MODEL), 1)
    assert site.client.get(letter["urls"]["self"]).get_json() == letter


def test_a_job_that_its_caller_got_wrong_is_none(site: Site) -> None:
    site.post_years()
    fail(site, INVALID)
    site.cancel(site.post_years())
    assert letters(site) == []


def test_a_replayed_prediction_is_a_new_job_with_the_same_rows(site: Site) -> None:
    body = {"inputs": [{"years": 2.5}, {"years": 4.5}], "metadata": {"for": "ada"}, "explain": True}
    old = site.post(body).get_json()["id"]
    explanations = PredictionConsumer(site.redis, site.settings, EXPLANATIONS)
    claims = explanations.claim(CHILD, "wake-up", MANY)
    explanations.record([Outcome(claims[0], PredictionStatus.FAILED, error=NO_MODEL)])
    new = site.client.post(letters(site)[0]["urls"]["replay"]).get_json()["replayed_as"]
    shown = site.show(new)
    assert (shown["status"], shown["retry_of"], shown["metadata"]) == ("queued", old, {"for": "ada"})
    [claim] = explanations.claim(CHILD, "wake-up", MANY)
    assert (claim.id, claim.rows) == (new, [[2.5], [4.5]])
    assert site.show(old)["status"] == "failed"
    assert letters(site) == []


def test_a_letter_that_is_replayed_twice_is_one_job(site: Site) -> None:
    job_id = site.post_years()
    fail(site)
    first = site.store.retry(job_id)[0]
    replayed = site.client.post(f"/v1/dead/{job_id}/replay").get_json()["replayed_as"]
    assert replayed == first
    problem(site.client.post(f"/v1/dead/{job_id}/replay"), 404)
    assert len(site.consumer.claim(CHILD, "wake-up", MANY)) == 1


def test_a_dropped_letter_leaves_its_job_as_it_is(site: Site) -> None:
    job_id = site.post_years()
    fail(site)
    assert site.client.delete(f"/v1/dead/{job_id}").status_code == 204
    assert letters(site) == []
    assert site.show(job_id)["status"] == "failed"
    problem(site.client.delete(f"/v1/dead/{job_id}"), 404)


def test_a_job_that_has_expired_is_no_letter_any_more(site: Site) -> None:
    job_id = site.post_years()
    fail(site)
    site.redis.delete(f"job:{job_id}")
    assert letters(site) == []
    assert site.redis.zcard("dead") == 0


def test_a_deleted_job_is_no_letter_and_leaves_no_inputs(site: Site) -> None:
    job_id = site.post_years()
    fail(site)
    site.delete(job_id)
    assert letters(site) == []
    problem(site.client.post(f"/v1/dead/{job_id}/replay"), 404)


def test_many_letters_are_listed_newest_first(site: Site) -> None:
    jobs = [site.post_years() for _ in range(150)]
    for _ in jobs:
        claims = site.consumer.claim(CHILD, "wake-up", 1)
        site.consumer.record([Outcome(each, PredictionStatus.FAILED, error=NO_MODEL) for each in claims])
    listed = site.client.get("/v1/dead?limit=100").get_json()["data"]
    assert len(listed) == 100
    assert [each["given_up_at"] for each in listed] == sorted(
        (each["given_up_at"] for each in listed), reverse=True
    )


def test_a_webhook_that_was_given_up_is_a_letter_and_is_sent_again(new_site: NewSite) -> None:
    site = new_site(webhook_secrets="anonymous:whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw")
    job_id = site.post({"inputs": {"years": 2.5}, "webhook": "https://hooks.example.com"}).get_json()["id"]
    site.work()
    site.receiver = Answer(status=410)
    site.send_webhooks()
    [letter] = letters(site)
    assert (letter["kind"], letter["job"], letter["attempts"]) == ("delivery", job_id, 1)
    assert letter["reason"]["detail"] == "the receiver answered 410"
    site.client.post(letter["urls"]["replay"])
    assert letters(site) == []
    site.receiver = Answer(status=204)
    site.send_webhooks()
    assert len(site.webhooks) == 2


def test_a_batch_is_replayed_with_its_file(site: Site) -> None:
    old = posted(site, query="?results=ndjson").rpartition("/")[2]
    give_up_batch(site)
    [letter] = letters(site)
    assert (letter["kind"], letter["reason"]["type"]) == ("batch", "model_unavailable")
    new = site.client.post(letter["urls"]["replay"]).get_json()["replayed_as"]
    assert site.client.delete(f"/v1/batches/{old}").status_code == 204
    sweep(site)
    site.score_batches()
    batch = site.client.get(f"/v1/batches/{new}").get_json()
    assert (batch["retry_of"], batch["counts"]["total"]) == (old, CSV.count(b"\n") - 1)


def give_up_batch(site: Site) -> None:
    """A worker for batches claims the task and fails its batch."""
    consumer = BatchConsumer(site.redis, site.settings)
    consumer.report_alive(living(CHILD))
    task = consumer.claim(CHILD, "wake-up")
    assert task
    consumer.finish(task, BatchStatus.FAILED, NO_MODEL)


def test_letters_are_for_operators(new_site: NewSite) -> None:
    site = new_site(keys=f"ada:{digest('of ada')},ops:{digest('of ops')}:operate")
    problem(site.client.get("/v1/dead", headers={"X-API-Key": "of ada"}), 403)
    assert site.client.get("/v1/dead", headers={"X-API-Key": "of ops"}).status_code == 200


@pytest.mark.parametrize("letter_id", ["pred_none", "msg_", "batch_x", "%00", "é"])
def test_what_is_no_letter_is_not_found(site: Site, letter_id: str) -> None:
    for response in (
        site.client.get(f"/v1/dead/{letter_id}"),
        site.client.post(f"/v1/dead/{letter_id}/replay"),
        site.client.delete(f"/v1/dead/{letter_id}"),
    ):
        problem(response, 404)
