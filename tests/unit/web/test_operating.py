"""Capacity, the metrics of all processes together, and the log of requests and jobs."""

from typing import Any

import orjson
import pytest
from prometheus_client.parser import text_string_to_metric_families

from jobs.metrics import QUEUE_SECONDS, Metrics
from jobs.predictions.consumer import PredictionConsumer
from jobs.queues.names import EXPLANATIONS
from tests.unit.conftest import living
from tests.unit.web.conftest import NewSite
from tests.unit.web.site import CHILD, Site, problem
from web.keys import digest

BODY = {"inputs": {"years": 2.5}}


def scraped(site: Site, **headers: str) -> dict[str, float]:
    """Samples by name and labels, as in `requests_total{method=GET,…}`."""
    response = site.client.get("/metrics", headers=headers)
    assert response.status_code == 200, response.text
    samples = {}
    for family in text_string_to_metric_families(response.text):
        for sample in family.samples:
            labels = ",".join(f"{name}={value}" for name, value in sorted(sample.labels.items()))
            samples[f"{sample.name}{{{labels}}}".removeprefix("paygrade_")] = sample.value
    return samples


def lines(site: Site, event: str) -> list[dict[str, Any]]:
    site.web.access_log.write()
    logged = [orjson.loads(line) for line in b"".join(site.logged).splitlines()]
    return [line for line in logged if line["event"] == event]


def test_capacity_shows_what_waits_and_who_works(site: Site) -> None:
    site.post({"inputs": [{"years": 1}, {"years": 2}]})
    site.post_years()
    site.consumer.claim(CHILD, "wake_up", 1)
    site.consumer.report_alive(living("host:1:2", pace=500))
    capacity = site.client.get("/v1/capacity").get_json()
    assert 0 <= capacity.pop("oldest_age_seconds") < 60
    assert capacity == {
        "object": "capacity",
        "waiting": 1,
        "rows": 1,
        "claimed": 1,
        "workers": 1,
        "start_seconds": None,
        "children": 1,
        "rows_per_second": 500,
        "releases": ["0.1.0"],
        "accepting": True,
        "batches": {
            "open": 0,
            "waiting": 0,
            "claimed": 0,
            "oldest_age_seconds": 0.0,
            "children": 0,
            "rows_per_second": 0,
        },
    }


def test_a_queued_job_shows_its_position_and_its_eta(site: Site) -> None:
    site.consumer.report_alive(living("host:1:2", pace=10))
    site.post({"inputs": [{"years": 1}] * 24})
    capacity = site.monitor.capacity()
    site.web.watch.capacity = capacity
    response = site.post(BODY)
    assert response.get_json()["queue"] == {"position": 25, "eta_seconds": 2.5}
    assert response.headers["Retry-After"] == "3"


def test_the_eta_of_a_list_is_that_of_its_last_row(site: Site) -> None:
    site.consumer.report_alive(living("host:1:2", pace=10))
    site.web.watch.capacity = site.monitor.capacity()
    response = site.post({"inputs": [{"years": 1}] * 24})
    assert response.get_json()["queue"] == {"position": 1, "eta_seconds": 2.4}
    assert response.headers["Retry-After"] == "3"
    assert site.show(response.get_json()["id"]) == response.get_json()


def test_an_explained_job_has_a_position_in_its_own_queue_at_its_own_rate(site: Site) -> None:
    site.consumer.report_alive(living("host:1:2", pace=1_000))
    explaining = PredictionConsumer(site.redis, site.settings, EXPLANATIONS)
    explaining.report_alive(living("host:1:2", pace=4))
    site.web.watch.capacity = site.monitor.capacity()
    explained = {"inputs": [{"years": 1}] * 2, "explain": True}
    site.post({"inputs": [{"years": 1}] * 24})
    first, second = site.post(explained).get_json(), site.post(explained).get_json()
    assert second["queue"] == {"position": 3, "eta_seconds": 1.0}
    assert site.show(second["id"])["queue"] == second["queue"]
    site.cancel(first["id"])
    assert site.show(second["id"])["queue"] == {"position": 1, "eta_seconds": 0.5}
    assert site.post(BODY).get_json()["queue"] == {"position": 25, "eta_seconds": 0.025}


def test_a_full_queue_says_when_it_should_have_room(new_site: NewSite) -> None:
    site = new_site(max_waiting=1)
    site.consumer.report_alive(living("host:1:2", pace=10))
    site.post({"inputs": [{"years": 1}] * 1000})
    site.web.watch.capacity = site.monitor.capacity()
    site.web.watch.accepting = False
    refused = site.post(BODY)
    problem(refused, 503)
    assert refused.headers["Retry-After"] == "10"
    assert site.client.get("/v1/capacity").get_json()["accepting"] is False


def test_metrics_count_requests_by_route_and_status(site: Site) -> None:
    site.post_years()
    site.post({"inputs": {}})
    site.client.get("/v1/predictions/x")
    site.client.open("/telltale", method="TELLTALE")
    samples = scraped(site)
    requests = {name: value for name, value in samples.items() if name.startswith("requests_total")}
    assert requests == {
        "requests_total{method=POST,route=/v1/predictions,status=202}": 1,
        "requests_total{method=POST,route=/v1/predictions,status=422}": 1,
        "requests_total{method=GET,route=/v1/predictions/<job_id>,status=404}": 1,
        "requests_total{method=none,route=none,status=404}": 1,
    }
    assert samples["request_seconds_count{route=/v1/predictions}"] == 2


def test_metrics_follow_jobs_through_their_lives(site: Site) -> None:
    site.cancel(site.post_years())
    site.hire()
    site.post(BODY, Prefer="wait=5")
    samples = scraped(site)
    assert samples["jobs_ended_total{kind=predictions,model=salary@1,status=canceled}"] == 1
    assert samples["jobs_ended_total{kind=predictions,model=salary@1,status=succeeded}"] == 1
    assert samples["attempts_total{attempt=1,queue=predictions}"] == 1
    assert samples["wake_ups_total{queue=predictions}"] == 1
    assert samples["microbatch_rows_bucket{le=1.0,model=salary@1}"] == 1
    for name in ("queue_wait_seconds", "run_seconds"):
        assert samples[f"{name}_count{{model=salary@1}}"] == 1
        assert samples[f"{name}_bucket{{le=+Inf,model=salary@1}}"] == 1
        assert 0 < samples[f"{name}_sum{{model=salary@1}}"] < 60
    assert (samples["jobs_waiting{}"], samples["accepting{}"], samples["web_processes{}"]) == (0, 1, 1)


def test_metrics_follow_batches_row_by_row(site: Site) -> None:
    for _ in range(2):
        body = "years\n2.5\nmany\n12.5\n"
        assert site.client.post("/v1/batches", data=body, content_type="text/csv").status_code == 202
    samples = scraped(site)
    assert (samples["batches_open{}"], samples["chunks_waiting{}"], samples["chunks_claimed{}"]) == (2, 2, 0)
    site.score_batches()
    samples = scraped(site)
    assert samples["jobs_ended_total{kind=batches,model=salary@1,status=partially_succeeded}"] == 2
    assert samples["batch_rows_total{model=salary@1,status=succeeded}"] == 4
    assert samples["batch_rows_total{model=salary@1,status=failed}"] == 2
    assert samples["chunk_run_seconds_count{model=salary@1}"] == 2
    assert samples["batches_open{}"] == samples["chunks_waiting{}"] == 0


def test_metrics_of_all_processes_are_added_up(site: Site) -> None:
    for seconds in (0.002, 0.2):
        other = Metrics(site.redis)
        other.observe(QUEUE_SECONDS, [seconds], "salary@1")
        other.flush()
    samples = scraped(site)
    assert samples["queue_wait_seconds_bucket{le=0.0025,model=salary@1}"] == 1
    assert samples["queue_wait_seconds_bucket{le=0.25,model=salary@1}"] == 2
    assert samples["queue_wait_seconds_sum{model=salary@1}"] == pytest.approx(0.202)


def test_counts_that_could_not_be_flushed_are_flushed_later(site: Site) -> None:
    site.post_years()
    site.redis.failure = ConnectionError()
    problem(site.client.get("/metrics"), 503)
    site.redis.failure = None
    assert scraped(site)["requests_total{method=POST,route=/v1/predictions,status=202}"] == 1


def test_metrics_are_for_operators(new_site: NewSite) -> None:
    site = new_site(keys=f"ada:{digest('a')},ops:{digest('o')}:operate")
    problem(site.client.get("/metrics"), 401)
    problem(site.client.get("/metrics", headers={"X-API-Key": "a"}), 403)
    assert "workers{}" in scraped(site, **{"X-API-Key": "o"})
    assert site.client.get("/v1/capacity", headers={"X-API-Key": "a"}).status_code == 200


def test_the_log_follows_a_job(site: Site) -> None:
    site.hire()
    answered = site.post(BODY, Prefer="wait=5", X_Request_ID="call-1")
    job_id = answered.get_json()["id"]
    [accepted], [scored], [recorded], [answer] = (
        lines(site, event) for event in ("accepted", "scored", "recorded", "answered")
    )
    assert (accepted["request_id"], accepted["job_id"], accepted["rows"]) == ("call-1", job_id, 1)
    assert (scored["model"], scored["jobs"], scored["rows"]) == ("salary@1", 1, 1)
    assert (recorded["job_id"], recorded["status"], recorded["attempt"]) == (job_id, "succeeded", 1)
    assert (answer["request_id"], answer["job_id"], answer["status"]) == ("call-1", job_id, 200)
    assert answer["route"] == "/v1/predictions"


def test_a_replayed_request_is_not_accepted_again(site: Site) -> None:
    first, again = (site.post(BODY, Idempotency_Key="order-1").get_json()["id"] for _ in range(2))
    assert [line["job_id"] for line in lines(site, "accepted")] == [first]
    assert [line["job_id"] for line in lines(site, "answered")] == [first, again]


def test_routes_that_machines_poll_are_not_logged(site: Site) -> None:
    for path in ("/healthz", "/readyz", "/metrics"):
        site.client.get(path)
    site.web.access_log.write()
    assert site.logged == []
