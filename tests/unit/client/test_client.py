"""The clients as a program uses them: rows in, scores out; jobs, and files."""

import inspect
import json
from io import BytesIO
from pathlib import Path
from typing import Any

import httpx
import pandas as pd
import pytest
from paygrade import (
    AsyncClient,
    Client,
    ClientMisconfigured,
    Conflict,
    InvalidInput,
    InvalidRequest,
    JobFailed,
    JobUnfinished,
    NotFound,
    PaygradeError,
    RowsFailed,
    RowsNotScored,
    ServiceRefused,
)

from tests.asynchronous import run
from tests.unit.client.any_client import HandTurnedClock
from tests.unit.client.conftest import Connect
from tests.unit.client.played_service import (
    BATCH_ID,
    DONE,
    ID,
    QUEUED,
    PlayedAnswer,
    PlayedService,
    batch,
    prediction,
    problem,
)
from tests.unit.client.scoring_service import ScoringService

PARTLY = prediction(
    "partially_succeeded",
    outputs=[{"prediction": 260.00012}, {"error": {"type": "not_scored", "detail": "the step raised"}}],
)


def public(client: type) -> dict[str, inspect.Signature]:
    members = inspect.getmembers(client, inspect.isfunction)
    return {name: inspect.signature(member) for name, member in members if not name.startswith("_")}


def test_both_clients_have_the_same_methods_with_the_same_arguments() -> None:
    assert public(Client) == public(AsyncClient)
    arguments = public(Client)["predict"].parameters.keys()
    assert {"wait", "on_failed", "model", "explain", "cancel_after"} < arguments
    assert {"predict", "submit", "score", "score_file", "wait", "results", "retry"} < public(Client).keys()


@pytest.mark.parametrize("name", sorted(public(Client)))
def test_every_method_has_help_that_speaks_of_its_own_arguments(name: str) -> None:
    if name != "close":
        assert inspect.getdoc(getattr(Client, name))
        assert "options" not in public(Client)[name].parameters
    assert next(iter(public(Client)[name].parameters)) == "self"


def test_a_row_is_posted_and_waited_for(connect: Connect) -> None:
    service = PlayedService(QUEUED, DONE)
    output = connect(service).predict({"years": 2.5}, explain=True, metadata={"who": "ann"})
    assert output == {"prediction": 260.00012}
    assert service.bodies() == [{"inputs": {"years": 2.5}, "explain": True, "metadata": {"who": "ann"}}]
    assert service.lines() == ["POST /v1/predictions", f"GET /v1/predictions/{ID}?wait=25"]
    assert service.sent[0].headers["Prefer"] == "wait=25"


def test_a_list_gives_its_outputs_in_order(connect: Connect) -> None:
    outputs = [{"prediction": 1.5}, {"prediction": 2.5}]
    service = PlayedService(PlayedAnswer(200, prediction("succeeded", outputs=outputs)))
    assert connect(service).predict([{"years": 1}, {"years": 2}]) == outputs
    assert len(service.sent) == 1


def test_rows_that_failed_have_their_error_and_are_warned_of(connect: Connect) -> None:
    client = connect(PlayedService(PlayedAnswer(200, PARTLY)))
    with pytest.warns(RowsNotScored, match="1 of 2 rows were not scored.*row 2: the step raised") as warned:
        assert client.predict([{}, {}]) == PARTLY["outputs"]
    assert Path(warned[0].filename).name == "any_client.py"


def test_rows_that_failed_may_be_an_exception_that_has_the_scores_of_the_others(connect: Connect) -> None:
    client = connect(PlayedService(PlayedAnswer(200, PARTLY)))
    with pytest.raises(RowsFailed) as raised:
        client.predict([{}, {}], on_failed="raise")
    assert raised.value.scored == PARTLY["outputs"]
    assert client.predict([{}, {}], on_failed="ignore") == PARTLY["outputs"]


def test_a_failed_job_is_an_exception_that_holds_it(connect: Connect) -> None:
    failed = prediction("failed", error={"type": "worker_lost", "detail": "every worker was lost"})
    with pytest.raises(JobFailed, match=r"is failed: every worker was lost$") as raised:
        connect(PlayedService(QUEUED, PlayedAnswer(200, failed))).predict({"years": 2.5})
    assert raised.value.job == failed


def test_a_job_that_takes_too_long_is_an_exception_that_holds_it(connect: Connect) -> None:
    clock = HandTurnedClock(each_look=1)
    with pytest.raises(JobUnfinished, match="is still queued") as raised:
        connect(PlayedService(QUEUED), clock).predict({"years": 2.5}, wait=10)
    assert raised.value.job["id"] == ID


def test_a_service_that_holds_no_request_is_not_asked_without_a_pause(connect: Connect) -> None:
    clock = HandTurnedClock()
    later = PlayedAnswer(200, prediction("queued"), {"Retry-After": "3"})
    connect(PlayedService(later, later, DONE), clock).wait(ID)
    assert clock.pauses == [3, 3]


def test_what_a_post_can_say_is_sent_with_it(connect: Connect) -> None:
    service = PlayedService(QUEUED)
    connect(service).submit({}, cancel_after="30s", idempotency_key="order-17", webhook="https://h.example")
    headers = service.sent[0].headers
    assert (headers["Cancel-After"], headers["Idempotency-Key"]) == ("30s", "order-17")
    assert service.bodies() == [{"inputs": {}, "webhook": "https://h.example"}]
    assert "Prefer" not in headers


@pytest.mark.parametrize("inputs", [3, "years=2.5", None, {"a": b"1"}, [{"a": {1}}]], ids=str)
def test_what_is_no_row_is_refused_before_it_is_sent(connect: Connect, inputs: Any) -> None:
    service = PlayedService(DONE)
    with pytest.raises(InvalidInput):
        connect(service).predict(inputs)
    assert service.sent == []


def test_a_batch_is_followed_until_it_ends(connect: Connect) -> None:
    clock = HandTurnedClock()
    going = PlayedAnswer(200, batch("validating"))
    service = PlayedService(going, going, PlayedAnswer(200, batch("succeeded", succeeded=1)))
    seen = [each["status"] for each in connect(service, clock).follow(BATCH_ID)]
    assert (seen, clock.pauses) == (["validating", "validating", "succeeded"], [0.2, 0.2])


def test_a_job_is_named_by_its_id_or_by_its_resource(connect: Connect) -> None:
    service = PlayedService(PlayedAnswer(200, prediction("canceled")))
    client = connect(service)
    client.cancel(ID)
    client.cancel(prediction("queued"))
    assert service.lines() == [f"POST /v1/predictions/{ID}/cancel"] * 2
    with pytest.raises(InvalidInput, match="is not the id of a job"):
        client.get("pred_x")


def test_a_model_is_found_by_its_name_or_as_the_default(connect: Connect) -> None:
    listed = {"data": [{"name": "wages", "default": False}, {"name": "salary", "default": True}]}
    service = PlayedService(PlayedAnswer(200, {"name": "salary"}), PlayedAnswer(200, listed))
    client = connect(service)
    assert client.model("salary@champion")["name"] == "salary"
    assert client.model()["name"] == "salary"
    assert service.lines() == ["GET /v1/models/salary@champion", "GET /v1/models"]


def test_a_file_is_sent_with_its_size_its_type_and_its_options(connect: Connect, tmp_path: Path) -> None:
    file = tmp_path / "people.jsonl.gz"
    file.write_bytes(b"packed")
    service = PlayedService(PlayedAnswer(202, batch("validating")))
    sent: list[tuple[int, int | None]] = []
    connect(service).upload(
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
    connect: Connect, tmp_path: Path, name: str, media_type: str
) -> None:
    (tmp_path / name).write_bytes(b"x")
    service = PlayedService(PlayedAnswer(202, batch("validating")))
    connect(service).upload(tmp_path / name)
    assert service.sent[0].headers["Content-Type"] == media_type


def test_how_a_file_is_written_may_be_named(connect: Connect, tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_bytes(b"x")
    service = PlayedService(PlayedAnswer(202, batch("validating")))
    written = {"delimiter": "semicolon", "decimal": "comma", "encoding": "windows-1252", "missing": "NA"}
    connect(service).upload(tmp_path / "a.csv", **written)
    assert dict(service.sent[0].url.params) == written


@pytest.mark.parametrize("method", ["predict", "submit", "upload", "score_file", "score"])
def test_an_option_that_there_is_not_is_refused(connect: Connect, method: str) -> None:
    service = PlayedService(QUEUED)
    with pytest.raises(TypeError, match="unexpected keyword argument 'modle'"):
        getattr(connect(service), method)({"years": 2.5}, modle="salary")
    assert service.sent == []


def test_a_format_that_there_is_not_is_refused(connect: Connect) -> None:
    with pytest.raises(InvalidInput, match="format must be one of csv"):
        connect(PlayedService(QUEUED)).upload(BytesIO(b"x"), format="xlsx")


def test_a_file_that_is_not_there_is_told_before_anything_is_sent(connect: Connect) -> None:
    service = PlayedService(QUEUED)
    with pytest.raises(FileNotFoundError):
        connect(service).upload("no/such/file.csv")
    assert service.sent == []


def test_a_file_is_scored_into_another(connect: Connect, tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_bytes(b"years\n2.5\n")
    service = PlayedService(
        PlayedAnswer(202, batch("validating")),
        PlayedAnswer(200, batch("succeeded", succeeded=1)),
        PlayedAnswer(200, b"prediction,error\n260.00012,\n"),
    )
    job = connect(service).score_file(tmp_path / "a.csv", tmp_path / "b.csv")
    assert job["status"] == "succeeded"
    assert (tmp_path / "b.csv").read_bytes() == b"prediction,error\n260.00012,\n"
    assert sorted(each.name for each in tmp_path.iterdir()) == ["a.csv", "b.csv"]


def test_rows_of_a_file_that_failed_are_warned_of_with_the_first_of_them(
    connect: Connect, tmp_path: Path
) -> None:
    (tmp_path / "a.csv").write_bytes(b"years\n2.5\nmany\n")
    ended = batch("partially_succeeded") | {"counts": {"total": 2, "succeeded": 1, "failed": 1}}
    first = b'{"row":1,"errors":[{"pointer":"/years","detail":"must be a number"}]}\n'
    answers = [PlayedAnswer(202, ended), PlayedAnswer(200, ended), PlayedAnswer(206, first)]
    with pytest.warns(RowsNotScored, match="1 of 2 rows.*; row 2: years must be a number"):
        connect(PlayedService(*answers)).score_file(tmp_path / "a.csv")
    with pytest.raises(RowsFailed):
        connect(PlayedService(*answers)).score_file(tmp_path / "a.csv", on_failed="raise")


def test_results_come_in_pieces_or_only_their_start(connect: Connect) -> None:
    service = PlayedService(PlayedAnswer(200, b"prediction\n1\n"))
    got = bytearray()
    connect(service).download(BATCH_ID, got.extend)
    connect(service).download(BATCH_ID, got.extend, what="errors", first=10)
    assert got == b"prediction\n1\n" * 2
    assert service.lines() == [f"GET /v1/batches/{BATCH_ID}/{what}" for what in ("results", "errors")]
    assert [request.headers.get("Range") for request in service.sent] == [None, "bytes=0-9"]


def test_results_are_read_row_by_row_in_either_format_of_lines(connect: Connect) -> None:
    table = b'note,prediction\r\n"a ""long""\nnote\x0b",1.5\r\nplain,2.5\r\n'
    lines = b'{"note":"a","prediction":1.5}\n{"note":null,"prediction":2.5}'
    client = connect(PlayedService(PlayedAnswer(200, table), PlayedAnswer(200, lines)))
    assert client.results(batch("succeeded") | {"results": "csv"}) == [
        {"note": 'a "long"\nnote\x0b', "prediction": "1.5"},
        {"note": "plain", "prediction": "2.5"},
    ]
    assert client.results(batch("succeeded") | {"results": "ndjson"}) == [
        {"note": "a", "prediction": 1.5},
        {"note": None, "prediction": 2.5},
    ]
    with pytest.raises(InvalidInput, match="Parquet, which has no lines"):
        client.results(batch("succeeded") | {"results": "parquet"})


def test_no_more_of_the_results_is_read_than_is_looked_at() -> None:
    service = PlayedService(PlayedAnswer(200, b'{"a":1}\n{"a":2}\n'))
    with Client(transport=service) as client:
        rows = client.results(batch("succeeded") | {"results": "ndjson"})
        assert service.sent == []
        assert next(rows) == {"a": 1}
        rows.close()  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    ("answer", "error"),
    [
        (problem(404, "there is no such batch"), NotFound),
        (problem(409, "the batch has not ended"), Conflict),
        (problem(500, "an internal error"), ServiceRefused),
    ],
    ids=str,
)
def test_results_that_cannot_be_had_are_an_exception(
    connect: Connect, answer: PlayedAnswer, error: type[PaygradeError]
) -> None:
    with pytest.raises(error):
        connect(PlayedService(answer)).download(BATCH_ID, bytearray().extend)


def test_a_refusal_holds_its_status_its_problem_and_where_each_fault_is(connect: Connect) -> None:
    errors = [{"pointer": "/inputs/0/years", "detail": "must be a number"}]
    with pytest.raises(InvalidRequest, match="/inputs/0/years must be a number") as raised:
        connect(PlayedService(problem(422, "see errors", title="No", errors=errors))).submit({"years": "x"})
    refusal = raised.value
    assert (refusal.status, refusal.detail, refusal.errors) == (422, "see errors", errors)
    assert refusal.problem["title"] == "No"


@pytest.mark.parametrize("body", [b"<html>", b'{"errors": "x"}', b'{"detail": 3, "errors": [1]}'])
def test_a_refusal_of_anything_else_than_paygrade_is_no_less_clear(connect: Connect, body: bytes) -> None:
    with pytest.raises(InvalidRequest, match="answers 400 without a reason") as raised:
        connect(PlayedService(PlayedAnswer(400, body))).submit({})
    assert raised.value.errors == []


def test_what_is_passed_in_takes_precedence_over_the_environment(
    connect: Connect, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PAYGRADE_URL", "http://elsewhere")
    monkeypatch.setenv("PAYGRADE_API_KEY", "other")
    service = PlayedService(DONE)
    connect(service).get(ID)
    [request] = service.sent
    assert (request.url.host, request.headers["Authorization"]) == ("paygrade.example", "Bearer secret")


@pytest.mark.parametrize("url", ["nowhere", "ftp://host", "http://a:b@host", "http://host:0", "http://ä"])
@pytest.mark.parametrize("kind", [Client, AsyncClient])
def test_an_address_that_cannot_be_used_is_refused(kind: type[Client | AsyncClient], url: str) -> None:
    with pytest.raises(ClientMisconfigured):
        kind(url)


def test_a_batch_is_tried_again_with_corrected_rows_or_without(connect: Connect) -> None:
    service = PlayedService(PlayedAnswer(202, batch("queued")))
    client = connect(service)
    line = b'{"row":1,"input":{"years":4.5}}\n'
    assert client.retry(BATCH_ID)["status"] == "queued"
    client.retry(BATCH_ID, BytesIO(line))
    client.retry(BATCH_ID, [{"row": 1, "errors": [], "input": {"years": 4.5}}])
    assert service.lines() == [f"POST /v1/batches/{BATCH_ID}/retry"] * 3
    assert [request.content for request in service.sent] == [b"", line, line]
    assert service.sent[1].headers["Content-Type"] == "application/x-ndjson"
    assert json.loads(service.sent[2].content) == json.loads(line)


def test_the_client_that_blocks_also_works_where_an_event_loop_runs_as_in_a_notebook() -> None:
    service = PlayedService(PlayedAnswer(200, b'{"a":1}\n{"a":2}\n'))

    async def cell() -> list[Any]:
        with Client(transport=service) as client:
            return list(client.results(batch("succeeded") | {"results": "ndjson"}))

    assert run(cell()) == [{"a": 1}, {"a": 2}]


class InterruptedService(ScoringService):
    """Whoever follows its batch presses Ctrl-C."""

    def _next_answer(self, request: httpx.Request) -> httpx.Response:
        if request.method == "GET" and request.url.path.endswith(BATCH_ID):
            raise KeyboardInterrupt
        return super()._next_answer(request)


def test_whoever_interrupts_the_scoring_of_a_table_cancels_its_batch() -> None:
    service = InterruptedService()
    with Client(transport=service) as client, pytest.raises(KeyboardInterrupt):
        client.score(pd.DataFrame({"years": [2.5]}))
    assert service.lines()[-1] == f"POST /v1/batches/{BATCH_ID}/cancel"
