"""The commands for published versions: aliases, roll back, retire and delete, in a directory or a bucket."""

import json
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Barrier, Lock
from typing import Any

import boto3
import pytest
from moto import mock_aws
from moto.core.botocore_stubber import BotocoreStubber

from model.description.catalog import Catalog
from model.description.errors import UnknownModel
from model.publish import publish_copy
from model.registry.open import open_registry
from tests.unit.conftest import Clock
from tests.unit.model.command import refusal, run
from tests.unit.model.conftest import Publish

URL = "s3://models/live"


@pytest.fixture(params=["directory", "bucket"])
def location(
    request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[str]:
    if request.param == "directory":
        (tmp_path / "served").mkdir()
        yield str(tmp_path / "served")
        return
    monkeypatch.setenv("AWS_REGION", "us-east-1")
    with mock_aws():
        boto3.client("s3", region_name="us-east-1").create_bucket(Bucket="models")
        yield URL


@pytest.fixture
def served(publish_rent: Publish, location: str) -> str:
    """Three versions of rent, with 1, 2 and 3 trees."""
    for version in (1, 2, 3):
        directory = publish_rent(version=version, trees=version).directory
        publish_copy(directory, open_registry(location))
    return location


def write_lifecycle(location: str, content: bytes) -> None:
    if location == URL:
        client = boto3.client("s3", region_name="us-east-1")
        client.put_object(Bucket="models", Key="live/rent/lifecycle.json", Body=content)
    else:
        (Path(location) / "rent" / "lifecycle.json").write_bytes(content)


def said(*arguments: str) -> str:
    result = run(*arguments)
    assert result.status == 0, result.err
    return result.out


def test_an_alias_moves_and_is_seen_within_thirty_seconds(served: str, tmp_path: Path) -> None:
    clock = Clock()
    catalog = Catalog(served, "rent@champion", clock=clock, cache=tmp_path / "cache")
    assert "rent@champion names version 1" in said("alias", "rent@champion", "1", "--bundles", served)
    clock.forward(30)
    assert catalog.find("rent@champion").ref == catalog.find().ref == "rent@1"
    assert catalog.find("rent").ref == "rent@3"
    moved = said("alias", "rent@champion", "2", "--bundles", served)
    assert "rent@champion names version 2 instead of 1" in moved
    clock.forward(30)
    assert catalog.find("rent@champion").ref == "rent@2"
    assert catalog.aliases("rent") == {"champion": 2}


def test_an_alias_moves_back_with_one_command(served: str) -> None:
    for version in ("1", "3"):
        run("alias", "rent@champion", version, "--bundles", served)
    assert "names version 1 instead of 3" in said("rollback", "rent@champion", "--bundles", served)
    assert Catalog(served, "").find("rent@champion").version == 1
    assert "named no version before" in refusal("rollback", "rent@champion", "--bundles", served)


def test_an_alias_is_removed(served: str) -> None:
    run("alias", "rent@champion", "1", "--bundles", served)
    assert "is removed" in said("alias", "rent@champion", "--remove", "--bundles", served)
    with pytest.raises(UnknownModel, match="model rent has no version or alias champion"):
        Catalog(served, "").find("rent@champion")
    assert "there is no alias champion" in refusal("alias", "rent@champion", "--remove", "--bundles", served)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("alias", "rent@champion", "9"), "model rent has no version 9"),
        (("alias", "price@champion", "1"), "there is no model price"),
        (("alias", "rent@3", "1"), "cannot be an alias"),
        (("alias", "rent@v3", "1"), "cannot be an alias"),
        (("alias", "rent", "1"), "names no alias; write it as callers do, such as salary@champion"),
        (("alias", "rent@champion"), "say which version rent@champion is to name"),
        (("rollback", "rent@champion"), "there is no alias champion"),
        (("retire", "rent"), "names no version"),
        (("retire", "rent@champion"), "names no version"),
        (("retire", "rent@9"), "rent@9 is not offered here; there are the versions 1, 2, 3"),
        (("retire", "rent@9", "--undo"), "there is no rent@9 here"),
        (("delete", "rent@9"), "there is no rent@9 here"),
        (("delete", "rent@2"), "rent@2 is offered, and callers may use it; retire it first"),
    ],
)
def test_what_cannot_be_done_is_refused_in_one_line(
    served: str, arguments: tuple[str, ...], message: str
) -> None:
    assert message in refusal(*arguments, "--bundles", served)
    assert Catalog(served, "").aliases("rent") == {}


def test_an_alias_is_no_version_of_another_alias(served: str) -> None:
    run("alias", "rent@champion", "1", "--bundles", served)
    with pytest.raises(SystemExit):
        run("alias", "rent@challenger", "champion", "--bundles", served)


def test_a_retired_version_is_found_only_by_the_jobs_that_were_accepted_for_it(
    served: str, tmp_path: Path
) -> None:
    assert "rent@3 is retired" in said("retire", "rent@3", "--bundles", served)
    catalog = Catalog(served, "", cache=tmp_path / "cache")
    assert catalog.find("rent").version == 2
    assert catalog.versions("rent") == [1, 2]
    assert [manifest.version for manifest in catalog.manifests()] == [2, 1]
    with pytest.raises(UnknownModel, match="version 3 of model rent is retired; its newest version is 2"):
        catalog.find("rent@3")
    assert catalog.fetch(catalog.find_accepted("rent@3")).version == 3
    assert "retired: rent@3" in said("list", "--bundles", served)
    assert "is retired; its newest" in refusal("alias", "rent@champion", "3", "--bundles", served)
    said("retire", "rent@3", "--undo", "--bundles", served)
    assert Catalog(served, "").find("rent").version == 3


def test_the_last_version_is_retired_only_by_force(served: str) -> None:
    for version in (1, 2):
        said("retire", f"rent@{version}", "--bundles", served)
    assert "is the only version that is offered" in refusal("retire", "rent@3", "--bundles", served)
    said("retire", "rent@3", "--force", "--bundles", served)
    with pytest.raises(UnknownModel, match="model rent is retired: no version of it is offered"):
        Catalog(served, "").find("rent")


def test_what_an_alias_names_is_neither_retired_nor_deleted(served: str) -> None:
    run("alias", "rent@champion", "2", "--bundles", served)
    for command in ("retire", "delete"):
        for force in ((), ("--force",)):
            line = refusal(command, "rent@2", *force, "--bundles", served)
            assert "version 2 is what the alias champion names; move or remove the alias first" in line


def test_a_deleted_version_is_gone_and_its_number_too(served: str, tmp_path: Path) -> None:
    said("retire", "rent@3", "--bundles", served)
    assert "rent@3 is deleted" in said("delete", "rent@3", "--bundles", served)
    assert "rent@3 is deleted" in said("delete", "rent@3", "--bundles", served)
    catalog = Catalog(served, "")
    assert (catalog.find("rent").version, catalog.retired()) == (2, [])
    with pytest.raises(UnknownModel):
        catalog.find_accepted("rent@3")
    line = refusal("publish", tmp_path / "rent" / "3", "--to", served)
    assert "rent@3 was deleted there, and its number is never used again; --version 4 publishes" in line


def test_a_version_that_is_offered_is_deleted_by_force(served: str) -> None:
    said("delete", "rent@3", "--force", "--bundles", served)
    assert Catalog(served, "").versions("rent") == [1, 2]


def one_at_a_time(monkeypatch: pytest.MonkeyPatch) -> None:
    """Lets the played S3 answer one request after the other: it is not made for threads."""
    process, lock = BotocoreStubber.process_request, Lock()

    def process_alone(stubber: Any, request: Any) -> Any:
        with lock:
            return process(stubber, request)

    monkeypatch.setattr(BotocoreStubber, "process_request", process_alone)


def test_no_change_is_lost_when_two_change_at_once(served: str, monkeypatch: pytest.MonkeyPatch) -> None:
    one_at_a_time(monkeypatch)
    registry = open_registry(served)
    start = Barrier(4)

    def name(number: int) -> None:
        start.wait()
        for _ in range(3):
            registry.change_lifecycle("rent", lambda each: each.with_alias(f"alias-{number}", number % 3 + 1))

    with ThreadPoolExecutor() as writers:
        list(writers.map(name, range(4)))
    assert Catalog(served, "").aliases("rent") == {f"alias-{number}": number % 3 + 1 for number in range(4)}


def test_a_move_that_breaks_callers_is_refused(location: str, publish_rent: Publish) -> None:
    wider = [{"name": "rooms", "type": "number", "nullable": True}]
    narrower = [{"name": "rooms", "type": "number", "nullable": True, "maximum": 50}]
    for version, features in ((1, wider), (2, narrower)):
        directory = publish_rent(version=version, features=features).directory
        run("publish", directory, "--to", location, "--breaking")
    run("alias", "rent@champion", "1", "--bundles", location)
    line = refusal("alias", "rent@champion", "2", "--bundles", location)
    assert "would break callers of version 1: rooms must be at most 50 instead of any number" in line
    result = run("alias", "rent@champion", "2", "--breaking", "--bundles", location)
    assert "names version 2" in result.out
    assert "warning: this breaks callers of version 1: rooms must be at most 50" in result.err


def test_an_alias_that_was_written_by_hand_to_a_retired_version_is_unknown(served: str) -> None:
    content = {"aliases": {"champion": [3], "old": [7]}, "retired": [3], "deleted": []}
    write_lifecycle(served, json.dumps(content).encode())
    catalog = Catalog(served, "")
    for alias, version in (("champion", 3), ("old", 7)):
        with pytest.raises(
            UnknownModel, match=f"rent@{alias} names version {version}, which is retired or not"
        ):
            catalog.find(f"rent@{alias}")


def test_a_lifecycle_that_cannot_be_read_is_a_problem_and_the_last_one_holds(
    served: str, tmp_path: Path
) -> None:
    clock = Clock()
    said("retire", "rent@3", "--bundles", served)
    catalog = Catalog(served, "", clock=clock, cache=tmp_path / "cache")
    write_lifecycle(served, b"{")
    clock.forward(30)
    assert catalog.find("rent").version == 2
    assert "is no valid lifecycle.json" in catalog.problems["rent/lifecycle.json"]
    fresh = Catalog(served, "", cache=tmp_path / "cache")
    with pytest.raises(UnknownModel, match="no version of it is offered"):
        fresh.find("rent")
