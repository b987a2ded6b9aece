"""What `make run MODEL=…` serves: a bundle, the versions of a model, a folder of bundles, or a name."""

from pathlib import Path

import pytest

from model.description.errors import BundleError, UnknownModel
from model.registry.directory import DirectoryRegistry
from model.serving import ServedModel, choose_model
from tests.unit.model.conftest import Publish


@pytest.fixture
def bundles(publish_rent: Publish, tmp_path: Path) -> Path:
    """rent@1 and rent@2, of which champion names the first."""
    for version in (1, 2):
        publish_rent(version=version, trees=version)
    DirectoryRegistry(tmp_path).change_lifecycle("rent", lambda each: each.with_alias("champion", 1))
    return tmp_path


def choose(bundles: Path, model: str | Path = "", default: str = "salary", only: bool = True) -> ServedModel:
    return choose_model(str(bundles), default, bundles / ".copies", str(model), only)


def test_without_a_choice_the_default_model_is_served(bundles: Path) -> None:
    served = choose(bundles, default="rent@1", only=False)
    assert (served.bundles, served.default, served.manifest.ref) == (str(bundles), "rent@1", "rent@1")


def test_the_only_model_is_the_default_unless_another_was_asked_for(bundles: Path) -> None:
    assert choose(bundles).default == "rent"
    with pytest.raises(UnknownModel, match="no model salary; it has rent; name one: make run MODEL=NAME"):
        choose(bundles, only=False)


def test_of_several_models_one_must_be_named(bundles: Path, publish_rent: Publish) -> None:
    publish_rent(name="price")
    with pytest.raises(UnknownModel, match="it has price, rent; name one: make run MODEL=NAME"):
        choose(bundles)
    assert choose(bundles, "price").manifest.ref == "price@1"


NAMES = [("rent", "rent@2"), ("rent@1", "rent@1"), ("rent@champion", "rent@1")]


@pytest.mark.parametrize(("name", "ref"), NAMES)
def test_a_name_a_version_or_an_alias_is_looked_up(bundles: Path, name: str, ref: str) -> None:
    served = choose(bundles, name)
    assert (served.bundles, served.default, served.manifest.ref) == (str(bundles), name, ref)


def test_a_folder_of_versions_serves_the_newest_and_those_to_come(bundles: Path) -> None:
    served = choose(Path("elsewhere"), bundles / "rent")
    assert (served.bundles, served.default, served.manifest.ref) == (str(bundles), "rent", "rent@2")


def test_a_folder_of_bundles_with_one_model_serves_it(bundles: Path) -> None:
    served = choose(Path("elsewhere"), bundles)
    assert (served.bundles, served.default) == (str(bundles), "rent")


def test_a_bundle_is_served_wherever_it_lies(bundles: Path, tmp_path: Path) -> None:
    elsewhere = tmp_path / "my bundle"
    (bundles / "rent" / "1").rename(elsewhere)
    before = {file.name: file.read_bytes() for file in elsewhere.iterdir()}
    served = choose_model("unused", "salary", tmp_path / "copies", str(elsewhere))
    assert (served.default, served.manifest.ref) == ("rent@1", "rent@1")
    assert {file.name: file.read_bytes() for file in served.manifest.directory.iterdir()} == before
    assert Path(served.bundles).parent == tmp_path / "copies"
    assert choose_model("unused", "salary", tmp_path / "copies", str(elsewhere)).default == "rent@1"


def test_what_cannot_be_served_is_one_line(bundles: Path, tmp_path: Path) -> None:
    empty = tmp_path / ".empty"
    empty.mkdir()
    with pytest.raises(UnknownModel, match="it has no bundle that can be served"):
        choose(Path("elsewhere"), empty)
    with pytest.raises(UnknownModel, match="there is no model price; it has rent"):
        choose(bundles, "price")
    with pytest.raises(BundleError, match="is not a directory; it must hold bundles"):
        choose(tmp_path / "nowhere", "rent")
    (bundles / "rent" / "1" / "model.ubj").write_bytes(b"{")
    with pytest.raises(BundleError, match="sha256 does not match"):
        choose(bundles, bundles / "rent" / "1")
