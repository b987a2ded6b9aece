"""Files are readable by their owner alone."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from jobs.files.location import files_at
from jobs.files.privacy import make_private


@pytest.fixture(autouse=True)
def umask() -> Iterator[None]:
    before = os.umask(0o022)
    yield
    os.umask(before)


def modes(folder: Path) -> set[int]:
    return {path.stat().st_mode & 0o777 for path in [folder, *folder.rglob("*")]}


def test_what_is_written_below_a_private_folder_is_private(tmp_path: Path) -> None:
    data = tmp_path / "deep" / "data"
    make_private(data)
    with files_at(str(data / "files")).create("batches/1/input") as file:
        file.write(b"years\n2.5\n")
    assert modes(data) == {0o700, 0o600}


def test_a_folder_that_others_could_read_is_taken_from_them(tmp_path: Path) -> None:
    tmp_path.chmod(0o755)
    make_private(tmp_path)
    assert tmp_path.stat().st_mode & 0o777 == 0o700
