"""Files that callers put into S3 themselves, and fetch from there."""

import zlib
from typing import Any

import gevent
import orjson
import pytest
import requests
from werkzeug.test import TestResponse

from jobs.batches.upload import LEAST_PART
from jobs.batches.upload_store import LIFETIME_MS
from jobs.files.s3_direct import GET_SECONDS
from tests.unit.web.batch_calls import CSV, RESULT, publish_end
from tests.unit.web.conftest import NewSite
from tests.unit.web.site import Site, problem
from web.keys import digest

KEYS = f"ann:{digest('ann')},bob:{digest('bob')}"
ANN, BOB = {"X-API-Key": "ann"}, {"X-API-Key": "bob"}
LONG = b"id,years\n" + b"a,2.5\n" * (LEAST_PART // 6 + 100)


@pytest.fixture
def site(aws: Any, new_site: NewSite) -> Site:
    return new_site(keys=KEYS, files="s3://salaries/files", direct_files=True)


def begin(site: Site, file: bytes = CSV, crc32: int | None = None, **more: Any) -> TestResponse:
    crc = {} if crc32 is None else {"crc32": f"{crc32:08x}"}
    return site.client.post("/v1/uploads", json={"size": len(file), **crc, **more}, headers=ANN)


def put(part: dict[str, Any], file: bytes) -> None:
    piece = file[part["offset"] : part["offset"] + part["size"]]
    answer = requests.request(part["method"], part["url"], data=piece, headers=part["headers"], timeout=9)
    assert answer.status_code == 200, answer.text


def uploaded(site: Site, file: bytes = CSV, **more: Any) -> str:
    """The id of an upload whose parts have all arrived."""
    upload = begin(site, file, **more).get_json()
    for part in upload["parts"]:
        put(part, file)
    return str(upload["id"])


def post(site: Site, upload: str, headers: dict[str, str] | None = None, **options: Any) -> TestResponse:
    body = orjson.dumps({"upload": upload, **options})
    return site.client.post(
        "/v1/batches", data=body, content_type="application/json", headers={**ANN, **(headers or {})}
    )


def objects(aws: Any) -> list[str]:
    return [each["Key"] for each in aws.list_objects_v2(Bucket="salaries").get("Contents", ())]


def test_a_file_is_put_into_s3_scored_and_fetched_from_there(site: Site) -> None:
    upload = begin(site, media_type="text/csv", name="people.csv", crc32=zlib.crc32(CSV)).get_json()
    assert (upload["size"], upload["missing"]) == (len(CSV), 1)
    [part] = upload["parts"]
    assert part["headers"] == {"Content-Length": str(len(CSV))}
    put(part, CSV)
    path = f"/v1/uploads/{upload['id']}"
    assert site.client.get(path, headers=ANN).get_json()["missing"] == 0
    response = post(site, upload["id"])
    assert response.status_code == 202, response.text
    batch = response.get_json()
    assert batch["id"] == upload["id"].replace("upload_", "batch_")
    site.score_batches()
    redirect = site.client.get(batch["urls"]["results"], headers=ANN)
    assert redirect.status_code == 307
    assert f"X-Amz-Expires={GET_SECONDS}" in redirect.location
    results = requests.get(redirect.location, timeout=9)
    assert results.content == RESULT
    assert results.headers["Content-Type"] == "text/csv"
    assert results.headers["Content-Disposition"] == f'attachment; filename="{batch["id"]}-result.csv"'
    part_of = requests.get(redirect.location, headers={"Range": "bytes=3-4"}, timeout=9)
    assert (part_of.status_code, part_of.content) == (206, RESULT[3:5])


def test_a_long_file_has_parts_of_which_each_has_its_own_address(site: Site) -> None:
    upload = begin(site, LONG, crc32=zlib.crc32(LONG)).get_json()
    first, second = upload["parts"]
    assert (first["size"], second["offset"]) == (LEAST_PART, LEAST_PART)
    put(second, LONG)
    refused = post(site, upload["id"])
    assert problem(refused, 409)["detail"] == (
        "of the 2 parts of this upload, 1 have not arrived: 1; put them, then post again"
    )
    left = site.client.get(f"/v1/uploads/{upload['id']}", headers=ANN).get_json()
    assert [part["number"] for part in left["parts"]] == [1]
    put(left["parts"][0], LONG)
    assert post(site, upload["id"]).status_code == 202


def test_a_file_of_many_parts_is_shown_a_hundred_at_a_time(site: Site) -> None:
    upload = site.client.post("/v1/uploads", json={"size": 100 * 1024**3}, headers=ANN).get_json()
    assert (upload["missing"], len(upload["parts"])) == (995, 100)
    assert upload["parts"][-1]["number"] == 100


def test_nothing_that_did_not_arrive_is_accepted(site: Site) -> None:
    upload = begin(site).get_json()
    assert problem(post(site, upload["id"]), 409)["detail"].startswith("of the 1 parts of this upload, 1")


def test_a_file_that_arrived_otherwise_is_refused_and_removed(site: Site, aws: Any) -> None:
    upload = uploaded(site, CSV, crc32=zlib.crc32(b"another file"))
    refused = problem(post(site, upload), 422)["detail"]
    assert refused.startswith(
        f"the file that arrived has another CRC-32 than {zlib.crc32(b'another file'):08x}"
    )
    assert objects(aws) == []
    assert post(site, upload).status_code == 404


def test_a_part_of_another_size_has_not_arrived(site: Site) -> None:
    upload = begin(site).get_json()
    requests.put(
        upload["parts"][0]["url"], data=CSV[:-1], timeout=9
    )  # S3 itself refuses it: the size is signed
    assert "SignedHeaders=content-length%3Bhost" in upload["parts"][0]["url"]
    assert post(site, upload["id"]).status_code == 409


def test_an_upload_of_another_owner_is_unknown(site: Site) -> None:
    upload = uploaded(site)
    path = f"/v1/uploads/{upload}"
    answers = [
        post(site, upload, BOB),
        site.client.get(path, headers=BOB),
        site.client.delete(path, headers=BOB),
    ]
    assert [answer.status_code for answer in answers] == [404, 404, 404]
    assert post(site, upload).status_code == 202


@pytest.mark.parametrize("upload", ["upload_7", "batch_019bd0f0-0000-7000-8000-000000000000", "../x", ""])
def test_what_is_no_id_of_an_upload_is_unknown(site: Site, upload: str) -> None:
    assert post(site, upload).status_code == 404


def test_an_upload_is_for_one_batch(site: Site) -> None:
    upload = uploaded(site)
    batch = post(site, upload).get_json()
    assert problem(post(site, upload, explain=True), 409)["detail"].startswith(f"{batch['id']} has taken")


def test_of_two_requests_at_once_one_gets_the_upload(site: Site) -> None:
    upload = uploaded(site)
    both = [gevent.spawn(post, site, upload, explain=explain) for explain in (True, False)]
    gevent.joinall(both)
    assert sorted(each.value.status_code for each in both) == [202, 409]


def test_a_key_stands_for_the_batch_of_its_upload(site: Site) -> None:
    upload, key = uploaded(site), {"Idempotency-Key": "k"}
    batch = post(site, upload, key).get_json()
    again = post(site, upload, key)
    assert (again.get_json()["id"], again.headers["Idempotency-Replayed"]) == (batch["id"], "true")
    assert post(site, upload, key, explain=True).status_code == 422
    assert post(site, uploaded(site), key).status_code == 422


def test_a_file_that_is_uploaded_again_is_the_same_by_its_crc32(site: Site) -> None:
    key, crc32 = {"Idempotency-Key": "k"}, zlib.crc32(CSV)
    batch = post(site, uploaded(site, crc32=crc32), key).get_json()
    assert post(site, uploaded(site, crc32=crc32), key).get_json()["id"] == batch["id"]


@pytest.mark.usefixtures("no_polling")
def test_a_dry_run_leaves_the_upload_for_its_batch(site: Site) -> None:
    upload = uploaded(site)
    waits = site.started(post, site, upload, dry_run=True)
    site.score_batches()
    [job_id] = site.jobs()
    publish_end(site, job_id)
    preview = waits.get(timeout=5)
    assert preview.status_code == 200, preview.text
    assert preview.get_json()["rows"] == 3
    assert post(site, upload).status_code == 202


def test_a_refused_batch_leaves_the_upload_for_another_request(new_site: NewSite, aws: Any) -> None:
    site = new_site(keys=KEYS, files="s3://salaries/files", direct_files=True, max_batches_per_key=1)
    upload = uploaded(site)
    assert post(site, upload, model="nobody").status_code == 404
    assert post(site, upload, delimiter="|").status_code == 422
    other = site.client.post("/v1/batches", data=CSV, content_type="text/csv", headers=ANN)
    assert other.status_code == 202
    assert post(site, upload).status_code == 429
    site.score_batches()
    assert post(site, upload).status_code == 202


def test_an_owner_has_so_many_unused_uploads(new_site: NewSite, aws: Any) -> None:
    site = new_site(keys=KEYS, files="s3://salaries/files", direct_files=True, max_batches_per_key=2)
    first = uploaded(site)
    uploaded(site)
    refused = begin(site)
    assert refused.status_code == 429
    assert 0 < int(refused.headers["Retry-After"]) <= LIFETIME_MS // 1000
    assert [
        each.get("UploadId") for each in aws.list_multipart_uploads(Bucket="salaries").get("Uploads", [])
    ][2:] == []
    assert site.client.delete(f"/v1/uploads/{first}", headers=ANN).status_code == 204
    assert begin(site).status_code == 201
    assert site.client.post("/v1/uploads", json={"size": 5}, headers=BOB).status_code == 201


def test_a_used_upload_counts_no_more(new_site: NewSite, aws: Any) -> None:
    site = new_site(keys=KEYS, files="s3://salaries/files", direct_files=True, max_batches_per_key=1)
    assert post(site, uploaded(site)).status_code == 202
    assert begin(site).status_code == 201


def test_what_is_deleted_is_gone(site: Site, aws: Any) -> None:
    upload = uploaded(site)
    assert post(site, upload, delimiter="|").status_code == 422  # complete, and refused
    assert len(objects(aws)) == 1
    assert site.client.delete(f"/v1/uploads/{upload}", headers=ANN).status_code == 204
    assert objects(aws) == []
    assert post(site, upload).status_code == 404


def test_deleting_an_upload_leaves_the_file_of_its_batch(site: Site) -> None:
    upload = uploaded(site)
    batch = post(site, upload).get_json()
    assert site.client.delete(f"/v1/uploads/{upload}", headers=ANN).status_code == 204
    site.score_batches()
    assert site.client.get(batch["urls"]["self"], headers=ANN).get_json()["status"] == "partially_succeeded"


def test_an_expired_upload_is_unknown(site: Site) -> None:
    upload = uploaded(site)
    site.redis.pexpire(f"upload:{upload}", 0)
    assert post(site, upload).status_code == 404


@pytest.mark.parametrize(
    ("sent", "status", "pointers"),
    [
        ({}, 422, ["/size"]),
        ({"size": 0}, 422, ["/size"]),
        ({"size": 5, "crc32": "XYZ", "url": "x"}, 422, ["/crc32", "/url"]),
        ({"size": 5, "media_type": "image/png"}, 415, None),
        ({"size": 200 * 1024**3}, 413, None),
    ],
)
def test_what_cannot_be_uploaded_is_refused(site: Site, sent: Any, status: int, pointers: Any) -> None:
    found = problem(site.client.post("/v1/uploads", json=sent, headers=ANN), status)
    assert pointers is None or [fault["pointer"] for fault in found["errors"]] == pointers


def test_without_direct_files_there_are_no_uploads(new_site: NewSite, aws: Any) -> None:
    site = new_site(keys=KEYS, files="s3://salaries/files")
    assert "post the file itself to /v1/batches" in problem(begin(site), 404)["detail"]
    assert post(site, "upload_019bd0f0-0000-7000-8000-000000000000").status_code == 404
    posted = site.client.post("/v1/batches", data=CSV, content_type="text/csv", headers=ANN)
    site.score_batches()
    assert site.client.get(posted.get_json()["urls"]["results"], headers=ANN).data == RESULT


def test_what_the_redirect_cannot_say_web_says_itself(site: Site) -> None:
    batch = post(site, uploaded(site)).get_json()
    site.score_batches()
    results = batch["urls"]["results"]
    head = site.web.app.test_client().head(results, headers=ANN)
    assert (head.status_code, head.headers["Content-Length"]) == (200, str(len(RESULT)))
    assert site.client.get(results, headers={**ANN, "Range": "bytes=9999-"}).status_code == 416
    assert site.client.get(results, headers={**ANN, "Accept": "application/json"}).status_code == 406
    assert site.client.get(results, headers=BOB).status_code == 404
    errors = site.client.get(batch["urls"]["errors"], headers=ANN)
    assert orjson.loads(requests.get(errors.location, timeout=9).content)["row"] == 1


def test_the_page_reads_results_through_web(site: Site) -> None:
    batch = post(site, uploaded(site)).get_json()
    site.score_batches()
    page = site.client.get(f"/job?id={batch['id']}", headers=ANN)
    assert "260.00012" in page.text
