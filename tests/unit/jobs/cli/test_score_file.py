"""A file in, and what the exit status tells of it."""

from pathlib import Path
from typing import Any

import pytest

from tests.unit.jobs.cli.answering import Answer, Answering, problem
from tests.unit.jobs.cli.conftest import Jobs

PATH = "/v1/batches/batch_01a20185-eaa7-7fbf-80d5-252d88bcb074"


def batch(status: str, succeeded: int = 0, error: str = "") -> dict[str, Any]:
    """A resource as web gives it."""
    return {
        "id": PATH.rpartition("/")[2],
        "status": status,
        "counts": {"total": succeeded or None, "succeeded": succeeded, "failed": 0},
        "progress": 0.0,
        "eta_seconds": None,
        "finished_at": None if status == "validating" else "2026-11-22T04:31:23.803Z",
        "error": {"type": "no_table", "detail": error} if error else None,
        "urls": {"self": PATH, "cancel": f"{PATH}/cancel", "results": f"{PATH}/results"},
    }


ACCEPTED = Answer(202, batch("validating"))
SCORED = Answer(200, batch("succeeded", succeeded=1)), Answer(200, b"prediction,error\n260.00012,\n")


@pytest.fixture
def file(tmp_path: Path) -> str:
    place = tmp_path / "ROWS.NDJSON"
    place.write_text('{"years": 2.5}')
    return str(place)


@pytest.mark.parametrize(
    "ended",
    [batch("failed", error="line 3: what starts here has no end"), batch("canceled"), batch("expired")],
    ids=lambda resource: resource["status"],
)
def test_a_batch_that_ended_without_a_row_is_1(jobs: Jobs, file: str, ended: dict[str, Any]) -> None:
    with Answering(ACCEPTED, Answer(200, ended)) as server:
        status, out, err = jobs("score", file, server=server)
    assert (status, out, err.count("\n")) == (1, "", 1)
    assert f"{ended['id']} is {ended['status']}" in err


def test_a_file_is_sent_again_when_the_service_has_said(
    jobs: Jobs, file: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    pauses: list[float] = []
    monkeypatch.setattr("time.sleep", pauses.append)
    with Answering(problem(429, "too many batches", retry_after=7), ACCEPTED, *SCORED) as server:
        assert jobs("score", file, server=server)[0] == 0
    assert pauses[0] == 7
    keys = {sent.headers["Idempotency-Key"] for sent in server.sent if sent.line.startswith("POST")}
    assert len(keys) == 1


def test_web_may_be_behind_a_path_for_files_too(jobs: Jobs, file: str, tmp_path: Path) -> None:
    out = tmp_path / "scored.csv"
    with Answering(ACCEPTED, *SCORED) as server:
        assert jobs("score", file, "-o", str(out), "--url", f"{server.url}/pay")[0] == 0
    assert [sent.line.partition("?")[0] for sent in server.sent] == [
        "POST /pay/v1/batches",
        f"GET /pay{PATH}",
        f"GET /pay{PATH}/results",
    ]
    assert out.read_bytes() == b"prediction,error\n260.00012,\n"


def test_a_format_is_told_by_the_ending_in_capitals_too(jobs: Jobs, file: str, tmp_path: Path) -> None:
    with Answering(ACCEPTED, *SCORED) as server:
        jobs("score", file, "-o", str(tmp_path / "scored.csv"), server=server)
    assert server.sent[0].headers["Content-Type"] == "application/x-ndjson"
