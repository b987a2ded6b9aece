"""A prefix, a glob or a manifest is one batch, and each of its files has results of its own."""

import gzip
import io
from hashlib import sha256
from typing import Any

import orjson
import pyarrow
import pyarrow.parquet
import pytest
from werkzeug.test import TestResponse

from tests.unit.web.batch_calls import damaged, publish_end, sweep
from tests.unit.web.conftest import NewSite
from tests.unit.web.site import Site, problem

ADA = b"id,years\na,2.5\nb,many\n"
BOB = b"id,years\nc,4.5\n"
HEADER = b"id,prediction,warnings,error\n"


@pytest.fixture
def site(aws: Any, new_site: NewSite) -> Site:
    put(aws, "in/ada.csv", ADA)
    put(aws, "in/2026/bob.csv", BOB)
    return new_site(s3_allow="s3://salaries")


def put(aws: Any, key: str, body: bytes) -> None:
    aws.put_object(Bucket="salaries", Key=key, Body=body)


def content(aws: Any, key: str) -> bytes:
    found: bytes = aws.get_object(Bucket="salaries", Key=key)["Body"].read()
    return found


def post(site: Site, **body: Any) -> TestResponse:
    return site.client.post("/v1/batches", data=orjson.dumps(body), content_type="application/json")


def scored(site: Site, **body: Any) -> Any:
    """The batch, once it has ended."""
    response = post(site, **body)
    assert response.status_code == 202, response.text
    site.score_batches()
    return site.client.get(response.get_json()["urls"]["self"]).get_json()


def manifest(site: Site, batch: Any) -> Any:
    return site.client.get(batch["urls"]["manifest"]).get_json()


def test_each_file_under_a_prefix_has_results_under_the_output(site: Site, aws: Any) -> None:
    batch = scored(site, input="s3://salaries/in/", output="s3://salaries/out")
    assert batch["status"] == "partially_succeeded"
    assert batch["counts"] == {"total": 3, "succeeded": 2, "failed": 1}
    assert batch["files"] == {"total": 2, "failed": 0}
    folder = f"out/{batch['id']}"
    assert content(aws, f"{folder}/ada.csv.result.csv") == (
        HEADER + b"a,260.00012,,\nb,,,years must be a number\n"
    )
    assert content(aws, f"{folder}/2026/bob.csv.result.csv") == HEADER + b"c,374.99866,,\n"
    [failed] = content(aws, f"{folder}/ada.csv.errors.ndjson").splitlines()
    assert orjson.loads(failed)["row"] == 1
    written = orjson.loads(content(aws, f"{folder}/manifest.json"))
    assert written == manifest(site, batch)
    assert [(file["input"], file["status"], file["rows"], file["failed"]) for file in written["files"]] == [
        ("s3://salaries/in/2026/bob.csv", "succeeded", 1, 0),
        ("s3://salaries/in/ada.csv", "partially_succeeded", 2, 1),
    ]
    bob, ada = written["files"]
    assert bob["errors"] is None
    found = aws.head_object(Bucket="salaries", Key=ada["results"]["address"].removeprefix("s3://salaries/"))
    assert (found["ETag"], found["ContentLength"]) == (ada["results"]["etag"], ada["results"]["size"])


def test_without_an_output_each_file_is_sent_by_its_number(site: Site) -> None:
    batch = scored(site, input="s3://salaries/in/")
    bob, ada = manifest(site, batch)["files"]
    results = site.client.get(f"{batch['urls']['results']}?file={bob['file']}")
    assert results.data == HEADER + b"c,374.99866,,\n"
    assert bob["results"] == {"size": len(results.data), "sha256": sha256(results.data).hexdigest()}
    assert results.headers["ETag"] == f'"{batch["id"]}-0-result"'
    errors = site.client.get(f"{batch['urls']['errors']}?file={ada['file']}").data
    assert sha256(errors).hexdigest() == ada["errors"]["sha256"]
    problem(site.client.get(f"{batch['urls']['errors']}?file=0"), 409)  # no row of bob has failed
    for query in ("", "?file=2"):
        problem(site.client.get(f"{batch['urls']['results']}{query}"), 404)
    problem(site.client.get(f"{batch['urls']['results']}?file=one"), 400)


def test_a_batch_of_one_file_has_no_manifest(site: Site) -> None:
    batch = scored(site, input="s3://salaries/in/ada.csv")
    assert not {"files", "manifest"} & (batch.keys() | batch["urls"].keys())
    problem(site.client.get(f"{batch['urls']['self']}/manifest"), 409)
    problem(site.client.get(f"{batch['urls']['results']}?file=0"), 404)


@pytest.mark.parametrize(
    ("pattern", "found"),
    [
        ("in/*.csv", ["in/ada.csv"]),
        ("in/*/*.csv", ["in/2026/bob.csv"]),
        ("in/20[0-9][0-9]/b?b.*", ["in/2026/bob.csv"]),
        ("i*/[!b]*.csv", ["in/ada.csv"]),
    ],
)
def test_a_glob_finds_what_fits_within_its_folders(site: Site, pattern: str, found: list[str]) -> None:
    batch = scored(site, input=f"s3://salaries/{pattern}")
    inputs = [file["input"] for file in manifest(site, batch)["files"]]
    assert inputs == [f"s3://salaries/{each}" for each in found]


def test_under_a_prefix_what_is_no_table_is_left_out(site: Site, aws: Any) -> None:
    for key in ("_SUCCESS", "_old/ada.csv", ".ada.csv.crc", "2026/.hidden.csv", "notes.txt", "2026/"):
        put(aws, f"in/{key}", ADA)
    batch = scored(site, input="s3://salaries/in/")
    assert batch["files"]["total"] == 2


SAGEMAKER = [{"prefix": "s3://salaries/in/"}, "ada.csv", "2026/bob.csv"]
ADDRESSES = ["s3://salaries/in/ada.csv", "s3://salaries/in/2026/bob.csv"]
MANIFESTS = {
    "a list of SageMaker": orjson.dumps(SAGEMAKER),
    "a list of addresses": orjson.dumps(ADDRESSES),
    "an address on each line": b"\n".join(map(orjson.dumps, ADDRESSES)),
    "an object on each line": b"".join(orjson.dumps({"input": each}) + b"\n" for each in ADDRESSES),
}


@pytest.mark.parametrize("name", MANIFESTS)
def test_the_files_of_a_manifest_are_scored_in_its_order(site: Site, aws: Any, name: str) -> None:
    put(aws, "lists/today.manifest", MANIFESTS[name])
    batch = scored(site, input="s3://salaries/lists/today.manifest", output="s3://salaries/out")
    assert [file["input"] for file in manifest(site, batch)["files"]] == ADDRESSES
    assert content(aws, f"out/{batch['id']}/2026/bob.csv.result.csv") == HEADER + b"c,374.99866,,\n"
    assert all(file["etag"] and file["size"] for file in manifest(site, batch)["files"])


def test_the_manifest_of_a_batch_is_that_of_the_next_with_the_same_versions(site: Site, aws: Any) -> None:
    first = scored(site, input="s3://salaries/in/", output="s3://salaries/out")
    put(aws, "in/ada.csv", ADA + b"c,1\n")
    again = scored(site, input=f"s3://salaries/out/{first['id']}/manifest.json")
    bob, ada = manifest(site, again)["files"]
    assert (bob["status"], ada["status"]) == ("succeeded", "failed")
    assert "was changed" in ada["error"]["detail"]


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        (b"{]", "line 1 of the manifest is not JSON"),
        (b"[]", "names no file"),
        (orjson.dumps(["s3://other/x.csv"]), "file 1 of the manifest is not an address"),
        (orjson.dumps([*ADDRESSES, 7]), "file 3 of the manifest is not an address"),
        (orjson.dumps(["s3://salaries/in/x.txt"]), "must end in one of .csv"),
        (orjson.dumps([*ADDRESSES, ADDRESSES[0]]), "names s3://salaries/in/ada.csv twice"),
        (orjson.dumps(["s3://salaries/in/../../x.csv"]), "file 1 of the manifest is not an address"),
        (orjson.dumps([f"s3://salaries/{number}.csv" for number in range(4)]), "more than 3 files"),
    ],
)
def test_a_manifest_that_cannot_be_used_is_refused_with_the_reason(
    new_site: NewSite, aws: Any, body: bytes, reason: str
) -> None:
    site = new_site(s3_allow="s3://salaries", max_files_per_batch=3)
    put(aws, "list.json", body)
    [fault] = problem(post(site, input="s3://salaries/list.json"), 422)["errors"]
    assert fault["pointer"] == "/input"
    assert reason in fault["detail"]


@pytest.mark.parametrize(
    ("named", "reason"),
    [
        ("none/", "no file is found there"),
        ("in/*.parquet", "no file is found there"),
        ("none.manifest", "no such manifest"),
        ("many/", "more than 3 files"),
        ("crowd/", "over 30 files begin like this"),
    ],
)
def test_an_input_that_names_no_files_or_too_many_is_refused(
    site: Site, new_site: NewSite, aws: Any, named: str, reason: str
) -> None:
    site = new_site(s3_allow="s3://salaries", max_files_per_batch=3)
    for number in range(31):
        put(aws, f"crowd/{number}.txt", ADA)
        put(aws, f"many/{number}.csv", ADA)
    [fault] = problem(post(site, input=f"s3://salaries/{named}"), 422)["errors"]
    assert reason in fault["detail"]


def test_files_that_are_too_long_together_are_refused(new_site: NewSite, aws: Any) -> None:
    site = new_site(s3_allow="s3://salaries", max_file=1024)
    for name in ("one", "two"):
        put(aws, f"long/{name}.csv", b"years\n" + b"1\n" * 300)
    assert (
        "the 2 files have 1212 bytes together"
        in problem(post(site, input="s3://salaries/long/"), 413)["detail"]
    )
    put(aws, "long.json", orjson.dumps(["s3://salaries/long/one.csv", "s3://salaries/long/two.csv"]))
    one, two = manifest(site, scored(site, input="s3://salaries/long.json"))["files"]
    assert (one["status"], two["error"]["type"]) == ("succeeded", "over_limit")


def test_an_output_below_the_input_is_refused(site: Site) -> None:
    [fault] = problem(post(site, input="s3://salaries/in/", output="s3://salaries/in/out"), 422)["errors"]
    assert "the next batch would take results for inputs" in fault["detail"]


def test_a_file_that_cannot_be_read_fails_alone_and_is_named(site: Site, aws: Any) -> None:
    put(aws, "in/cleo.csv", b"id,name\n1,cleo\n")
    put(aws, "in/dan.csv", b"")
    put(aws, "in/eve.csv.gz", b"\x1f\x8bjunk" * 9)
    batch = scored(site, input="s3://salaries/in/")
    assert (batch["status"], batch["files"]) == ("partially_succeeded", {"total": 5, "failed": 3})
    assert batch["error"]["type"] == "files_failed"
    assert (
        "3 of 5 files failed: s3://salaries/in/cleo.csv: there is no column years" in batch["error"]["detail"]
    )
    failed = [file for file in manifest(site, batch)["files"] if file["error"]]
    assert [(file["input"], file["status"], file["results"]) for file in failed] == [
        (f"s3://salaries/in/{name}", "failed", None) for name in ("cleo.csv", "dan.csv", "eve.csv.gz")
    ]
    assert batch["progress"] == 1.0


def test_a_batch_of_which_no_file_can_be_read_fails_and_has_a_manifest(site: Site, aws: Any) -> None:
    for name in ("cleo", "dan"):
        put(aws, f"bad/{name}.csv", b"id\n1\n")
    batch = scored(site, input="s3://salaries/bad/")
    assert (batch["status"], batch["error"]["type"]) == ("failed", "files_failed")
    assert [file["status"] for file in manifest(site, batch)["files"]] == ["failed", "failed"]


def test_a_file_that_changes_after_it_was_listed_is_refused(site: Site, aws: Any) -> None:
    response = post(site, input="s3://salaries/in/")
    put(aws, "in/ada.csv", BOB)
    aws.delete_object(Bucket="salaries", Key="in/2026/bob.csv")
    put(aws, "in/late.csv", BOB)
    site.score_batches()
    batch = response.get_json()
    bob, ada = manifest(site, batch)["files"]
    assert bob["error"] == {"type": "file_missing", "detail": "The file does not exist."}
    assert ada["error"]["detail"].startswith("a file in bucket salaries was changed")


def test_a_file_that_changes_after_it_was_planned_is_refused_too(site: Site, aws: Any) -> None:
    put(aws, "today.json", orjson.dumps(ADDRESSES))
    batch = post(site, input="s3://salaries/today.json").get_json()
    site.score_batches(tasks=1)  # a manifest has no versions, so planning finds them
    put(aws, "in/ada.csv", b"id,years\nz,9.5\ny,9.5\n")
    site.score_batches()
    ended = site.client.get(batch["urls"]["self"]).get_json()
    ada, bob = manifest(site, batch)["files"]
    assert (ended["status"], ended["files"]["failed"]) == ("partially_succeeded", 1)
    assert (ada["status"], ada["results"], bob["status"]) == ("failed", None, "succeeded")


def test_formats_and_packed_files_may_be_mixed_and_results_have_one_format(site: Site, aws: Any) -> None:
    put(aws, "mixed/a.csv.gz", gzip.compress(ADA))
    put(aws, "mixed/b.ndjson", b'{"id":"n","years":12.5}\n')
    put(aws, "mixed/c.csv", "id;years\nä;2,5\n".encode("utf-16"))
    parquet = io.BytesIO()
    pyarrow.parquet.write_table(pyarrow.table({"years": [4.5], "id": ["p"]}), parquet)
    put(aws, "mixed/d.parquet", parquet.getvalue())
    batch = scored(site, input="s3://salaries/mixed/", results="ndjson")
    assert batch["counts"] == {"total": 5, "succeeded": 4, "failed": 1}
    scores = [
        [orjson.loads(line)["prediction"] for line in results_of(site, batch, number).splitlines()]
        for number in range(4)
    ]
    assert scores == [[260.00012, None], [749.99884], [260.00012], [374.99866]]
    assert scored(site, input="s3://salaries/mixed/")["results"] == "csv"  # as the first file


def results_of(site: Site, batch: Any, number: int) -> bytes:
    content: bytes = site.client.get(f"{batch['urls']['results']}?file={number}").data
    return content


def test_a_dry_run_looks_at_every_file(site: Site, aws: Any) -> None:
    put(aws, "in/cleo.csv", b"id\n1\n")
    waits = site.started(post, site, input="s3://salaries/in/", dry_run=True)
    site.score_batches()
    found = waits.get().get_json()
    assert (found["rows"], found["columns"]["kept"]) == (3, ["id"])
    assert found["files"]["failed"] == 1
    assert found["files"]["errors"][0]["input"] == "s3://salaries/in/cleo.csv"


@pytest.mark.usefixtures("no_polling")
def test_a_dry_run_names_the_file_that_is_damaged(site: Site, aws: Any) -> None:
    put(aws, "damaged/a.parquet", damaged(group=0))
    put(aws, "damaged/b.csv", BOB)
    waits = site.started(post, site, input="s3://salaries/damaged/", dry_run=True)
    site.score_batches()
    [job_id] = site.jobs()
    publish_end(site, job_id)
    detail = problem(waits.get(timeout=5), 422)["detail"]
    assert detail == "s3://salaries/damaged/a.parquet: row groups 0 to 2 cannot be read; the file is damaged"


def test_a_repeated_request_is_the_same_batch_though_the_files_have_changed(site: Site, aws: Any) -> None:
    def send() -> TestResponse:
        return site.client.post(
            "/v1/batches",
            data=orjson.dumps({"input": "s3://salaries/in/"}),
            content_type="application/json",
            headers={"Idempotency-Key": "k"},
        )

    first = send()
    put(aws, "in/late.csv", BOB)
    again = send()
    assert again.get_json()["id"] == first.get_json()["id"]
    assert again.headers["Idempotency-Replayed"] == "true"


def test_deleting_a_batch_removes_what_it_keeps_and_nothing_of_the_caller(site: Site, aws: Any) -> None:
    batch = scored(site, input="s3://salaries/in/", output="s3://salaries/out")
    assert site.client.delete(batch["urls"]["self"]).status_code == 204
    sweep(site)
    assert list(site.files.folders("batches")) == []
    assert site.jobs() == []
    assert content(aws, "in/ada.csv") == ADA
    assert content(aws, f"out/{batch['id']}/manifest.json")


def test_a_canceled_batch_keeps_the_files_that_were_scored(site: Site) -> None:
    batch = post(site, input="s3://salaries/in/").get_json()
    site.score_batches(tasks=2)
    assert site.client.post(batch["urls"]["cancel"]).status_code == 202
    site.score_batches()
    ended = site.client.get(batch["urls"]["self"]).get_json()
    assert ended["status"] == "canceled"
    bob, ada = manifest(site, batch)["files"]
    assert (bob["status"], ada["status"], ada["results"]) == ("succeeded", "canceled", None)
    assert results_of(site, batch, 0) == HEADER + b"c,374.99866,,\n"


def test_the_page_shows_each_file_with_its_downloads(site: Site, aws: Any) -> None:
    put(aws, "in/cleo.csv", b"id\n1\n")
    batch = post(site, input="s3://salaries/in/").get_json()
    assert "Your files are being scored" in site.client.get(f"/job?id={batch['id']}").text
    site.score_batches()
    page = site.client.get(f"/job?id={batch['id']}").text
    for name in ("ada.csv", "2026/bob.csv", "cleo.csv"):
        assert f'<th scope="row">{name}</th>' in page
    assert f'href="v1/batches/{batch["id"]}/results?file=0"' in page
    assert f'href="v1/batches/{batch["id"]}/manifest"' in page
    assert "failed: there is no column years" in page


def test_failed_rows_of_all_files_are_tried_again_and_the_rest_is_kept(
    site: Site, aws: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    put(aws, "in/cleo.csv", b"id\n1\n")
    first = scored(site, input="s3://salaries/in/", output="s3://salaries/out")
    answer = site.client.post(f"{first['urls']['self']}/retry")
    assert answer.status_code == 202, answer.text
    again = answer.get_json()
    assert again["files"] == {"total": 3, "failed": 1}
    site.score_batches()
    ended = site.client.get(again["urls"]["self"]).get_json()
    assert (ended["status"], ended["counts"]) == (first["status"], first["counts"])
    for name in ("ada.csv.result.csv", "ada.csv.errors.ndjson", "2026/bob.csv.result.csv"):
        assert content(aws, f"out/{again['id']}/{name}") == content(aws, f"out/{first['id']}/{name}")
    assert manifest(site, ended)["files"][2]["error"]["type"] == "invalid_table"


def test_files_of_which_no_row_failed_are_not_tried_again(site: Site, aws: Any) -> None:
    put(aws, "some/bob.csv", BOB)
    put(aws, "some/cleo.csv", b"id\n1\n")
    batch = scored(site, input="s3://salaries/some/")
    refused = problem(site.client.post(f"{batch['urls']['self']}/retry"), 409)
    assert "the manifest has the files that did" in refused["detail"]
    rows = b'{"row":0,"input":{"years":1}}\n'
    both = scored(site, input="s3://salaries/in/")
    refused = site.client.post(
        f"{both['urls']['self']}/retry", data=rows, content_type="application/x-ndjson"
    )
    assert "rows of several files cannot be corrected" in problem(refused, 409)["detail"]
