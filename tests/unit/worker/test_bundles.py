"""A child keeps the bundles used last, and scores a job only with the bundle that it was accepted for."""

import shutil
from pathlib import Path

import numpy as np
import pytest
import xgboost

from model.description.catalog import Catalog
from model.description.errors import BundleError, UnknownModel
from model.description.manifest import Manifest
from model.publish import publish
from model.registry.directory import DirectoryRegistry
from tests.unit.worker.conftest import BUNDLES
from worker.bundles import KEPT, REFUSED_SECONDS, Bundles


@pytest.fixture(scope="module")
def versions(tmp_path_factory: pytest.TempPathFactory) -> list[Manifest]:
    """One version more than are kept, of a model that predicts rent from rooms."""
    root = tmp_path_factory.mktemp("bundles")
    rooms = np.arange(8, dtype=np.float32).reshape(-1, 1)
    matrix = xgboost.DMatrix(rooms, label=rooms.ravel(), feature_names=["rooms"], nthread=1)
    booster = xgboost.train({"nthread": 1}, matrix, 1)
    described = {
        "name": "rent",
        "target": "rent",
        "unit": "euros",
        "features": [{"name": "rooms", "type": "number"}],
        "trees": 1,
        "metrics": {},
        "training": {},
    }
    numbers = range(1, KEPT + 2)
    return [publish(root, booster, {**described, "version": number}, [{"rooms": 1}]) for number in numbers]


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def rents(versions: list[Manifest]) -> Bundles:
    return Bundles(Catalog(versions[0].directory.parents[1], "rent"))


def test_a_bundle_is_loaded_once(rents: Bundles, versions: list[Manifest]) -> None:
    one, other = versions[:2]
    first = rents.get(one.ref, one.sha256)
    assert first.manifest.ref == "rent@1"
    assert rents.get(other.ref, other.sha256).manifest.ref == "rent@2"
    assert rents.get(one.ref, one.sha256) is first


def test_the_bundles_used_last_are_kept(rents: Bundles, versions: list[Manifest]) -> None:
    oldest, second, *_, newest = versions
    loaded = [rents.get(each.ref, each.sha256) for each in versions[:-1]]
    assert rents.get(oldest.ref, oldest.sha256) is loaded[0]
    rents.get(newest.ref, newest.sha256)
    assert rents.get(oldest.ref, oldest.sha256) is loaded[0]
    assert rents.get(second.ref, second.sha256) is not loaded[1]


def test_another_bundle_of_the_same_name_and_version_is_refused(catalog: Catalog) -> None:
    with pytest.raises(BundleError, match="the job was accepted for"):
        Bundles(catalog).get("salary@1", "00" * 32)


def test_an_unknown_version_is_refused(catalog: Catalog) -> None:
    with pytest.raises(UnknownModel, match="model salary has no version 9"):
        Bundles(catalog).get("salary@9", "00" * 32)


def test_a_version_published_after_start_is_found_at_once(versions: list[Manifest], tmp_path: Path) -> None:
    one, other = versions[:2]
    shutil.copytree(one.directory, tmp_path / "rent" / "1")
    clock = Clock()
    bundles = Bundles(Catalog(tmp_path, "rent", clock=clock), clock=clock)
    shutil.copytree(other.directory, tmp_path / "rent" / "2")
    clock.now += 2
    assert bundles.get(other.ref, other.sha256).manifest.ref == "rent@2"


def test_a_bundle_that_could_not_be_loaded_is_not_tried_again_for_some_seconds(
    catalog: Catalog, tmp_path: Path
) -> None:
    clock = Clock()
    bundles = Bundles(catalog, clock=clock)
    with pytest.raises(BundleError) as first:
        bundles.get("salary@1", "00" * 32)
    with pytest.raises(BundleError) as second:
        bundles.get("salary@1", "00" * 32)
    clock.now += REFUSED_SECONDS
    with pytest.raises(BundleError) as third:
        bundles.get("salary@1", "00" * 32)
    assert first.value is second.value is not third.value


def test_the_default_is_checked_by_its_golden_rows(catalog: Catalog) -> None:
    assert Bundles(catalog).check_default() == "salary@1"


def test_a_broken_default_bundle_is_refused(tmp_path: Path) -> None:
    shutil.copytree(BUNDLES / "salary", tmp_path / "salary")
    bundles = Bundles(Catalog(tmp_path, "salary"))
    (tmp_path / "salary/1/model.ubj").write_bytes(b"{}")
    with pytest.raises(BundleError, match="sha256 does not match"):
        bundles.check_default()


def test_a_job_that_was_accepted_before_its_version_was_retired_is_scored(
    versions: list[Manifest], tmp_path: Path
) -> None:
    root = tmp_path / "bundles"
    shutil.copytree(versions[0].directory.parents[1], root)
    registry = DirectoryRegistry(root)
    registry.change_lifecycle("rent", lambda each: each.with_retired(1))
    rents = Bundles(Catalog(root, "rent"))
    assert rents.get(versions[0].ref, versions[0].sha256).manifest.ref == "rent@1"
    with pytest.raises(UnknownModel):
        Catalog(root, "rent").find("rent@1")
