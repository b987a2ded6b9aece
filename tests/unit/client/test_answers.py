"""Whatever a service answers, or does not, a command prints one line and exits with 1 or 2."""

from pathlib import Path

import pytest

from tests.unit.client.conftest import Paygrade
from tests.unit.client.played_service import (
    ABSENT,
    BATCH_ID,
    CUT,
    ID,
    PlayedAnswer,
    PlayedService,
    batch,
    prediction,
    problem,
)


@pytest.mark.parametrize(
    ("answer", "status", "said"),
    [
        (problem(404, "there is no such prediction"), 1, "there is no such prediction"),
        (problem(410, "this prediction has expired"), 1, "this prediction has expired"),
        (problem(401, "send a valid key"), 2, "PAYGRADE_API_KEY"),
        (problem(503, "Redis does not answer", retry_after=2), 2, "Redis does not answer"),
        (problem(503, "Redis does not answer", retry_after=-1), 2, "Redis does not answer"),
        (problem(500, "an internal error"), 2, "an internal error"),
        (PlayedAnswer(502, b"<html>Bad Gateway</html>"), 2, "502"),
        (PlayedAnswer(200, b"<html>Welcome</html>"), 2, "is not Paygrade"),
        (PlayedAnswer(200, b"[]"), 2, "is not Paygrade"),
        (PlayedAnswer(200, b"\xff"), 2, "is not Paygrade"),
        (CUT, 2, "no complete answer"),
        (ABSENT, 2, "cannot connect to http://127.0.0.1:8000 (connection refused); check --url"),
    ],
    ids=str,
)
def test_an_error_is_one_line(
    paygrade: Paygrade, answer: PlayedAnswer | Exception, status: int, said: str
) -> None:
    got, out, err = paygrade("jobs", "show", ID, service=PlayedService(answer))
    assert (got, out, err.count("\n")) == (status, "", 1)
    assert said in err


def test_all_faults_of_rows_are_one_line(paygrade: Paygrade) -> None:
    errors = [
        {"pointer": "/inputs/0/a", "detail": "is missing"},
        {"pointer": "/inputs/1/b", "detail": "is late"},
    ]
    service = PlayedService(problem(422, "see errors", errors=errors))
    status, _, err = paygrade("predict", "a=", service=service)
    assert (status, err) == (2, "paygrade: /inputs/0/a is missing; /inputs/1/b is late\n")


def test_the_key_comes_from_the_environment_or_from_a_file(
    paygrade: Paygrade, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    file = tmp_path / "key"
    file.write_text("of-file\n")
    service = PlayedService(PlayedAnswer(200, prediction("queued")))
    monkeypatch.setenv("PAYGRADE_API_KEY", "of-environment")
    paygrade("jobs", "show", ID, service=service)
    paygrade("jobs", "show", ID, "--key-file", str(file), service=service)
    monkeypatch.delenv("PAYGRADE_API_KEY")
    paygrade("jobs", "show", ID, service=service)
    keys = [request.headers.get("Authorization") for request in service.sent]
    assert keys == ["Bearer of-environment", "Bearer of-file", None]


def test_the_address_comes_from_the_environment_or_from_an_option(
    paygrade: Paygrade, monkeypatch: pytest.MonkeyPatch
) -> None:
    service = PlayedService(PlayedAnswer(200, prediction("queued")))
    paygrade("jobs", "show", ID, service=service)
    monkeypatch.setenv("PAYGRADE_URL", "https://paygrade.example/")
    paygrade("jobs", "show", ID, service=service)
    paygrade("jobs", "show", ID, "--url", "http://localhost:8001/pay", service=service)
    assert [str(request.url) for request in service.sent] == [
        f"http://127.0.0.1:8000/v1/predictions/{ID}",
        f"https://paygrade.example/v1/predictions/{ID}",
        f"http://localhost:8001/pay/v1/predictions/{ID}",
    ]


def test_the_key_does_not_follow_a_redirect(paygrade: Paygrade, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PAYGRADE_API_KEY", "secret")
    service = PlayedService(PlayedAnswer(302, b"", {"Location": "http://elsewhere/"}))
    assert paygrade("jobs", "show", ID, service=service)[0] == 2
    assert [request.url.host for request in service.sent] == ["127.0.0.1"]


def test_a_list_continues_from_page_to_page_until_the_limit(paygrade: Paygrade) -> None:
    pages = [
        PlayedAnswer(200, {"data": [prediction("queued")] * 100, "next_cursor": ID}),
        PlayedAnswer(200, {"data": [prediction("queued")] * 5, "next_cursor": ID}),
    ]
    service = PlayedService(*pages)
    typed = ("--kind", "prediction", "--limit", "105", "--status", "queued", "--json")
    status, out, _ = paygrade("jobs", "list", *typed, service=service)
    assert (status, out.count("\n")) == (0, 105)
    assert service.lines() == [
        "GET /v1/predictions?status=queued&limit=100",
        f"GET /v1/predictions?cursor={ID}&status=queued&limit=5",
    ]


def test_a_list_has_predictions_and_batches_newest_first(paygrade: Paygrade) -> None:
    older = {**prediction("queued"), "id": "pred_01a20185-eaa6-7fbf-80d5-252d88bcb074"}
    service = PlayedService(
        PlayedAnswer(200, {"data": [prediction("queued"), older], "next_cursor": None}),
        PlayedAnswer(200, {"data": [batch("validating")], "next_cursor": None}),
    )
    status, out, _ = paygrade("jobs", "list", "--limit", "2", service=service)
    assert status == 0
    assert [line.split()[0] for line in out.splitlines()] == ["id", BATCH_ID, ID]


def test_a_status_that_only_batches_have_is_asked_of_batches_only(paygrade: Paygrade) -> None:
    service = PlayedService(PlayedAnswer(200, {"data": [], "next_cursor": None}))
    paygrade("jobs", "list", "--status", "validating", service=service)
    assert service.lines() == ["GET /v1/batches?status=validating&limit=20"]


def test_of_several_jobs_those_that_can_be_are_canceled(paygrade: Paygrade) -> None:
    late = problem(409, "only a job that is queued can be canceled; this one is succeeded")
    service = PlayedService(late, PlayedAnswer(202, batch("canceling")))
    status, out, err = paygrade("jobs", "cancel", ID, BATCH_ID, service=service)
    assert (status, out) == (1, f"{BATCH_ID} canceling\n")
    assert err.startswith(f"paygrade: {ID}: ")
    assert service.lines() == [f"POST /v1/predictions/{ID}/cancel", f"POST /v1/batches/{BATCH_ID}/cancel"]


def test_the_models_are_listed_with_their_versions(paygrade: Paygrade) -> None:
    model = {"name": "salary", "versions": [1, 2], "default": True, "target": "salary", "unit": None}
    model["aliases"] = {"champion": 1, "next": 2}
    service = PlayedService(PlayedAnswer(200, {"data": [model]}))
    assert paygrade("models", service=service)[1].splitlines() == [
        "name    versions  aliases               default  target  unit",
        "salary  1, 2      champion: 1, next: 2  yes      salary",
    ]


def test_what_a_terminal_cannot_show_is_escaped(paygrade: Paygrade) -> None:
    service = PlayedService(PlayedAnswer(200, prediction("queued", metadata={"name": "grün\x1b[2J"})))
    _, out, _ = paygrade("jobs", "show", ID, "--json", service=service)
    assert out.isascii()
    assert "\x1b" not in paygrade("jobs", "show", ID, service=service)[1]


def test_results_and_errors_of_a_batch_go_to_a_file(paygrade: Paygrade, tmp_path: Path) -> None:
    service = PlayedService(PlayedAnswer(200, b"prediction\n1\n"))
    assert paygrade("jobs", "errors", BATCH_ID, "-o", str(tmp_path / "errors"), service=service)[0] == 0
    assert (tmp_path / "errors").read_bytes() == b"prediction\n1\n"
    assert service.lines() == [f"GET /v1/batches/{BATCH_ID}/errors"]
