"""Files in callers' own buckets, and results that are written there."""

import gzip
from pathlib import Path
from typing import Any, cast

import orjson
import pytest
from werkzeug.test import TestResponse

from jobs.errors import FileMissing
from tests.unit.web.conftest import NewSite
from tests.unit.web.site import Site, problem

CSV = b"id,years\na,2.5\nb,many\n"
RESULT = b"id,prediction,warnings,error\na,260.00012,,\nb,,,years must be a number\n"


@pytest.fixture
def site(aws: Any, new_site: NewSite) -> Site:
    aws.put_object(Bucket="salaries", Key="in/people.csv", Body=CSV)
    return new_site(s3_allow="s3://salaries,s3://nowhere")


def post(site: Site, **body: Any) -> TestResponse:
    return site.client.post("/v1/batches", data=orjson.dumps(body), content_type="application/json")


def test_results_go_to_the_output_address(site: Site, aws: Any) -> None:
    response = post(site, input="s3://salaries/in/people.csv", output="s3://salaries/out/")
    assert response.status_code == 202
    batch = response.get_json()
    site.score_batches()
    found = aws.get_object(Bucket="salaries", Key=f"out/{batch['id']}/result.csv")
    assert found["Body"].read() == RESULT
    errors = aws.get_object(Bucket="salaries", Key=f"out/{batch['id']}/errors.ndjson")
    assert orjson.loads(errors["Body"].read())["row"] == 1
    assert site.client.get(batch["urls"]["results"]).data == RESULT
    assert aws.get_object(Bucket="salaries", Key="in/people.csv")["Body"].read() == CSV


def test_without_an_output_results_stay_in_the_file_store(site: Site) -> None:
    batch = post(site, input="s3://salaries/in/people.csv", results="ndjson").get_json()
    site.score_batches()
    first = site.client.get(batch["urls"]["results"]).data.splitlines()[0]
    assert orjson.loads(first) == {"id": "a", "prediction": 260.00012, "warnings": None, "error": None}


@pytest.mark.parametrize("name", ["packed.csv.gz", "packed.csv"])
def test_a_gzip_file_is_decompressed_whatever_its_name(site: Site, aws: Any, name: str) -> None:
    aws.put_object(Bucket="salaries", Key=name, Body=gzip.compress(CSV), ContentEncoding="gzip")
    batch = post(site, input=f"s3://salaries/{name}").get_json()
    site.score_batches()
    ended = site.client.get(batch["urls"]["self"]).get_json()
    assert (ended["status"], ended["progress"]) == ("partially_succeeded", 1)
    assert site.client.get(batch["urls"]["results"]).data == RESULT
    files = site.files
    with pytest.raises(FileMissing):
        files.size(f"batches/{batch['id']}/input")


def test_a_plain_file_named_gz_is_read_as_it_is(site: Site, aws: Any) -> None:
    aws.put_object(Bucket="salaries", Key="plain.csv.gz", Body=CSV)
    batch = post(site, input="s3://salaries/plain.csv.gz").get_json()
    site.score_batches()
    assert site.client.get(batch["urls"]["results"]).data == RESULT


@pytest.mark.parametrize(
    ("packed", "reason"),
    [
        (gzip.compress(CSV)[:-4], "the gzip data is cut off"),
        (gzip.compress(CSV)[:9] + b"junk" * 20, "the data is not gzip"),
        (gzip.compress(CSV + b"d,1\n" * 500_000), "the file has more than 1000000 bytes"),
    ],
    ids=["cut off", "broken", "bomb"],
)
def test_a_file_that_cannot_be_decompressed_fails_the_batch(
    new_site: NewSite, aws: Any, packed: bytes, reason: str
) -> None:
    site = new_site(s3_allow="s3://salaries", max_file=1_000_000)
    aws.put_object(Bucket="salaries", Key="packed.csv.gz", Body=packed)
    batch = post(site, input="s3://salaries/packed.csv.gz").get_json()
    site.score_batches()
    ended = site.client.get(batch["urls"]["self"]).get_json()
    assert ended["status"] == "failed"
    assert ended["error"]["detail"].startswith(reason)


def test_a_file_over_the_limit_is_refused(new_site: NewSite, aws: Any) -> None:
    site = new_site(s3_allow="s3://salaries", max_file=1024)
    aws.put_object(Bucket="salaries", Key="long.csv", Body=CSV * 100)
    problem(post(site, input="s3://salaries/long.csv"), 413)


@pytest.mark.parametrize("address", ["s3://salaries/in/nobody.csv", "s3://nowhere/people.csv"])
def test_a_missing_file_is_refused_by_the_post(site: Site, address: str) -> None:
    assert problem(post(site, input=address), 422)["errors"][0]["pointer"] == "/input"


def test_a_file_that_is_gone_before_it_is_read_fails_the_batch(site: Site, aws: Any) -> None:
    batch = post(site, input="s3://salaries/in/people.csv").get_json()
    aws.delete_object(Bucket="salaries", Key="in/people.csv")
    site.score_batches()
    ended = site.client.get(batch["urls"]["self"]).get_json()
    assert (ended["status"], ended["error"]) == (
        "failed",
        {"type": "file_missing", "detail": "The file does not exist."},
    )


def test_an_output_that_cannot_be_written_fails_the_batch(site: Site) -> None:
    batch = post(site, input="s3://salaries/in/people.csv", output="s3://nowhere/out").get_json()
    site.score_batches()
    ended = site.client.get(batch["urls"]["self"]).get_json()
    assert (ended["status"], ended["error"]["detail"]) == ("failed", "bucket nowhere does not exist")


@pytest.mark.parametrize(
    "option", [{"source": "/etc/passwd"}, {"source": "s3://salaries-of-others/x.csv"}, {"output": "/var/out"}]
)
def test_a_record_that_was_changed_in_redis_reaches_no_other_file(site: Site, option: dict[str, str]) -> None:
    batch = post(site, input="s3://salaries/in/people.csv", output="s3://salaries/out").get_json()
    key = f"job:{batch['id']}"
    options = orjson.loads(cast(bytes, site.redis.hget(key, "options")))
    site.redis.hset(key, "options", orjson.dumps(options | option))
    site.score_batches()
    ended = site.client.get(batch["urls"]["self"]).get_json()
    assert (ended["status"], ended["error"]["type"]) == ("failed", "file_missing")
    assert "PAYGRADE_S3_ALLOW" in ended["error"]["detail"]
    assert not Path("/var/out").exists()


def test_a_file_that_changes_before_it_is_scored_fails_the_batch(site: Site, aws: Any) -> None:
    batch = post(site, input="s3://salaries/in/people.csv").get_json()
    aws.put_object(Bucket="salaries", Key="in/people.csv", Body=CSV + b"c,1\n")
    site.score_batches()
    ended = site.client.get(batch["urls"]["self"]).get_json()
    assert (ended["status"], ended["error"]["type"]) == ("failed", "file_missing")
    assert "was changed" in ended["error"]["detail"]


def test_a_retry_of_a_file_that_was_no_table_reads_what_is_there_now(site: Site, aws: Any) -> None:
    aws.put_object(Bucket="salaries", Key="in/people.csv", Body=b"id\n1\n")
    failed = post(site, input="s3://salaries/in/people.csv").get_json()
    site.score_batches()
    aws.put_object(Bucket="salaries", Key="in/people.csv", Body=CSV)
    again = site.client.post(f"{failed['urls']['self']}/retry").get_json()
    site.score_batches()
    assert site.client.get(again["urls"]["results"]).data == RESULT
    aws.delete_object(Bucket="salaries", Key="in/people.csv")
    problem(site.client.post(f"{failed['urls']['self']}/retry"), 409)
