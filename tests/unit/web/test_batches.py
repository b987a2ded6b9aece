"""A file goes in, and one line for each of its rows comes out."""

import gzip
import shutil
from io import BytesIO
from pathlib import Path
from typing import Any

import orjson
import pyarrow as pa
import pyarrow.parquet
import pytest
from werkzeug.test import TestResponse

from tests.unit.model.conftest import rewrite
from tests.unit.web.conftest import NewSite
from tests.unit.web.site import BUNDLES, Site, problem

CSV = b"id,years\na,2.5\nb,many\nc,12.5\n"
RESULT = b"""\
id,prediction,warnings,error
a,260.00012,,
b,,,years must be a number
c,749.99884,years is above what training saw (1 to 12),
"""
ROWS = [{"years": 2.5}, {"years": "12.5"}]


def post(
    site: Site, body: bytes = CSV, kind: str = "text/csv", query: str = "", **headers: str
) -> TestResponse:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return site.client.post(f"/v1/batches{query}", data=body, content_type=kind, headers=named)


def posted(site: Site, *args: Any, **more: Any) -> str:
    response = post(site, *args, **more)
    assert response.status_code == 202, response.text
    path: str = response.headers["Location"]
    return path


def test_a_file_is_taken_in_and_its_batch_told(site: Site) -> None:
    response = post(site)
    batch = response.get_json()
    assert (response.status_code, batch["status"], batch["object"]) == (202, "validating", "batch")
    assert response.headers["Location"] == batch["urls"]["self"] == f"/v1/batches/{batch['id']}"
    assert batch["counts"] == {"total": None, "succeeded": 0, "failed": 0}
    assert batch["progress"] == 0


def test_each_row_has_its_line_and_each_failed_row_its_reason(site: Site) -> None:
    path = posted(site)
    site.score_batches()
    batch = site.client.get(path).get_json()
    assert batch["status"] == "partially_succeeded"
    assert batch["counts"] == {"total": 3, "succeeded": 2, "failed": 1}
    assert (batch["progress"], batch["eta_seconds"], batch["error"]) == (1, 0, None)
    assert site.client.get(f"{path}/results").data == RESULT
    errors = site.client.get(f"{path}/errors").data
    assert orjson.loads(errors) == {"row": 1, "errors": [{"pointer": "/years", "detail": "must be a number"}]}


def test_rows_may_come_as_json(site: Site) -> None:
    body = orjson.dumps({"rows": ROWS, "metadata": {"for": "ada"}, "include_inputs": True})
    path = posted(site, body, "application/json")
    site.score_batches()
    batch = site.client.get(path).get_json()
    assert (batch["status"], batch["metadata"]) == ("succeeded", {"for": "ada"})
    assert site.client.get(f"{path}/results").data == (
        b'{"years":2.5,"prediction":260.00012,"warnings":null,"error":null}\n'
        b'{"years":"12.5","prediction":749.99884,'
        b'"warnings":"years is above what training saw (1 to 12)","error":null}\n'
    )


def test_results_come_in_the_format_that_was_asked_for(site: Site) -> None:
    path = posted(site, query="?results=ndjson&prefix=our_")
    site.score_batches()
    response = site.client.get(f"{path}/results")
    assert response.mimetype == "application/x-ndjson"
    assert orjson.loads(response.data.splitlines()[0]) == {
        "id": "a",
        "our_prediction": 260.00012,
        "our_warnings": None,
        "our_error": None,
    }
    problem(site.client.get(f"{path}/results", headers={"Accept": "text/csv"}), 406)


def test_a_file_may_be_packed(site: Site) -> None:
    for packed in (gzip.compress(CSV), gzip.compress(CSV[:9]) + gzip.compress(CSV[9:])):
        path = posted(site, packed, Content_Encoding="gzip")
        site.score_batches()
        assert site.client.get(f"{path}/results").data == RESULT


def test_what_unpacks_to_too_much_is_refused(new_site: NewSite) -> None:
    site = new_site(max_file=1_000_000)
    problem(post(site, gzip.compress(CSV + b"d,1\n" * 250_000), Content_Encoding="gzip"), 413)
    problem(post(site, CSV + b"d,1\n" * 250_000), 413)
    assert not list(site.batches.files.folders("batches"))


@pytest.mark.parametrize("body", [gzip.compress(CSV)[:-5], b"years\n1\n"], ids=["cut off", "plain"])
def test_what_is_no_whole_gzip_is_refused(site: Site, body: bytes) -> None:
    problem(post(site, body, Content_Encoding="gzip"), 400)


@pytest.mark.parametrize(
    ("body", "kind", "status", "reason"),
    [
        (b"", "text/csv", 422, "the file is empty"),
        (b"years\n", "text/csv", 422, "no rows"),
        (b"age\n1\n", "text/csv", 422, "there is no column years"),
        (b"years,years\n1,1\n", "text/csv", 422, "there twice"),
        (b"years,error\n1,1\n", "text/csv", 422, "give a prefix"),
        (b"years,warnings\n1,1\n", "text/csv", 422, "give a prefix"),
        (b"\x89PNG\r\n\x1a\n\0\0", "text/csv", 422, "no text"),
        (b"\xffyears\n1\n", "text/csv", 422, "charset"),
        (b"[1,2]", "application/x-ndjson", 422, "no JSON object"),
        (b"years\n1\n", "application/vnd.apache.parquet", 422, "no Parquet"),
        (b"<xml/>", "application/xml", 415, "send"),
        (CSV, "text/csv; charset=ebcdic", 415, "charset"),
        (b'{"rows":[]}', "application/json", 422, "no rows"),
        (b'{"rows":[{}],"input":"s3://a/b.csv"}', "application/json", 422, "either"),
        (b'{"input":"s3://bucket/b.csv"}', "application/json", 422, "not allowed"),
        (b'{"input":"/etc/passwd"}', "application/json", 422, "wrong"),
        (b'{"rows":[{}],"colour":1}', "application/json", 422, "wrong"),
    ],
)
def test_what_cannot_be_scored_is_refused_at_the_door(
    site: Site, body: bytes, kind: str, status: int, reason: str
) -> None:
    assert reason in problem(post(site, body, kind), status)["detail"]
    assert not list(site.batches.files.folders("batches"))


@pytest.mark.parametrize(
    ("query", "status"),
    [
        ("?results=xml", 422),
        ("?colour=red", 422),
        ("?prefix=a,b", 422),
        ("?explain=yes", 422),
        ("?model=no", 404),
    ],
)
def test_options_that_cannot_be_met_are_refused(site: Site, query: str, status: int) -> None:
    problem(post(site, query=query), status)


@pytest.mark.parametrize("way", ["query", "body"])
def test_what_each_feature_adds_comes_in_columns_if_asked_for(site: Site, way: str) -> None:
    if way == "query":
        path = posted(site, query="?explain=true")
    else:
        body = {"rows": [{"id": "a", "years": 2.5}], "explain": True, "results": "csv"}
        path = posted(site, orjson.dumps(body), "application/json")
    site.score_batches()
    head, first, *_ = site.client.get(f"{path}/results").text.splitlines()
    assert head == "id,prediction,contribution_years,base,warnings,error"
    _, prediction, contribution, base, *said = first.split(",")
    assert said == ["", ""]
    assert float(contribution) + float(base) == pytest.approx(float(prediction), abs=1e-4)


def test_a_column_named_as_one_of_an_explanation_is_refused_if_that_is_asked_for(site: Site) -> None:
    body = b"years,base\n1,1\n"
    assert "give a prefix" in problem(post(site, body, query="?explain=true"), 422)["detail"]
    assert posted(site, body)
    assert posted(site, body, query="?explain=true&prefix=our_")


def test_a_model_that_cannot_be_explained_says_so(new_site: NewSite, tmp_path: Path) -> None:
    shutil.copytree(BUNDLES, tmp_path / "bundles")
    rewrite(tmp_path / "bundles" / "salary" / "1", explained=False)
    refused = problem(post(new_site(bundles=tmp_path / "bundles"), query="?explain=true"), 422)
    assert refused["errors"] == [{"pointer": "/explain", "detail": "salary@1 gives no explanations"}]


def test_s3_is_open_where_it_is_allowed_and_nowhere_else(new_site: NewSite) -> None:
    site = new_site(s3_allow="s3://salaries/in/,s3://all")
    for address in (
        "s3://salaries/out/a.csv",
        "s3://allmine/a.csv",
        "s3://salaries/in/../out/a.csv",
        "s3://all/a.xml",
    ):
        body = orjson.dumps({"input": address})
        assert problem(post(site, body, "application/json"), 422)["errors"][0]["pointer"] == "/input"


def test_results_are_not_to_be_had_before_the_end(site: Site) -> None:
    path = posted(site)
    problem(site.client.get(f"{path}/results"), 409)
    site.score_batches(tasks=2)
    problem(site.client.get(f"{path}/errors"), 409)


def test_a_part_of_the_results_can_be_asked_for(site: Site) -> None:
    path = posted(site)
    site.score_batches()
    whole = site.client.get(f"{path}/results")
    assert whole.headers["Accept-Ranges"] == "bytes"
    for asked, start, end in (("0-9", 0, 10), ("40-", 40, None), ("-5", -5, None), ("3-999", 3, None)):
        part = site.client.get(f"{path}/results", headers={"Range": f"bytes={asked}"})
        assert (part.status_code, part.data) == (206, RESULT[start:end])
    assert part.headers["Content-Range"] == f"bytes 3-{len(RESULT) - 1}/{len(RESULT)}"
    assert problem(site.client.get(f"{path}/results", headers={"Range": "bytes=999-"}), 416)
    changed = site.client.get(f"{path}/results", headers={"Range": "bytes=0-9", "If-Range": '"other"'})
    assert (changed.status_code, changed.data) == (200, RESULT)
    head = site.app.test_client().head(f"{path}/results")
    assert (head.status_code, head.headers["Content-Length"], head.data) == (200, str(len(RESULT)), b"")


def test_results_are_packed_for_who_takes_that(site: Site) -> None:
    path = posted(site)
    site.score_batches()
    response = site.client.get(f"{path}/results", headers={"Accept-Encoding": "gzip"})
    assert response.headers["Content-Encoding"] == "gzip"
    assert gzip.decompress(response.data) == RESULT


def test_a_batch_that_waits_is_canceled_at_once(site: Site) -> None:
    path = posted(site)
    for _ in range(2):
        response = site.client.post(f"{path}/cancel")
        assert (response.status_code, response.get_json()["status"]) == (200, "canceled")
    site.score_batches()
    assert site.client.get(path).get_json()["status"] == "canceled"
    assert "has no results" in problem(site.client.get(f"{path}/results"), 409)["detail"]


def test_a_batch_that_has_ended_cannot_be_canceled(site: Site) -> None:
    path = posted(site)
    site.score_batches()
    problem(site.client.post(f"{path}/cancel"), 409)


def test_a_batch_that_has_ended_can_be_deleted(site: Site) -> None:
    path = posted(site)
    problem(site.client.delete(path), 409)
    site.score_batches()
    assert site.client.delete(path).status_code == 204
    for gone in (path, f"{path}/results"):
        problem(site.client.get(gone), 404)


def test_a_file_that_turns_out_to_be_no_table_fails_with_the_line(site: Site) -> None:
    path = posted(site, b'years\n1\n"2\n' + b"3\n" * 200_000)
    site.score_batches()
    batch = site.client.get(path).get_json()
    assert (batch["status"], batch["error"]["type"]) == ("failed", "no_table")
    assert batch["error"]["detail"].startswith("line 3: ")


def test_a_damaged_row_group_is_named_and_the_others_are_scored(site: Site) -> None:
    path = posted(site, damaged(group=1), "application/vnd.apache.parquet", "?results=csv")
    site.score_batches()
    ended = site.client.get(path).get_json()
    assert (ended["status"], ended["error"]) == (
        "failed",
        {"type": "no_table", "detail": "row group 1 cannot be read: the file is damaged"},
    )
    assert ended["counts"] == {"total": 6, "succeeded": 3, "failed": 1}
    lines = site.client.get(f"{path}/results").text.splitlines()
    assert [line.split(",")[0] for line in lines] == ["id", "0", "1", "4", "5"]
    missing, error = map(orjson.loads, site.client.get(f"{path}/errors").text.splitlines())
    assert (missing["row"], missing["errors"][0]["detail"]) == (
        2,
        "rows 2 to 3 are not in the results, and not scored",
    )
    assert (error["row"], error["errors"][0]["pointer"]) == (5, "/years")


def test_what_was_scored_stays_though_the_batch_cannot_go_on(site: Site) -> None:
    table = pa.table({"years": [2.5, 12.5]})
    written = BytesIO()
    pyarrow.parquet.write_table(table, written, row_group_size=1)
    path = posted(site, written.getvalue(), "application/vnd.apache.parquet", "?results=csv")
    site.score_batches(tasks=2)  # it is planned, and its first chunk scored
    site.batches.files.remove_file(f"batches/{path.rpartition('/')[2]}/input")
    site.score_batches()
    ended = site.client.get(path).get_json()
    assert (ended["status"], ended["error"]["type"]) == ("failed", "no_file")
    assert site.client.get(f"{path}/results").text == "prediction,warnings,error\n260.00012,,\n"


def damaged(group: int) -> bytes:
    """Three row groups of two rows; one of them is not as it was written."""
    table = pa.table({"id": range(6), "years": [1.5, 2.5, 3.5, 4.5, 5.5, -1e300]})
    written = BytesIO()
    pyarrow.parquet.write_table(table, written, row_group_size=2)
    data = bytearray(written.getvalue())
    column = pyarrow.parquet.read_metadata(written).row_group(group).column(1)
    data[column.dictionary_page_offset : column.dictionary_page_offset + 8] = b"\xff" * 8
    return bytes(data)


def test_if_no_row_can_be_scored_the_batch_has_failed_and_says_so(site: Site) -> None:
    path = posted(site, b"years\nx\ny\n")
    site.score_batches()
    batch = site.client.get(path).get_json()
    assert (batch["status"], batch["error"]["type"]) == ("failed", "rows_failed")
    assert site.client.get(f"{path}/results").data == (
        b"prediction,warnings,error\n" + b",,years must be a number\n" * 2
    )


def test_a_key_stands_for_one_batch(site: Site) -> None:
    first = posted(site, Idempotency_Key="k")
    again = post(site, Idempotency_Key="k")
    assert (again.headers["Location"], again.headers["Idempotency-Replayed"]) == (first, "true")
    problem(post(site, CSV + b"d,1\n", Idempotency_Key="k"), 422)
    problem(post(site, query="?results=ndjson", Idempotency_Key="k"), 422)
    assert len(list(site.batches.files.folders("batches"))) == 1


def test_while_a_body_arrives_its_key_is_claimed(site: Site) -> None:
    site.batches.store.claim_key("anonymous", _digest("k"), "batch_1")
    assert "still arriving" in problem(post(site, Idempotency_Key="k"), 409)["detail"]
    site.batches.store.release_key("anonymous", _digest("k"), "batch_1")
    posted(site, Idempotency_Key="k")


def test_a_refused_body_gives_its_key_back(site: Site) -> None:
    problem(post(site, b"age\n1\n", Idempotency_Key="k"), 422)
    posted(site, Idempotency_Key="k")


def test_an_owner_sees_his_own_batches_the_newest_first(site: Site) -> None:
    paths = [posted(site) for _ in range(3)]
    page = site.client.get("/v1/batches?limit=2").get_json()
    following = site.client.get(page["urls"]["next"]).get_json()
    listed = [batch["urls"]["self"] for batch in page["data"] + following["data"]]
    assert listed == paths[::-1]
    assert following["next_cursor"] is None
    assert site.client.get("/v1/batches?status=succeeded").get_json()["data"] == []


@pytest.mark.parametrize("job_id", ["batch_1", "pred_01a2014c-0000-7000-8000-000000000000"])
def test_what_is_no_id_of_a_batch_is_not_found(site: Site, job_id: str) -> None:
    problem(site.client.get(f"/v1/batches/{job_id}"), 404)


def test_too_many_unfinished_batches_close_the_door(new_site: NewSite) -> None:
    site = new_site(max_batches=1)
    posted(site)
    problem(post(site), 503)
    assert len(list(site.batches.files.folders("batches"))) == 1


def test_a_key_at_its_limit_is_refused_and_still_has_what_it_posted(new_site: NewSite) -> None:
    site = new_site(max_batches_per_key=1)
    first = posted(site, Idempotency_Key="k")
    assert "unfinished" in problem(post(site), 429)["detail"]
    assert posted(site, Idempotency_Key="k") == first
    site.score_batches()
    posted(site)


def test_a_batch_that_is_not_started_by_its_deadline_expires(site: Site) -> None:
    path = posted(site, Cancel_After="30s")
    assert site.client.get(path).get_json()["deadline_at"]
    site.redis.hset(f"job:{path.rpartition('/')[2]}", "deadline", 1)
    assert site.client.get(path).get_json()["status"] == "expired"


def _digest(key: str) -> bytes:
    from jobs.record import Once

    return Once.of("/v1/batches", key, b"").key
