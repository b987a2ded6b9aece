"""Every command looks for bundles where PAYGRADE_BUNDLES says, as web and workers do."""

import contextlib
import io
from pathlib import Path

import pytest

from model.__main__ import main
from model.description.catalog import Catalog
from model.description.manifest import Manifest
from tests.unit.model.command import made, refusal, run, write_csv
from tests.unit.model.conftest import Publish


@pytest.fixture
def served(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    served = tmp_path / "served"
    served.mkdir()
    monkeypatch.setenv("PAYGRADE_BUNDLES", str(served))
    return served


@pytest.fixture
def rents(tmp_path: Path) -> Path:
    return write_csv(tmp_path / "rent.csv", ["rooms", "rent"], [[n % 9, n % 9 * 3] for n in range(60)])


def test_the_setting_is_the_default_of_every_command(served: Path, publish_rent: Publish) -> None:
    for version in (1, 2):
        assert f"is in {served}" in run("publish", publish_rent(version=version).directory).out
    assert "rent@1" in run("list").out
    assert "rent@2: rent in euros" in run("show", "rent").out
    assert "rent@1 is whole" in run("check", "rent@1").out
    assert "names version 1" in run("alias", "rent@champion", "1").out
    assert "names version 2" in run("alias", "rent@champion", "2").out
    assert "names version 1" in run("rollback", "rent@champion").out
    assert "rent@2 is retired" in run("retire", "rent@2").out
    assert "rent@2 is deleted" in run("delete", "rent@2").out
    catalog = Catalog(served, "")
    assert (catalog.versions("rent"), catalog.aliases("rent")) == ([1], {"champion": 1})


def test_versions_are_compared_by_their_names(served: Path, publish_rent: Publish, rents: Path) -> None:
    for version in (1, 2):
        run("publish", publish_rent(version=version, trees=version).directory)
    assert (
        "60 of 60 rows are scored by both versions" in run("compare", "rent@1", "rent", "--data", rents).out
    )


def test_a_new_bundle_gets_a_number_that_is_not_served_yet(
    served: Path, publish_rent: Publish, rents: Path
) -> None:
    run("publish", publish_rent(version=7).directory)

    def trained(rounds: str, output: str) -> str:
        options = ("--target", "rent", "--rounds", rounds, "--output", served.parent / output)
        return made("train", rents, *options).ref

    assert trained("3", "mine") == trained("3", "mine") == "rent@8"
    run("retire", "rent@7", "--force")
    run("delete", "rent@7")
    assert trained("4", "new") == "rent@8"


def test_the_shipped_models_are_written_there(served: Path) -> None:
    manifest = made("salary")
    assert manifest.directory == served / "salary" / "1"
    assert Manifest.read(manifest.directory).ref == "salary@1"


COMMANDS = ("list", "show", "check", "compare", "alias", "rollback", "retire", "delete", "salary", "publish")


@pytest.mark.parametrize("command", COMMANDS)
def test_the_help_says_so(command: str, served: Path) -> None:
    out = io.StringIO()
    with contextlib.redirect_stdout(out), pytest.raises(SystemExit):
        main([command, "--help"])
    assert "PAYGRADE_BUNDLES" in out.getvalue()


def test_an_option_is_stronger_than_the_setting(served: Path, publish_rent: Publish, tmp_path: Path) -> None:
    run("publish", publish_rent().directory, "--to", tmp_path / "other")
    assert "no bundles are published here" in run("list").out
    assert "rent@1" in run("list", "--bundles", tmp_path / "other").out
    assert "there is no model rent" in refusal("show", "rent")


def test_without_the_setting_publish_asks_where(
    publish_rent: Publish, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("PAYGRADE_BUNDLES", raising=False)
    err = io.StringIO()
    with contextlib.redirect_stderr(err), pytest.raises(SystemExit):
        main(["publish", str(publish_rent().directory)])
    assert "the following arguments are required: --to" in err.getvalue()
