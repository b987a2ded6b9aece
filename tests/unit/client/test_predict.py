"""Rows in, scores out: one job, whatever happens on the way."""

import json

import pytest

from tests.unit.client.conftest import Paygrade
from tests.unit.client.played_service import (
    CUT,
    DONE,
    QUEUED,
    PlayedAnswer,
    PlayedService,
    prediction,
    problem,
)


def test_values_are_sent_as_text_and_empty_ones_as_null(paygrade: Paygrade) -> None:
    service = PlayedService(QUEUED, DONE)
    paygrade("predict", "years=2.5", "of=a=b", "none=", "--model", "salary@1", service=service)
    row = {"years": "2.5", "of": "a=b", "none": None}
    assert service.bodies()[0] == {"inputs": row, "model": "salary@1"}


def test_several_rows_are_one_list(paygrade: Paygrade) -> None:
    done = PlayedAnswer(200, prediction("succeeded", outputs=[{"prediction": 1}, {"prediction": 2}]))
    service = PlayedService(QUEUED, done)
    status, out, _ = paygrade("predict", "years=1", "--row", "years=2", service=service)
    assert service.bodies()[0] == {"inputs": [{"years": "1"}, {"years": "2"}]}
    assert (status, out.splitlines()) == (0, ["years  prediction", "1      1", "2      2"])


def test_a_post_that_may_not_have_arrived_is_repeated_with_its_key(paygrade: Paygrade) -> None:
    busy = problem(503, "the queue is full", retry_after=0)
    service = PlayedService(busy, busy, QUEUED, DONE)
    status, out, _ = paygrade("predict", "years=2.5", "--json", service=service)
    assert (status, json.loads(out)["output"]) == (0, {"prediction": 260.00012})
    posts = [request for request in service.sent if request.method == "POST"]
    assert len(posts) == 3
    assert len({request.headers["Idempotency-Key"] for request in posts}) == 1


def test_web_may_be_away_for_a_moment(paygrade: Paygrade) -> None:
    service = PlayedService(QUEUED, QUEUED, problem(503, "away", retry_after=0), DONE)
    assert paygrade("predict", "years=2.5", service=service)[0] == 0


def test_a_job_that_does_not_end_in_time_is_named(paygrade: Paygrade) -> None:
    service = PlayedService(QUEUED)
    status, out, err = paygrade("predict", "years=2.5", "--timeout", "0.01", service=service)
    assert (status, out, err.count("\n")) == (1, "", 1)
    assert f"paygrade jobs show {prediction('queued')['id']}" in err


@pytest.mark.parametrize("trouble", [problem(500, "broken"), CUT])
def test_so_is_a_job_that_cannot_be_shown(paygrade: Paygrade, trouble: PlayedAnswer | Exception) -> None:
    service = PlayedService(QUEUED, trouble)
    status, _, err = paygrade("predict", "years=2.5", "--timeout", "0.5", service=service)
    assert (status, err.count("\n")) == (2, 1)
    assert f"paygrade jobs show {prediction('queued')['id']}" in err


@pytest.mark.parametrize(
    "ended",
    [
        prediction("failed", error={"type": "worker_lost", "detail": "every worker was lost"}),
        prediction("partially_succeeded", outputs=[{"error": {"type": "not_scored", "detail": "why"}}]),
        prediction("canceled"),
    ],
    ids=lambda resource: resource["status"],
)
def test_a_row_without_a_score_is_exit_1(paygrade: Paygrade, ended: dict[str, object]) -> None:
    service = PlayedService(QUEUED, PlayedAnswer(200, ended))
    status, _, err = paygrade("predict", "years=2.5", service=service)
    assert (status, err.count("\n")) == (1, 1)
    assert str(ended["status"]) in err
