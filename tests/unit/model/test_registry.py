"""Bundles are published to a directory or a bucket: as the next version, completely or not at all."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Barrier
from typing import Any

import boto3
import numpy as np
import pytest
from botocore.stub import Stubber
from moto import mock_aws

from model.bundle import Bundle
from model.description.catalog import Catalog
from model.description.errors import BundleError
from model.description.files import DESCRIPTION_FILE, MODEL_FILE, REPORT_FILE
from model.publish import publish_copy
from model.registry.interface import RegistryUnavailable
from model.registry.open import open_registry
from model.registry.s3 import S3Registry
from tests.unit.conftest import Clock
from tests.unit.model.command import refusal, run, write_csv
from tests.unit.model.conftest import Publish, rewrite

BUCKET = "models"
URL = f"s3://{BUCKET}/live/bundles"


@pytest.fixture
def s3(monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    monkeypatch.setenv("AWS_REGION", "eu-north-1")
    with mock_aws():
        client = boto3.client("s3", region_name="eu-north-1")
        where = {"LocationConstraint": "eu-north-1"}
        client.create_bucket(Bucket=BUCKET, CreateBucketConfiguration=where)
        yield client


@pytest.fixture(params=["directory", "bucket"])
def location(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    if request.param == "directory":
        return str(tmp_path / "new" / "bundles")
    request.getfixturevalue("s3")
    return URL


def test_a_bundle_keeps_its_version_and_sha256_and_is_published_once(
    publish_rent: Publish, location: str, tmp_path: Path
) -> None:
    first, third = publish_rent(), publish_rent(version=3, trees=3)
    for manifest in (first, first, third, first):
        result = run("publish", manifest.directory, "--to", location)
        assert (result.status, result.err) == (0, "")
        assert result.out.endswith(f"{manifest.ref} is in {location} (sha256 {manifest.sha256})\n")
    catalog = Catalog(location, "rent", cache=tmp_path / "cache")
    assert catalog.versions("rent") == [1, 3]
    assert [catalog.find(f"rent@{number}").trees for number in (1, 3)] == [20, 3]


def test_a_number_that_is_taken_is_refused_with_the_next_one(publish_rent: Publish, location: str) -> None:
    mine, theirs = publish_rent(), publish_rent(name="rent", version=2)
    rewrite(theirs.directory, version=1, unit="dollars")
    run("publish", mine.directory, "--to", location)
    line = refusal("publish", theirs.directory, "--to", location, "--breaking")
    assert "rent@1 is already published there and differs" in line
    assert "--version 2 publishes a copy" in line
    copied = run("publish", theirs.directory, "--to", location, "--version", "2", "--breaking").out
    assert f"rent@2 is in {location}" in copied
    assert "3 of 3 rows are scored by both versions" in copied
    assert Catalog(location, "rent").find().unit == "dollars"


def test_two_publishers_of_one_number_never_both_have_it(publish_rent: Publish, location: str) -> None:
    one, other = publish_rent().directory, publish_rent(version=2).directory
    rewrite(other, version=1, unit="dollars")
    registry = open_registry(location, create=True)
    start = Barrier(2)

    def publish_at_once(directory: Path) -> str:
        start.wait()
        try:
            return publish_copy(directory, registry).ref
        except BundleError as error:
            return str(error)

    with ThreadPoolExecutor() as publishers:
        said = sorted(publishers.map(publish_at_once, (one, other)))
    assert said[0] == "rent@1"
    assert "is already published there and differs" in said[1]
    Bundle.load(Catalog(location, "rent").fetch(Catalog(location, "rent").find("rent@1")))


def test_the_new_and_the_old_version_are_served(publish_rent: Publish, location: str, tmp_path: Path) -> None:
    clock = Clock()
    run("publish", publish_rent().directory, "--to", location)
    catalog = Catalog(location, "rent", clock=clock, cache=tmp_path / "cache")
    old = Bundle.load(catalog.fetch(catalog.find()))
    run("publish", publish_rent(version=2, trees=3).directory, "--to", location)
    clock.forward(30)
    new = Bundle.load(catalog.fetch(catalog.find()))
    pinned = Bundle.load(catalog.fetch(catalog.find("rent@1")))
    assert [one.manifest.ref for one in (old, new, pinned)] == ["rent@1", "rent@2", "rent@1"]
    assert np.array_equal(pinned.predict([[3.0]]), old.predict([[3.0]]))
    assert not np.array_equal(pinned.predict([[3.0]]), new.predict([[3.0]]))


def test_a_published_version_is_never_replaced(publish_rent: Publish, location: str) -> None:
    run("publish", publish_rent().directory, "--to", location)
    changed = publish_rent(version=2, unit="dollars").directory
    error = refusal("publish", changed, "--to", location, "--version", "1", "--breaking")
    assert "a published version never changes" in error
    assert Catalog(location, "rent").find("rent@1").unit == "euros"


def test_a_bundle_that_does_not_load_is_not_published(publish_rent: Publish, location: str) -> None:
    directory = publish_rent().directory
    rewrite(directory, golden={"rows": [{"rooms": 1}], "predictions": [7]})
    assert "golden rows score differently" in refusal("publish", directory, "--to", location)
    assert run("list", "--bundles", location).out in ("no bundles are published here\n", "")


def test_commands_find_a_published_bundle_by_name(publish_rent: Publish, location: str) -> None:
    run("publish", publish_rent().directory, "--to", location)
    assert "rent@1  rent  reg:squarederror" in run("list", "--bundles", location).out
    assert "rent@1 is whole, and its 3 golden rows" in run("check", "rent", "--bundles", location).out
    description = run("show", "rent@1", "--bundles", location).out
    assert "rent@1: rent in euros" in description
    assert "rooms  number  may be missing" in description
    assert '"name": "rent"' in run("show", "rent", "--json", "--bundles", location).out
    assert "model rent has no version 2" in refusal("show", "rent@2", "--bundles", location)


def test_a_missing_bucket_is_reported_in_one_line(s3: Any, publish_rent: Publish) -> None:
    directory = publish_rent().directory
    assert "cannot be listed: NoSuchBucket" in refusal("publish", directory, "--to", "s3://elsewhere/x")
    assert "names no bucket" in refusal("publish", directory, "--to", "s3://")


def test_a_failed_upload_leaves_nothing_in_the_bucket(s3: Any, publish_rent: Publish, tmp_path: Path) -> None:
    with Stubber(s3) as responses:
        responses.add_client_error("get_object", "NoSuchKey")
        responses.add_response("put_object", {})
        responses.add_client_error("put_object", "AccessDenied", "Access Denied")
        responses.add_response("delete_object", {}, {"Bucket": BUCKET, "Key": f"live/rent/1/{MODEL_FILE}"})
        with pytest.raises(RegistryUnavailable, match=r"cannot be written: AccessDenied: Access Denied$"):
            publish_copy(publish_rent().directory, S3Registry(s3, BUCKET, "live", tmp_path))
        responses.assert_no_pending_responses()


def test_a_model_without_a_description_is_not_listed(s3: Any, publish_rent: Publish, tmp_path: Path) -> None:
    s3.put_object(Bucket=BUCKET, Key=f"live/bundles/rent/1/{MODEL_FILE}", Body=b"half")
    registry = open_registry(URL, tmp_path / "cache")
    assert registry.contents().bundles == []
    with pytest.raises(BundleError, match="rent@1 is already published there and differs"):
        publish_copy(publish_rent().directory, registry)


def test_a_publisher_that_broke_off_can_publish_again(s3: Any, publish_rent: Publish, tmp_path: Path) -> None:
    directory = publish_rent().directory
    key = f"live/bundles/rent/1/{MODEL_FILE}"
    s3.put_object(Bucket=BUCKET, Key=key, Body=(directory / MODEL_FILE).read_bytes())
    assert publish_copy(directory, open_registry(URL, tmp_path / "cache")).ref == "rent@1"
    assert run("check", "rent@1", "--bundles", URL).status == 0


def test_a_model_changed_in_the_bucket_is_refused(s3: Any, publish_rent: Publish, tmp_path: Path) -> None:
    run("publish", publish_rent().directory, "--to", URL)
    s3.put_object(Bucket=BUCKET, Key=f"live/bundles/rent/1/{MODEL_FILE}", Body=b"{other}")
    assert "sha256 does not match" in refusal("check", "rent", "--bundles", URL)


def test_known_bundles_are_served_while_the_bucket_is_missing(
    s3: Any, publish_rent: Publish, tmp_path: Path
) -> None:
    clock = Clock()
    run("publish", publish_rent().directory, "--to", URL)
    catalog = Catalog(URL, "rent", clock=clock, cache=tmp_path)
    for file in (DESCRIPTION_FILE, MODEL_FILE):
        s3.delete_object(Bucket=BUCKET, Key=f"live/bundles/rent/1/{file}")
    s3.delete_bucket(Bucket=BUCKET)
    clock.forward(30)
    assert catalog.find().ref == "rent@1"
    assert "NoSuchBucket" in catalog.problems["."]


def test_a_report_is_published_with_its_bundle_and_replaced_by_a_later_one(
    publish_rent: Publish, location: str, tmp_path: Path
) -> None:
    first = publish_rent()
    run("publish", first.directory, "--to", location)
    assert not Catalog(location, "rent").has_report(first)
    for text in (b"first", b"second"):
        (first.directory / REPORT_FILE).write_bytes(text)
        assert run("publish", first.directory, "--to", location).status == 0
        catalog = Catalog(location, "rent", cache=tmp_path / "cache")
        assert catalog.has_report(first)
        assert catalog.read_report(first) == text
    assert catalog.find().sha256 == first.sha256


def test_a_copy_with_another_number_has_no_report_of_the_first(publish_rent: Publish, location: str) -> None:
    first = publish_rent()
    (first.directory / REPORT_FILE).write_bytes(b"about rent@1")
    run("publish", first.directory, "--to", location, "--version", "2")
    catalog = Catalog(location, "rent")
    assert not catalog.has_report(catalog.find("rent@2"))


def test_the_report_of_a_published_bundle_is_written_beside_it(
    publish_rent: Publish, location: str, tmp_path: Path
) -> None:
    run("publish", publish_rent().directory, "--to", location)
    rows = write_csv(tmp_path / "rents.csv", ["rooms", "rent"], [[rooms, rooms**2] for rooms in range(9)])
    said = run("report", "rent", "--bundles", location, "--data", rows)
    assert said.out == f"the report of rent@1 is in {location}/rent/1/report.html\n", said.err
    catalog = Catalog(location, "rent")
    assert b"<h1>rent@1</h1>" in catalog.read_report(catalog.find())


def test_the_report_is_deleted_with_its_bundle(publish_rent: Publish, location: str) -> None:
    first = publish_rent()
    (first.directory / REPORT_FILE).write_bytes(b"about rent@1")
    run("publish", first.directory, "--to", location)
    assert run("delete", "rent@1", "--force", "--bundles", location).status == 0
    with pytest.raises(RegistryUnavailable, match="cannot be read"):
        open_registry(location).read_report("rent", 1)
