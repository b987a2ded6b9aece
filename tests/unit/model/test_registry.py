"""Bundles are published to a directory or a bucket: as the next version, whole or not at all, for good."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import boto3
import numpy as np
import pytest
from botocore.stub import Stubber
from moto import mock_aws

from model.bucket import BucketShelf
from model.bundle import Bundle
from model.description.catalog import Catalog
from model.description.manifest import DESCRIPTION_FILE, MODEL_FILE
from model.publish import publish_copy
from model.registry import RegistryUnavailable, open_registry
from tests.unit.conftest import Clock
from tests.unit.model.command import refusal, run
from tests.unit.model.conftest import Publish, rewrite

BUCKET = "models"
S3 = f"s3://{BUCKET}/live/bundles"


@pytest.fixture
def s3(monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    monkeypatch.setenv("AWS_REGION", "eu-north-1")
    with mock_aws():
        client = boto3.client("s3", region_name="eu-north-1")
        where = {"LocationConstraint": "eu-north-1"}
        client.create_bucket(Bucket=BUCKET, CreateBucketConfiguration=where)
        yield client


@pytest.fixture(params=["directory", "bucket"])
def shelf(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    if request.param == "directory":
        return str(tmp_path / "new" / "bundles")
    request.getfixturevalue("s3")
    return S3


def test_each_change_is_the_next_version_and_the_same_again_is_none(
    publish_rent: Publish, shelf: str, tmp_path: Path
) -> None:
    first, changed = publish_rent().directory, publish_rent(version=2, unit="dollars").directory
    for directory, ref in ((first, "rent@1"), (first, "rent@1"), (changed, "rent@2"), (first, "rent@3")):
        ended = run("publish", directory, "--to", shelf)
        assert (ended.out, ended.err) == (f"{ref} is in {shelf}\n", "")
    catalog = Catalog(shelf, "rent", cache=tmp_path / "cache")
    assert catalog.versions("rent") == [1, 2, 3]
    assert [catalog.find(f"rent@{number}").unit for number in (1, 2, 3)] == ["euros", "dollars", "euros"]


def test_both_versions_are_served_from_there(publish_rent: Publish, shelf: str, tmp_path: Path) -> None:
    clock = Clock()
    run("publish", publish_rent().directory, "--to", shelf)
    catalog = Catalog(shelf, "rent", clock=clock, cache=tmp_path / "cache")
    old = Bundle.load(catalog.fetch(catalog.find()))
    run("publish", publish_rent(version=2, trees=3).directory, "--to", shelf)
    clock.forward(30)
    new = Bundle.load(catalog.fetch(catalog.find()))
    pinned = Bundle.load(catalog.fetch(catalog.find("rent@1")))
    assert [one.manifest.ref for one in (old, new, pinned)] == ["rent@1", "rent@2", "rent@1"]
    assert np.array_equal(pinned.predict([[3.0]]), old.predict([[3.0]]))
    assert not np.array_equal(pinned.predict([[3.0]]), new.predict([[3.0]]))


def test_a_version_that_is_there_is_never_replaced(publish_rent: Publish, shelf: str) -> None:
    run("publish", publish_rent().directory, "--to", shelf)
    changed = publish_rent(version=2, unit="dollars").directory
    told = refusal("publish", changed, "--to", shelf, "--version", "1")
    assert "a published version never changes, so raise the version" in told
    assert Catalog(shelf, "rent").find("rent@1").unit == "euros"


def test_a_bundle_that_does_not_load_is_not_published(publish_rent: Publish, shelf: str) -> None:
    directory = publish_rent().directory
    rewrite(directory, golden={"rows": [{"rooms": 1}], "predictions": [7]})
    assert "golden rows score otherwise" in refusal("publish", directory, "--to", shelf)
    assert run("list", "--bundles", shelf).out in ("nothing is published here\n", "")


def test_a_bundle_is_found_by_name_on_a_shelf(publish_rent: Publish, shelf: str) -> None:
    run("publish", publish_rent().directory, "--to", shelf)
    assert "rent@1  rent  reg:squarederror" in run("list", "--bundles", shelf).out
    assert "rent@1 is whole, and its 3 golden rows" in run("check", "rent", "--bundles", shelf).out
    shown = run("show", "rent@1", "--bundles", shelf).out
    assert "rent@1: rent in euros" in shown
    assert "rooms  number  may be missing" in shown
    assert '"name": "rent"' in run("show", "rent", "--json", "--bundles", shelf).out
    assert "model rent has no version 2" in refusal("show", "rent@2", "--bundles", shelf)


def test_a_bucket_that_is_not_there_is_said_in_one_line(s3: Any, publish_rent: Publish) -> None:
    directory = publish_rent().directory
    assert "cannot be listed: NoSuchBucket" in refusal("publish", directory, "--to", "s3://elsewhere/x")
    assert "names no bucket" in refusal("publish", directory, "--to", "s3://")


def test_a_bucket_that_forbids_is_left_with_nothing_half_written(
    s3: Any, publish_rent: Publish, tmp_path: Path
) -> None:
    with Stubber(s3) as answers:
        answers.add_response("list_objects_v2", {})
        answers.add_response("put_object", {})
        answers.add_client_error("put_object", "AccessDenied", "Access Denied")
        answers.add_response("delete_object", {}, {"Bucket": BUCKET, "Key": f"live/rent/1/{MODEL_FILE}"})
        with pytest.raises(RegistryUnavailable, match=r"cannot be written: AccessDenied: Access Denied$"):
            publish_copy(publish_rent().directory, BucketShelf(s3, BUCKET, "live", tmp_path))
        answers.assert_no_pending_responses()


def test_a_model_without_its_description_is_not_published_yet(
    s3: Any, publish_rent: Publish, tmp_path: Path
) -> None:
    s3.put_object(Bucket=BUCKET, Key=f"live/bundles/rent/1/{MODEL_FILE}", Body=b"half")
    shelf = open_registry(S3, tmp_path / "cache")
    assert shelf.places() == []
    assert publish_copy(publish_rent().directory, shelf) == "rent@2"


def test_what_a_bucket_holds_is_held_to_its_sha256(s3: Any, publish_rent: Publish, tmp_path: Path) -> None:
    run("publish", publish_rent().directory, "--to", S3)
    s3.put_object(Bucket=BUCKET, Key=f"live/bundles/rent/1/{MODEL_FILE}", Body=b"{other}")
    assert "sha256 does not match" in refusal("check", "rent", "--bundles", S3)


def test_a_bucket_that_is_away_for_a_while_is_still_served(
    s3: Any, publish_rent: Publish, tmp_path: Path
) -> None:
    clock = Clock()
    run("publish", publish_rent().directory, "--to", S3)
    catalog = Catalog(S3, "rent", clock=clock, cache=tmp_path)
    for file in (DESCRIPTION_FILE, MODEL_FILE):
        s3.delete_object(Bucket=BUCKET, Key=f"live/bundles/rent/1/{file}")
    s3.delete_bucket(Bucket=BUCKET)
    clock.forward(30)
    assert catalog.find().ref == "rent@1"
    assert "NoSuchBucket" in catalog.problems["."]
