"""The catalog finds valid bundles in a directory, and reports the others."""

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from model.description.catalog import Catalog
from model.description.errors import BundleError, UnknownModel
from model.description.files import DESCRIPTION_FILE
from model.description.manifest import Manifest
from tests.unit.model.conftest import Publish, rewrite


class Clock:
    """A clock that stands still until a test moves it."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def open_catalog(tmp_path: Path, clock: Clock) -> Callable[[], Catalog]:
    return lambda: Catalog(tmp_path, default="rent", clock=clock)


OpenCatalog = Callable[[], Catalog]


def test_a_model_is_found_by_name_by_version_and_by_default(
    publish_rent: Publish, open_catalog: OpenCatalog
) -> None:
    for version in (2, 10, 9):
        publish_rent(version=version)
    publish_rent(name="price")
    catalog = open_catalog()
    assert catalog.problems == {}
    assert catalog.names() == ["price", "rent"]
    assert catalog.versions("rent") == [2, 9, 10]
    assert catalog.find().ref == catalog.find("rent").ref == "rent@10"
    assert catalog.find("rent@2").ref == "rent@2"
    assert catalog.find("price").directory.is_dir()


@pytest.mark.parametrize(
    ("ref", "message"),
    [
        ("price", "there is no model price"),
        ("rent@7", "model rent has no version 7"),
        ("rent@01", "model rent has no version 01"),
        ("rent@", "model rent has no version"),
        ("Rent", "invalid name of a model"),
        ("", "invalid name of a model"),
        ("../rent@1", "invalid name of a model"),
    ],
)
def test_any_other_name_is_unknown(
    publish_rent: Publish, open_catalog: OpenCatalog, ref: str, message: str
) -> None:
    publish_rent()
    with pytest.raises(UnknownModel, match=message):
        open_catalog().find(ref)


def test_an_empty_directory_has_no_default_model(open_catalog: OpenCatalog) -> None:
    catalog = open_catalog()
    with pytest.raises(UnknownModel, match="there is no model rent"):
        catalog.find()
    with pytest.raises(UnknownModel, match="there is no model rent"):
        catalog.versions("rent")


def test_a_new_version_is_served_after_thirty_seconds(
    publish_rent: Publish, open_catalog: OpenCatalog, clock: Clock
) -> None:
    publish_rent(version=1)
    catalog = open_catalog()
    publish_rent(version=2)
    clock.now += 29
    assert catalog.find("rent").version == 1
    clock.now += 1
    assert catalog.find("rent").version == 2


def test_a_removed_version_is_unknown(publish_rent: Publish, open_catalog: OpenCatalog, clock: Clock) -> None:
    manifest = publish_rent()
    catalog = open_catalog()
    shutil.rmtree(manifest.directory)
    clock.now += 30
    with pytest.raises(UnknownModel):
        catalog.find("rent")


def test_an_invalid_bundle_does_not_affect_the_others(
    publish_rent: Publish, open_catalog: OpenCatalog, tmp_path: Path, clock: Clock
) -> None:
    publish_rent(version=1)
    broken = publish_rent(version=2).directory
    whole = (broken / DESCRIPTION_FILE).read_text()
    (broken / DESCRIPTION_FILE).write_text(whole[:-10])
    pickled = tmp_path / "price" / "1"
    pickled.mkdir(parents=True)
    (pickled / "model.joblib").touch()
    catalog = open_catalog()
    assert catalog.find("rent").version == 1
    assert catalog.problems.keys() == {"rent/2", "price/1"}
    assert "is not JSON" in catalog.problems["rent/2"]
    assert "model.joblib is a pickle" in catalog.problems["price/1"]

    (broken / DESCRIPTION_FILE).write_text(whole)
    clock.now += 30
    assert catalog.find("rent").version == 2
    assert catalog.problems.keys() == {"price/1"}


def test_a_bundle_under_another_name_or_version_is_a_problem(
    publish_rent: Publish, open_catalog: OpenCatalog, tmp_path: Path
) -> None:
    right = publish_rent().directory
    for wrong in ("rent/2", "price/1", "rent/01"):
        shutil.copytree(right, tmp_path / wrong)
    catalog = open_catalog()
    assert catalog.problems.keys() == {"rent/2", "price/1", "rent/01"}
    assert "says that this is rent@1; move it to rent/1/" in catalog.problems["rent/2"]


def test_hidden_directories_and_files_are_ignored(
    publish_rent: Publish, open_catalog: OpenCatalog, tmp_path: Path
) -> None:
    publish_rent()
    (tmp_path / "rent" / ".2-draft").mkdir()
    (tmp_path / ".git" / "1").mkdir(parents=True)
    (tmp_path / "README.md").touch()
    assert open_catalog().problems == {}


def test_an_unchanged_bundle_is_read_once(
    publish_rent: Publish, open_catalog: OpenCatalog, clock: Clock
) -> None:
    directory = publish_rent().directory
    catalog = open_catalog()
    before: Manifest = catalog.find()
    clock.now += 30
    assert catalog.find() is before
    rewrite(directory, unit="dollars")
    clock.now += 30
    assert catalog.find().unit == "dollars"


def test_known_bundles_are_served_while_the_directory_is_missing(
    publish_rent: Publish, open_catalog: OpenCatalog, tmp_path: Path, clock: Clock
) -> None:
    publish_rent()
    catalog = open_catalog()
    elsewhere = tmp_path.with_name("elsewhere")
    tmp_path.rename(elsewhere)
    clock.now += 30
    assert catalog.find().ref == "rent@1"
    assert "is not a directory" in catalog.problems["."]
    elsewhere.rename(tmp_path)
    clock.now += 30
    assert catalog.find().ref == "rent@1"
    assert catalog.problems == {}


def test_a_missing_directory_is_refused_at_the_start(tmp_path: Path) -> None:
    with pytest.raises(BundleError, match="must hold bundles as <name>/<version>/"):
        Catalog(tmp_path / "none", default="rent")
