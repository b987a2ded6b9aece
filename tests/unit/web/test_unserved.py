"""Web accepts no job that no worker takes: such a job would wait for ever."""

from typing import Any

import orjson
import pytest
from werkzeug.test import TestResponse

from jobs.errors import InvalidSettings
from jobs.predictions.consumer import Outcome
from jobs.predictions.status import PredictionStatus
from jobs.settings import Settings
from tests.unit.conftest import MANY
from tests.unit.web.batch_calls import CSV, post, posted
from tests.unit.web.conftest import NewSite
from tests.unit.web.site import BUNDLES, CHILD, Site, problem
from web.starting import check_start


@pytest.fixture
def rows_only(new_site: NewSite) -> Site:
    return new_site(queues="predictions")


def with_setting(site: Site, queues: str) -> None:
    """Web is started again with another PAYGRADE_QUEUES."""
    site.settings = site.settings.model_copy(update={"queues": queues})
    site.serve(BUNDLES)


def refused(response: TestResponse) -> str:
    """Why, and that to repeat it is of no use."""
    assert "Retry-After" not in response.headers
    detail: str = problem(response, 501)["detail"]
    return detail


def test_a_file_that_no_worker_scores_is_refused_with_what_to_do(rows_only: Site) -> None:
    for detail in (
        refused(post(rows_only)),
        refused(post(rows_only, query="?dry_run=true")),
        refused(post(rows_only, b'{"rows":[{"years":1}]}', "application/json")),
    ):
        assert "no worker of this service scores files: PAYGRADE_QUEUES is predictions" in detail
        assert "/v1/predictions" in detail
    assert rows_only.is_untouched()
    assert not list(rows_only.files.folders("batches"))
    assert rows_only.client.post("/recms", json={"years": "2.5"}).status_code != 501


def test_a_file_whose_upload_would_be_for_nothing_is_not_begun(aws: Any, new_site: NewSite) -> None:
    site = new_site(queues="predictions", files="s3://salaries/files", direct_files=True)
    assert "scores files" in refused(site.client.post("/v1/uploads", json={"size": len(CSV)}))


def test_what_was_accepted_before_can_be_read_and_ended(site: Site) -> None:
    done = posted(site)
    site.score_batches()
    waiting = posted(site)
    with_setting(site, "predictions")
    assert "scores files" in refused(site.client.post(f"{done}/retry"))
    assert site.client.get("/v1/batches").status_code == 200
    assert site.client.get(f"{done}/results").status_code == 200
    assert site.client.delete(done).status_code == 204
    assert site.client.post(f"{waiting}/cancel").get_json()["status"] == "canceled"


def test_what_the_service_gave_up_is_replayed_only_where_a_worker_takes_it(site: Site) -> None:
    job_id = site.post_years()
    given_up = orjson.dumps({"type": "model_unavailable", "detail": "no worker could load salary@1"})
    claims = site.consumer.claim(CHILD, "wake-up", MANY)
    site.consumer.record([Outcome(claim, PredictionStatus.FAILED, error=given_up) for claim in claims])
    with_setting(site, "batches")
    assert "takes predictions" in refused(site.client.post(f"/v1/dead/{job_id}/replay"))
    assert site.client.post(f"/v1/dead/{job_id[:-1]}x/replay").status_code == 404
    with_setting(site, "predictions")
    assert site.client.post(f"/v1/dead/{job_id}/replay").status_code == 200


def test_a_prediction_that_no_worker_takes_is_refused_too(new_site: NewSite) -> None:
    site = new_site(queues="batches")
    infer = {"inputs": [{"name": "years", "shape": [1], "datatype": "FP64", "data": [2.5]}]}
    for path, body in (
        ("/v1/predictions", {"inputs": {"years": 2.5}}),
        ("/v1/predictions", {"inputs": {"years": 2.5}, "explain": True}),
        ("/recms", {"years": "2.5"}),
        ("/v2/models/salary/infer", infer),
    ):
        detail = refused(site.client.post(path, json=body))
        assert "no worker of this service takes predictions: PAYGRADE_QUEUES is batches" in detail
    assert site.is_untouched()
    assert post(site).status_code == 202


def test_the_page_says_at_once_that_no_file_is_scored(rows_only: Site, new_site: NewSite) -> None:
    page = rows_only.client.get("/score").text
    assert "No worker of this service scores files" in page
    assert "<form" not in page
    assert "<form" in new_site().client.get("/score").text


def test_a_web_that_is_to_make_batches_of_events_does_not_start_without_a_worker_for_them() -> None:
    settings = Settings(queues="predictions", event_queue="https://sqs.eu-central-1.amazonaws.com/1/files")
    with pytest.raises(InvalidSettings, match="PAYGRADE_QUEUES is predictions: no worker would"):
        check_start(settings, "127.0.0.1", 0)
