"""Which files the service reads itself, and where their results may be written."""

from pathlib import Path

import pytest
from paygrade.addresses import is_address, names_several, path_below
from paygrade.errors import InvalidInput


@pytest.mark.parametrize("address", ["s3://a/in/", "s3://a/*.csv", "s3://a/[ab].csv", "s3://a/list.json"])
def test_a_prefix_a_glob_and_a_manifest_name_several_files(address: str) -> None:
    assert names_several(address)


@pytest.mark.parametrize("file", ["s3://a/b.csv", "b.json", "in/", Path("in*"), b"s3://a/in/", None])
def test_nothing_else_does(file: object) -> None:
    assert not names_several(file)
    assert is_address(file) == (file == "s3://a/b.csv")


@pytest.mark.parametrize("name", ["", "/etc/passwd", "../x", "a/../../x"])
def test_no_name_that_a_service_gives_leaves_the_folder(tmp_path: Path, name: str) -> None:
    with pytest.raises(InvalidInput):
        path_below(tmp_path, name)
    assert path_below(tmp_path, "2026/a.csv") == tmp_path / "2026" / "a.csv"
