"""Bundles are published to a directory or a bucket: as the next version, completely or not at all."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import boto3
import numpy as np
import pytest
from botocore.stub import Stubber
from moto import mock_aws

from model.bundle import Bundle
from model.description.catalog import Catalog
from model.description.manifest import DESCRIPTION_FILE, MODEL_FILE
from model.publish import publish_copy
from model.registry.interface import RegistryUnavailable
from model.registry.open import open_registry
from model.registry.s3 import S3Registry
from tests.unit.conftest import Clock
from tests.unit.model.command import refusal, run
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


def test_a_changed_bundle_gets_the_next_version_and_an_unchanged_one_does_not(
    publish_rent: Publish, location: str, tmp_path: Path
) -> None:
    first, changed = publish_rent().directory, publish_rent(version=2, unit="dollars").directory
    for directory, ref in ((first, "rent@1"), (first, "rent@1"), (changed, "rent@2"), (first, "rent@3")):
        result = run("publish", directory, "--to", location)
        assert (result.out, result.err) == (f"{ref} is in {location}\n", "")
    catalog = Catalog(location, "rent", cache=tmp_path / "cache")
    assert catalog.versions("rent") == [1, 2, 3]
    assert [catalog.find(f"rent@{number}").unit for number in (1, 2, 3)] == ["euros", "dollars", "euros"]


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
    error = refusal("publish", changed, "--to", location, "--version", "1")
    assert "a published version never changes, so raise the version" in error
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
        responses.add_response("list_objects_v2", {})
        responses.add_response("put_object", {})
        responses.add_client_error("put_object", "AccessDenied", "Access Denied")
        responses.add_response("delete_object", {}, {"Bucket": BUCKET, "Key": f"live/rent/1/{MODEL_FILE}"})
        with pytest.raises(RegistryUnavailable, match=r"cannot be written: AccessDenied: Access Denied$"):
            publish_copy(publish_rent().directory, S3Registry(s3, BUCKET, "live", tmp_path))
        responses.assert_no_pending_responses()


def test_a_model_without_a_description_is_not_listed(s3: Any, publish_rent: Publish, tmp_path: Path) -> None:
    s3.put_object(Bucket=BUCKET, Key=f"live/bundles/rent/1/{MODEL_FILE}", Body=b"half")
    registry = open_registry(URL, tmp_path / "cache")
    assert registry.list_bundles() == []
    assert publish_copy(publish_rent().directory, registry) == "rent@2"


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
