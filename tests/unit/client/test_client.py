"""The client as a program uses it."""

import json
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest
from paygrade import (
    Client,
    ClientMisconfigured,
    Conflict,
    ConnectionCut,
    JobFailed,
    JobUnfinished,
    NotFound,
    PaygradeError,
    ServiceBusy,
    ServiceRefused,
    Unreachable,
)

from tests.unit.client.played_service import (
    ABSENT,
    CUT,
    PlayedAnswer,
    PlayedService,
    batch,
    prediction,
    problem,
)

ID, BATCH_ID = prediction("queued")["id"], batch("queued")["id"]
QUEUED = PlayedAnswer(202, prediction("queued"))
DONE = PlayedAnswer(200, prediction("succeeded", output={"prediction": 260.00012}))


class HandTurnedClock:
    """Time passes only while the client sleeps, or one second with each look at the clock."""

    def __init__(self, each_look: float = 0) -> None:
        self.pauses: list[float] = []
        self._now = 0.0
        self._each_look = each_look

    def now(self) -> float:
        self._now += self._each_look
        return self._now

    def sleep(self, seconds: float) -> None:
        self.pauses.append(seconds)
        self._now += seconds


def client_of(service: PlayedService, clock: HandTurnedClock | None = None) -> Client:
    clock = clock or HandTurnedClock()
    return Client("http://paygrade.example", "secret", transport=service, sleep=clock.sleep, now=clock.now)


def test_a_row_is_posted_and_waited_for() -> None:
    service = PlayedService(QUEUED, DONE)
    with client_of(service) as client:
        job = client.predict({"years": 2.5}, explain=True, metadata={"who": "ann"})
    assert job["output"] == {"prediction": 260.00012}
    assert service.bodies() == [{"inputs": {"years": 2.5}, "explain": True, "metadata": {"who": "ann"}}]
    assert service.lines() == ["POST /v1/predictions", f"GET /v1/predictions/{ID}?wait=25"]


def test_a_job_that_has_ended_at_the_post_is_not_asked_for_again() -> None:
    service = PlayedService(DONE)
    client_of(service).predict([{"years": 2.5}])
    assert len(service.sent) == 1


def test_a_failed_job_is_an_exception_that_holds_it() -> None:
    failed = prediction("failed", error={"type": "worker_lost", "detail": "every worker was lost"})
    with pytest.raises(JobFailed, match=r"is failed: every worker was lost$") as raised:
        client_of(PlayedService(QUEUED, PlayedAnswer(200, failed))).predict({"years": 2.5})
    assert raised.value.job == failed


def test_a_job_that_takes_too_long_is_an_exception() -> None:
    clock = HandTurnedClock(each_look=1)
    with pytest.raises(JobUnfinished, match="is still queued"):
        client_of(PlayedService(QUEUED), clock).predict({"years": 2.5}, timeout=10)


def test_a_cut_connection_repeats_the_post_with_the_same_key() -> None:
    clock = HandTurnedClock()
    service = PlayedService(CUT, problem(429, "too many rows", retry_after=7), QUEUED)
    client_of(service, clock).submit({"years": 2.5})
    assert len({request.headers["Idempotency-Key"] for request in service.sent}) == 1
    assert clock.pauses == [1, 7]


def test_a_post_is_not_repeated_beyond_its_timeout() -> None:
    clock = HandTurnedClock()
    with pytest.raises(ServiceBusy):
        client_of(PlayedService(problem(503, "full", retry_after=40)), clock).submit({}, timeout=60)
    assert clock.pauses == [40]


def test_a_service_that_is_not_there_is_told_at_once() -> None:
    service = PlayedService(ABSENT)
    with pytest.raises(Unreachable, match="connection refused"):
        client_of(service).submit({"years": 2.5})
    assert len(service.sent) == 1


def test_an_accepted_job_is_asked_for_while_the_service_restarts() -> None:
    clock = HandTurnedClock()
    assert client_of(PlayedService(ABSENT, CUT, DONE), clock).wait(ID)["status"] == "succeeded"
    assert clock.pauses == [1, 1]


def test_a_batch_is_followed_until_it_ends() -> None:
    clock = HandTurnedClock()
    service = PlayedService(
        PlayedAnswer(200, batch("validating")), PlayedAnswer(200, batch("succeeded", succeeded=1))
    )
    seen = [each["status"] for each in client_of(service, clock).follow(BATCH_ID, every=5)]
    assert (seen, clock.pauses) == (["validating", "succeeded"], [5])


def test_a_file_is_sent_with_its_size_its_type_and_its_options(tmp_path: Path) -> None:
    file = tmp_path / "people.jsonl.gz"
    file.write_bytes(b"packed")
    service = PlayedService(PlayedAnswer(202, batch("validating")))
    sent: list[tuple[int, int | None]] = []
    client_of(service).upload(
        file, model="salary@1", results="csv", prefix="our_", on_sent=lambda *each: sent.append(each)
    )
    [request] = service.sent
    assert service.lines() == ["POST /v1/batches?model=salary%401&results=csv&prefix=our_"]
    assert request.content == b"packed"
    headers = {name: request.headers.get(name) for name in ("Content-Type", "Content-Encoding")}
    assert headers == {"Content-Type": "application/x-ndjson", "Content-Encoding": "gzip"}
    assert request.headers["Content-Length"] == "6"
    assert "Transfer-Encoding" not in request.headers
    assert sent == [(6, 6)]


@pytest.mark.parametrize(
    ("name", "media_type"),
    [
        ("a.tsv", "text/csv"),
        ("a.csv.zip", "text/csv"),
        ("a.parquet", "application/vnd.apache.parquet"),
        ("a.zip", "application/octet-stream"),
        ("a.txt", "application/octet-stream"),
    ],
)
def test_a_file_whose_name_does_not_tell_its_format_is_left_to_the_service(
    tmp_path: Path, name: str, media_type: str
) -> None:
    (tmp_path / name).write_bytes(b"x")
    service = PlayedService(PlayedAnswer(202, batch("validating")))
    client_of(service).upload(tmp_path / name)
    assert service.sent[0].headers["Content-Type"] == media_type


def test_how_a_file_is_written_may_be_named(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_bytes(b"x")
    service = PlayedService(PlayedAnswer(202, batch("validating")))
    written: dict[str, Any] = {
        "delimiter": "semicolon",
        "decimal": "comma",
        "encoding": "windows-1252",
        "missing": "NA",
    }
    client_of(service).upload(tmp_path / "a.csv", **written)
    assert dict(service.sent[0].url.params) == written


def test_an_open_file_is_sent_in_chunks_and_once() -> None:
    service = PlayedService(problem(503, "full", retry_after=0))
    with pytest.raises(ServiceBusy):
        client_of(service).upload(BytesIO(b"years\n1\n"))
    [request] = service.sent
    assert request.content == b"years\n1\n"
    assert request.headers["Transfer-Encoding"] == "chunked"


def test_results_come_in_pieces_or_only_their_start() -> None:
    service = PlayedService(PlayedAnswer(200, b"prediction\n1\n"))
    got = bytearray()
    client_of(service).download(BATCH_ID, got.extend)
    client_of(service).download(BATCH_ID, got.extend, what="errors", first=10)
    assert got == b"prediction\n1\n" * 2
    assert service.lines() == [f"GET /v1/batches/{BATCH_ID}/{what}" for what in ("results", "errors")]
    assert [request.headers.get("Range") for request in service.sent] == [None, "bytes=0-9"]


@pytest.mark.parametrize(
    ("answer", "error"),
    [
        (problem(404, "there is no such batch"), NotFound),
        (problem(409, "the batch has not ended"), Conflict),
        (problem(500, "an internal error"), ServiceRefused),
        (CUT, ConnectionCut),
    ],
    ids=str,
)
def test_results_that_cannot_be_had_are_an_exception(
    answer: PlayedAnswer | Exception, error: type[PaygradeError]
) -> None:
    with pytest.raises(error):
        client_of(PlayedService(answer)).download(BATCH_ID, bytearray().extend)


def test_a_refusal_holds_its_status_and_its_problem() -> None:
    with pytest.raises(NotFound) as raised:
        client_of(PlayedService(problem(410, "expired", title="Gone"))).show(ID)
    assert (raised.value.status, raised.value.problem["title"]) == (410, "Gone")


def test_what_is_passed_in_takes_precedence_over_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PAYGRADE_URL", "http://elsewhere")
    monkeypatch.setenv("PAYGRADE_KEY", "other")
    service = PlayedService(DONE)
    client_of(service).show(ID)
    [request] = service.sent
    assert (request.url.host, request.headers["Authorization"]) == ("paygrade.example", "Bearer secret")


@pytest.mark.parametrize("url", ["nowhere", "ftp://host", "http://a:b@host", "http://host:0", "http://ä"])
def test_an_address_that_cannot_be_used_is_refused(url: str) -> None:
    with pytest.raises(ClientMisconfigured):
        Client(url)


def test_a_webhook_is_sent_with_the_job() -> None:
    service = PlayedService(QUEUED)
    with Client(transport=service) as client:
        client.submit({"years": 2.5}, webhook="https://hooks.example.com")
        client.upload(BytesIO(b"years\n2.5\n"), webhook="https://hooks.example.com")
    assert json.loads(service.sent[0].content)["webhook"] == "https://hooks.example.com"
    assert service.sent[1].url.params["webhook"] == "https://hooks.example.com"


def test_a_batch_is_tried_again_with_corrected_rows_or_without() -> None:
    service = PlayedService(PlayedAnswer(202, batch("queued")))
    with Client(transport=service) as client:
        assert client.retry(BATCH_ID)["status"] == "queued"
        client.retry(BATCH_ID, BytesIO(b'{"row":1,"input":{"years":4.5}}\n'))
    assert service.lines() == [f"POST /v1/batches/{BATCH_ID}/retry"] * 2
    assert [request.content for request in service.sent] == [b"", b'{"row":1,"input":{"years":4.5}}\n']
    assert service.sent[1].headers["Content-Type"] == "application/x-ndjson"
