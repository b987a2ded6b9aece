"""A job with a webhook: its receiver is told how it ended, and its caller sees each attempt."""

from collections.abc import Callable
from typing import Any

import gevent
import orjson
import pytest
import redis
from standardwebhooks import Webhook
from werkzeug.test import TestResponse

from jobs.metrics import Metrics
from jobs.settings import Settings
from jobs.supervision import Supervisor
from tests.unit.web.batch_calls import post as post_batch
from tests.unit.web.batch_calls import posted as posted_batch
from tests.unit.web.site import BUNDLES, Site, problem
from web.keys import digest
from web.webhooks.payload import LONGEST_OUTPUTS
from web.webhooks.posting import Answer

SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
URL = "https://hooks.example.com/paygrade"
NewSite = Callable[..., Site]


@pytest.fixture
def site(new_site: NewSite) -> Site:
    return new_site(webhook_secrets=f"anonymous:{SECRET}")


def ended(site: Site, **body: Any) -> str:
    """The path of a prediction with a webhook that has been scored."""
    response = site.post({"inputs": {"years": 2.5}, "webhook": URL, **body})
    assert response.status_code == 202, response.text
    site.work()
    return str(response.headers["Location"])


def told(site: Site) -> dict[str, Any]:
    """The only webhook that was sent, after its receiver has verified it."""
    [(_, headers, body)] = site.webhooks
    payload: dict[str, Any] = Webhook(SECRET).verify(body, headers)
    return payload


def deliveries(site: Site, path: str) -> list[dict[str, Any]]:
    response = site.client.get(f"{path}/deliveries")
    assert response.status_code == 200, response.text
    found: list[dict[str, Any]] = response.get_json()["data"]
    return found


def test_the_receiver_gets_the_resource_of_the_prediction(site: Site) -> None:
    path = ended(site)
    site.send_webhooks()
    payload, resource = told(site), site.client.get(path).get_json()
    assert payload == {
        "type": "prediction.succeeded",
        "timestamp": resource["finished_at"],
        "data": resource,
    }
    [(url, headers, _)] = site.webhooks
    assert (url, headers["webhook-id"]) == (URL, f"msg_{resource['id']}")


def test_long_outputs_are_omitted_and_that_is_said(site: Site) -> None:
    rows = [{"years": 2.5}] * 1_000
    path = ended(site, inputs=rows)
    assert len(orjson.dumps(site.client.get(path).get_json()["outputs"])) > LONGEST_OUTPUTS
    site.send_webhooks()
    payload = told(site)
    assert payload["omitted"] == ["outputs"]
    assert payload["data"]["output"] is None


def test_a_batch_has_a_webhook_too(site: Site) -> None:
    path = posted_batch(site, query=f"?webhook={URL}")
    site.score_batches()
    site.send_webhooks()
    assert told(site)["type"] == "batch.partially_succeeded"
    assert told(site)["data"] == site.client.get(path).get_json()
    assert deliveries(site, path)[0]["status"] == "delivered"


def test_each_attempt_is_in_the_log_of_the_delivery(site: Site) -> None:
    path = ended(site)
    site.receiver = Answer(status=500)
    site.send_webhooks()
    [delivery] = deliveries(site, path)
    assert delivery["status"] == "pending"
    assert [attempt["status"] for attempt in delivery["attempts"]] == [500]
    assert delivery["next_attempt_at"] > delivery["attempts"][0]["at"]


def test_a_job_has_no_delivery_before_its_end_or_without_a_webhook(site: Site) -> None:
    waiting = site.post({"inputs": {"years": 2.5}, "webhook": URL}).headers["Location"]
    without = f"/v1/predictions/{site.post_years()}"
    assert deliveries(site, waiting) == deliveries(site, without) == []


def test_a_webhook_is_sent_again_on_request_under_its_id(site: Site) -> None:
    path = ended(site)
    site.receiver = Answer(status=410)
    site.send_webhooks()
    [delivery] = deliveries(site, path)
    assert (delivery["status"], delivery["next_attempt_at"]) == ("given_up", None)
    site.receiver = Answer(status=200)
    response = site.client.post(delivery["urls"]["redeliver"])
    assert (response.status_code, response.get_json()["status"]) == (202, "pending")
    site.send_webhooks()
    assert deliveries(site, path)[0]["status"] == "delivered"
    first, second = (headers["webhook-id"] for _, headers, _ in site.webhooks)
    assert first == second


def test_another_delivery_cannot_be_sent_again(site: Site) -> None:
    path = ended(site)
    problem(site.client.post(f"{path}/deliveries/msg_none/redeliver"), 404)
    without = f"/v1/predictions/{site.post_years()}"
    job_id = without.rpartition("/")[2]
    problem(site.client.post(f"{without}/deliveries/msg_{job_id}/redeliver"), 404)


def test_deliveries_are_hidden_from_other_owners(new_site: NewSite) -> None:
    keys = f"ada:{digest('of ada')},bob:{digest('of bob')}"
    site = new_site(keys=keys, webhook_secrets=f"ada:{SECRET}")
    body = {"inputs": {"years": 2.5}, "webhook": URL}
    path = site.post(body, X_API_Key="of ada").headers["Location"]
    problem(site.client.get(f"{path}/deliveries", headers={"X-API-Key": "of bob"}), 404)
    refused = problem(site.post(body, X_API_Key="of bob"), 422)
    assert "PAYGRADE_WEBHOOK_SECRETS" in refused["errors"][0]["detail"]


@pytest.mark.parametrize("url", ["http://hooks.example.com", "https://user@hooks.example.com", "nowhere"])
def test_a_receiver_that_is_not_allowed_is_refused(site: Site, url: str) -> None:
    assert fault_of(site.post({"inputs": {"years": 2.5}, "webhook": url})) == "/webhook"
    assert fault_of(post_batch(site, query=f"?webhook={url}")) == "/webhook"
    assert site.is_untouched()


def fault_of(response: TestResponse) -> str:
    [fault] = problem(response, 422)["errors"]
    return str(fault["pointer"])


def test_a_job_that_has_expired_is_told_with_its_id_and_status(site: Site) -> None:
    path = ended(site)
    job_id = path.rpartition("/")[2]
    site.redis.delete(f"job:{job_id}")
    site.send_webhooks()
    payload = told(site)
    assert payload["data"] == {"id": job_id, "object": "prediction", "status": "succeeded"}
    assert payload["omitted"]


def test_without_a_secret_nothing_is_sent_and_it_is_tried_again(site: Site) -> None:
    path = ended(site)
    site.settings = Settings(bundles=str(BUNDLES))
    site.serve(BUNDLES)
    site.send_webhooks()
    assert site.webhooks == []
    assert deliveries(site, path)[0]["attempts"][0]["error"] == "no_secret"


def test_attempts_are_counted_and_logged_without_url_or_payload(
    site: Site, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO", "web.webhooks.sender")
    ended(site)
    site.send_webhooks()
    metrics = site.client.get("/metrics").text
    assert 'paygrade_webhook_attempts_total{result="204"} 1.0' in metrics
    assert 'paygrade_webhooks_ended_total{outcome="delivered"} 1.0' in metrics
    assert "paygrade_webhooks_pending 0.0" in metrics
    [record] = caplog.records
    assert record.message == "webhook_attempted"
    assert "example.com" not in str(record.__dict__)
    assert "260.00012" not in str(record.__dict__)


def test_deleting_the_job_ends_its_delivery(site: Site) -> None:
    path = ended(site)
    assert site.client.delete(path).status_code == 204
    site.send_webhooks()
    assert site.webhooks == []


def test_while_the_outbox_cannot_be_read_one_line_is_logged_and_then_all_is_sent(
    site: Site, caplog: pytest.LogCaptureFixture
) -> None:
    ended(site)
    site.redis.failure = redis.ConnectionError("away")
    pauses: list[float] = []

    def pause(seconds: float) -> None:
        pauses.append(seconds)
        if len(pauses) == 5:
            site.redis.failure = None

    supervisor = Supervisor(Metrics(site.redis), sleep=pause)
    sending = gevent.spawn(supervisor.keep, "webhooks", site.web.webhooks.run)
    with gevent.Timeout(60):
        while not site.webhooks:
            gevent.sleep(0.01)
        site.web.webhooks.stop()
        sending.join()
    assert [record.message for record in caplog.records if record.levelname != "INFO"] == [
        "store_unavailable"
    ]
