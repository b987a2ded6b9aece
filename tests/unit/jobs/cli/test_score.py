"""Rows in, scores out: one job, whatever happens on the way."""

import json

import pytest

from tests.unit.jobs.cli.answering import CUT, Answer, Answering, prediction, problem
from tests.unit.jobs.cli.conftest import Jobs

QUEUED = Answer(202, prediction("queued"))
DONE = Answer(200, prediction("succeeded", output={"prediction": 260.00012}))


def test_what_is_typed_is_sent_as_text_and_nothing_as_null(jobs: Jobs) -> None:
    with Answering(QUEUED, DONE) as server:
        jobs("score", "--row", "years=2.5", "of=a=b", "none=", "--model", "salary@1", server=server)
    row = {"years": "2.5", "of": "a=b", "none": None}
    assert server.sent[0].body == {"inputs": row, "model": "salary@1"}


def test_several_rows_are_one_list(jobs: Jobs) -> None:
    done = Answer(200, prediction("succeeded", outputs=[{"prediction": 1}, {"prediction": 2}]))
    with Answering(QUEUED, done) as server:
        status, out, _ = jobs("score", "--row", "years=1", "--row", "years=2", server=server)
    assert server.sent[0].body == {"inputs": [{"years": "1"}, {"years": "2"}]}
    assert (status, out.splitlines()) == (0, ["years  prediction", "1      1", "2      2"])


def test_a_post_that_may_not_have_arrived_is_repeated_with_its_key(jobs: Jobs) -> None:
    with Answering(CUT, problem(503, "full", retry_after=0), QUEUED, DONE) as server:
        status, out, _ = jobs("score", "--row", "years=2.5", "--json", server=server)
    assert (status, json.loads(out)["output"]) == (0, {"prediction": 260.00012})
    posts = [sent for sent in server.sent if sent.line.startswith("POST")]
    assert len(posts) == 3
    assert len({sent.headers["Idempotency-Key"] for sent in posts}) == 1


def test_while_it_waits_web_may_be_away_for_a_moment(jobs: Jobs) -> None:
    with Answering(QUEUED, QUEUED, problem(503, "away", retry_after=0), DONE) as server:
        assert jobs("score", "--row", "years=2.5", server=server)[0] == 0


def test_a_job_that_is_not_done_in_time_is_named(jobs: Jobs) -> None:
    with Answering(QUEUED) as server:
        status, out, err = jobs("score", "--row", "years=2.5", "--timeout", "0.1", server=server)
    assert (status, out, err.count("\n")) == (1, "", 1)
    assert f"python -m jobs show {prediction('queued')['id']}" in err


def test_so_is_one_that_nobody_can_tell_of(jobs: Jobs) -> None:
    with Answering(QUEUED, problem(500, "broken")) as server:
        status, _, err = jobs("score", "--row", "years=2.5", server=server)
    assert (status, err.count("\n")) == (2, 1)
    assert f"python -m jobs show {prediction('queued')['id']}" in err


@pytest.mark.parametrize(
    "ended",
    [
        prediction("failed", error={"type": "worker_lost", "detail": "every worker was lost"}),
        prediction("partially_succeeded", outputs=[{"error": {"type": "not_scored", "detail": "why"}}]),
        prediction("canceled"),
    ],
    ids=lambda resource: resource["status"],
)
def test_what_was_not_scored_is_1(jobs: Jobs, ended: dict[str, object]) -> None:
    with Answering(QUEUED, Answer(200, ended)) as server:
        status, _, err = jobs("score", "--row", "years=2.5", server=server)
    assert (status, err.count("\n")) == (1, 1)
    assert str(ended["status"]) in err
