"""A file in, and what the exit status says about it."""

import json
from pathlib import Path
from typing import Any

import pytest

from tests.unit.client.conftest import Paygrade
from tests.unit.client.played_service import PlayedAnswer, PlayedService, batch, problem

PATH = f"/v1/batches/{batch('queued')['id']}"
ACCEPTED = PlayedAnswer(202, batch("validating"))
SCORED = (
    PlayedAnswer(200, batch("succeeded", succeeded=1)),
    PlayedAnswer(200, b"prediction,error\n260.00012,\n"),
)


@pytest.fixture
def file(tmp_path: Path) -> str:
    rows = tmp_path / "ROWS.NDJSON"
    rows.write_text('{"years": 2.5}')
    return str(rows)


@pytest.mark.parametrize(
    "ended",
    [batch("failed", error="line 3: a quote is never closed"), batch("canceled"), batch("expired")],
    ids=lambda resource: resource["status"],
)
def test_a_batch_that_ended_without_a_row_is_exit_1(
    paygrade: Paygrade, file: str, ended: dict[str, Any]
) -> None:
    service = PlayedService(ACCEPTED, PlayedAnswer(200, ended))
    status, out, err = paygrade("score", file, service=service)
    assert (status, out, err.count("\n")) == (1, "", 1)
    assert f"{ended['id']} is {ended['status']}" in err


def test_a_file_is_sent_again_after_the_time_that_the_service_asks_for(
    paygrade: Paygrade, file: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    service = PlayedService(problem(429, "too many batches", retry_after=0), ACCEPTED, *SCORED)
    assert paygrade("score", file, "-o", str(tmp_path / "scored.csv"), service=service)[0] == 0
    posts = [request for request in service.sent if request.method == "POST"]
    assert [request.content for request in posts] == [b'{"years": 2.5}'] * 2
    assert len({request.headers["Idempotency-Key"] for request in posts}) == 1


def test_results_appear_under_their_name_when_they_are_complete(
    paygrade: Paygrade, file: str, tmp_path: Path
) -> None:
    out = tmp_path / "scored.csv"
    service = PlayedService(ACCEPTED, *SCORED)
    assert paygrade("score", file, "-o", str(out), "--url", "http://web/pay", service=service)[0] == 0
    assert [line.partition("?")[0] for line in service.lines()] == [
        "POST /pay/v1/batches",
        f"GET /pay{PATH}",
        f"GET /pay{PATH}/results",
    ]
    assert out.read_bytes() == b"prediction,error\n260.00012,\n"


def test_results_that_are_cut_off_leave_no_file(paygrade: Paygrade, file: str, tmp_path: Path) -> None:
    service = PlayedService(ACCEPTED, SCORED[0], problem(500, "an internal error"))
    assert paygrade("score", file, "-o", str(tmp_path / "scored.csv"), service=service)[0] == 2
    assert [each.name for each in tmp_path.iterdir()] == ["ROWS.NDJSON"]


@pytest.mark.parametrize(
    ("given", "media_type"),
    [((), "application/x-ndjson"), (("--format", "parquet"), "application/vnd.apache.parquet")],
)
def test_the_format_is_that_of_the_ending_or_of_the_option(
    paygrade: Paygrade, file: str, tmp_path: Path, given: tuple[str, ...], media_type: str
) -> None:
    service = PlayedService(ACCEPTED, *SCORED)
    paygrade("score", file, *given, "-o", str(tmp_path / "scored.csv"), service=service)
    assert service.sent[0].headers["Content-Type"] == media_type


def test_rows_without_a_score_are_counted_and_the_first_ones_shown(
    paygrade: Paygrade, file: str, tmp_path: Path
) -> None:
    ended = batch("partially_succeeded") | {"counts": {"total": 4, "succeeded": 1, "failed": 2}}
    lines = b'{"row":1,"errors":[{"pointer":"/years","detail":"must be a number"}]}\n{"row":2,"err'
    results, errors = PlayedAnswer(200, b"prediction\n"), PlayedAnswer(206, lines)
    service = PlayedService(ACCEPTED, PlayedAnswer(200, ended), results, errors)
    status, _, err = paygrade("score", file, "-o", str(tmp_path / "scored.csv"), service=service)
    assert status == 1
    assert err.splitlines() == [
        "partially_succeeded: 2 of 4 rows failed",
        "  not in the results: 1 row",
        "  row 2: years must be a number",
    ]


def test_with_json_the_batch_is_on_standard_output_and_the_results_in_their_file(
    paygrade: Paygrade, file: str, tmp_path: Path
) -> None:
    out = tmp_path / "scored.csv"
    status, said, _ = paygrade(
        "score", file, "-o", str(out), "--json", service=PlayedService(ACCEPTED, *SCORED)
    )
    assert (status, json.loads(said)["status"]) == (0, "succeeded")
    assert out.read_bytes() == b"prediction,error\n260.00012,\n"


@pytest.mark.parametrize(("ended", "status"), [("succeeded", 0), ("partially_succeeded", 1), ("canceled", 1)])
def test_a_job_is_watched_until_it_has_ended(paygrade: Paygrade, ended: str, status: int) -> None:
    service = PlayedService(ACCEPTED, ACCEPTED, PlayedAnswer(200, batch(ended, succeeded=1)))
    got, out, _ = paygrade("watch", batch("queued")["id"], service=service)
    assert (got, len(service.sent)) == (status, 3)
    assert f"status    {ended}" in out
