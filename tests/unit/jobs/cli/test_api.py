"""Whatever a server answers, or does not, it is one line and one of two statuses."""

from pathlib import Path

import pytest

from tests.integration.service import free_port
from tests.unit.jobs.cli.answering import CUT, Answer, Answering, prediction, problem
from tests.unit.jobs.cli.conftest import Jobs

ID = prediction("queued")["id"]


@pytest.mark.parametrize(
    ("answer", "status", "said"),
    [
        (problem(404, "there is no such prediction"), 1, "there is no such prediction"),
        (problem(410, "this prediction has expired"), 1, "this prediction has expired"),
        (problem(401, "send a valid key"), 2, "PAYGRADE_KEY"),
        (problem(503, "Redis does not answer", retry_after=2), 2, "Redis does not answer"),
        (problem(503, "Redis does not answer", retry_after=-1), 2, "Redis does not answer"),
        (problem(500, "something here is broken"), 2, "something here is broken"),
        (Answer(502, b"<html>Bad Gateway</html>"), 2, "502"),
        (Answer(200, b"<html>Welcome</html>"), 2, "is not Paygrade"),
        (Answer(200, b"[]"), 2, "is not Paygrade"),
        (Answer(200, b"\xff"), 2, "is not Paygrade"),
        (Answer(200, b"{}", {"Content-Length": "9"}), 2, "no whole answer"),
        (CUT, 2, "no whole answer"),
    ],
)
def test_what_is_refused_is_said_in_a_line(jobs: Jobs, answer: Answer, status: int, said: str) -> None:
    with Answering(answer) as server:
        got, out, err = jobs("show", ID, server=server)
    assert (got, out, err.count("\n")) == (status, "", 1)
    assert said in err


def test_where_nobody_listens_it_is_said_where(jobs: Jobs) -> None:
    url = f"http://127.0.0.1:{free_port()}"
    status, _, err = jobs("list", "--url", url)
    assert status == 2
    assert url in err


def test_all_faults_of_a_row_are_one_line(jobs: Jobs) -> None:
    errors = [
        {"pointer": "/inputs/0/a", "detail": "is missing"},
        {"pointer": "/inputs/1/b", "detail": "is late"},
    ]
    with Answering(problem(422, "see errors", errors=errors)) as server:
        status, _, err = jobs("score", "--row", "a=", server=server)
    assert (status, err) == (2, "jobs: /inputs/0/a is missing; /inputs/1/b is late\n")


def test_the_key_comes_from_the_environment_or_from_a_file(
    jobs: Jobs, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("PAYGRADE_KEY", "of-environment")
    file = tmp_path / "key"
    file.write_text("of-file\n")
    with Answering(Answer(200, prediction("queued"))) as server:
        jobs("show", ID, server=server)
        jobs("show", ID, "--key-file", str(file), server=server)
        monkeypatch.delenv("PAYGRADE_KEY")
        jobs("show", ID, server=server)
    keys = [sent.headers.get("Authorization") for sent in server.sent]
    assert keys == ["Bearer of-environment", "Bearer of-file", None]


def test_the_key_does_not_follow_a_redirect(jobs: Jobs, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PAYGRADE_KEY", "secret")
    with Answering(Answer(200, prediction("queued"))) as elsewhere:
        moved = Answer(302, b"", {"Location": elsewhere.url})
        with Answering(moved) as server:
            assert jobs("show", ID, server=server)[0] == 2
    assert not elsewhere.sent


def test_a_list_goes_on_from_page_to_page_and_no_further_than_asked(jobs: Jobs) -> None:
    pages = [
        Answer(200, {"data": [prediction("queued")] * 100, "next_cursor": ID}),
        Answer(200, {"data": [prediction("queued")] * 5, "next_cursor": ID}),
    ]
    with Answering(*pages) as server:
        status, out, _ = jobs("list", "--limit", "105", "--status", "queued", "--json", server=server)
    assert (status, out.count("\n")) == (0, 105)
    assert [sent.line for sent in server.sent] == [
        "GET /v1/predictions?status=queued&limit=100",
        f"GET /v1/predictions?cursor={ID}&status=queued&limit=5",
    ]


def test_of_several_jobs_those_that_can_be_are_canceled(jobs: Jobs) -> None:
    late = problem(409, "only a job that is queued can be canceled; this one is succeeded")
    with Answering(late, Answer(200, prediction("canceled"))) as server:
        status, out, err = jobs("cancel", ID, ID, server=server)
    assert (status, out) == (1, f"{ID} canceled\n")
    assert "this one is succeeded" in err
