"""Packed files are unpacked piece by piece, and what is no file of rows is named."""

import gzip
import zipfile
from collections.abc import Callable
from io import BytesIO
from pathlib import Path

import pytest

from jobs.errors import InvalidTable
from jobs.files.store import PIECE
from jobs.files.unpacking import gunzip, unpacked_limit, unpacked_start, unzip

TEXT = b"years\n" + b"".join(b"%d\n" % number for number in range(100_000))


def zipped(members: dict[str, bytes], method: int = zipfile.ZIP_DEFLATED) -> bytes:
    packed = BytesIO()
    with zipfile.ZipFile(packed, "w", method) as file:
        for name, content in members.items():
            file.writestr(name, content)
    return packed.getvalue()


@pytest.fixture
def unzipped(tmp_path: Path) -> Callable[[bytes], bytes]:
    def unzip_all(data: bytes) -> bytes:
        (tmp_path / "a.zip").write_bytes(data)
        with (tmp_path / "a.zip").open("rb", buffering=0) as file:
            pieces = list(unzip(file, len(data)))
        assert max(map(len, pieces), default=0) <= PIECE
        return b"".join(pieces)

    return unzip_all


@pytest.mark.parametrize("method", [zipfile.ZIP_DEFLATED, zipfile.ZIP_STORED])
def test_the_one_file_of_a_zip_file_is_unpacked(unzipped: Callable[[bytes], bytes], method: int) -> None:
    extra = {
        "folder/": b"",
        "folder/rows.csv": TEXT,
        "__MACOSX/folder/._rows.csv": b"x",
        "folder/.DS_Store": b"x",
    }
    assert unzipped(zipped(extra, method)) == TEXT


@pytest.mark.parametrize("method", [zipfile.ZIP_DEFLATED, zipfile.ZIP_STORED])
def test_the_start_of_a_short_zip_file_ends_where_its_file_does(method: int) -> None:
    assert unpacked_start(zipped({"a.csv": b"years\n2.5\n"}, method)) == b"years\n2.5\n"


def test_the_start_is_unknown_where_a_zip_file_tells_its_size_later() -> None:
    class Pipe(BytesIO):
        def seekable(self) -> bool:
            return False

        def tell(self) -> int:
            raise OSError

    written = Pipe()
    with zipfile.ZipFile(written, "w", zipfile.ZIP_STORED) as file:
        file.writestr("a.csv", b"years\n2.5\n")
    assert unpacked_start(written.getvalue()) == b""


def test_a_zip_file_without_exactly_one_file_is_refused(unzipped: Callable[[bytes], bytes]) -> None:
    for members, count in (({"a": b"1", "b": b"2"}, 2), ({"a/": b""}, 0)):
        with pytest.raises(InvalidTable, match=f"has {count} files; send one with a single file"):
            unzipped(zipped(members))


def test_a_damaged_or_rare_zip_file_is_refused(unzipped: Callable[[bytes], bytes]) -> None:
    whole = zipped({"a.csv": TEXT})
    broken = bytearray(whole)
    broken[len(whole) // 2] ^= 0xFF
    for data in (whole[:-30], whole[:100], bytes(broken), b"PK\3\4"):
        with pytest.raises(InvalidTable, match="the zip file is damaged, or its end is missing"):
            unzipped(data)
    with pytest.raises(InvalidTable, match="rare method"):
        unzipped(zipped({"a.csv": TEXT}, zipfile.ZIP_BZIP2))


def test_a_directory_that_would_fill_the_memory_is_not_read(unzipped: Callable[[bytes], bytes]) -> None:
    many = zipped({f"{number:0200}": b"" for number in range(6000)}, zipfile.ZIP_STORED)
    with pytest.raises(InvalidTable, match="too many files"):
        unzipped(many)


def test_an_encrypted_zip_file_is_named(unzipped: Callable[[bytes], bytes]) -> None:
    data = bytearray(zipped({"a.csv": TEXT}))
    data[6] |= 1  # in the header of the file
    with pytest.raises(InvalidTable, match="encrypted"):
        unpacked_start(bytes(data))
    data[data.rindex(b"PK\1\2") + 8] |= 1  # in the directory
    with pytest.raises(InvalidTable, match="encrypted"):
        unzipped(bytes(data))


@pytest.mark.parametrize("packed", [gzip.compress(TEXT), zipped({"a.csv": TEXT}), zipped({"a.csv": TEXT}, 0)])
def test_the_start_of_a_packed_file_is_the_start_of_its_text(packed: bytes) -> None:
    start = unpacked_start(packed[: 64 * 1024])
    assert TEXT.startswith(start)
    assert len(start) > 50_000


def test_a_gzip_file_of_several_streams_is_one_text() -> None:
    packed = gzip.compress(TEXT[:6]) + gzip.compress(TEXT[6:])
    assert b"".join(gunzip([packed])) == TEXT
    assert unpacked_start(packed) == TEXT[: len(unpacked_start(packed))] != TEXT[:6]


def test_a_workbook_is_named() -> None:
    with pytest.raises(InvalidTable, match="this is a workbook of Excel; save the sheet as CSV"):
        unpacked_start(zipped({"[Content_Types].xml": b"<x/>", "xl/workbook.xml": b"<x/>"}))


def test_a_zip_file_that_says_that_its_file_is_before_its_start_is_damaged(
    unzipped: Callable[[bytes], bytes],
) -> None:
    data = bytearray(zipped({"rows.csv": TEXT}))
    end = data.rfind(b"PK\x05\x06")
    data[end + 16 : end + 20] = (2**31).to_bytes(4, "little")  # where the directory is
    with pytest.raises(InvalidTable, match="the zip file is damaged"):
        unzipped(bytes(data))


def test_what_is_unpacked_is_in_proportion_to_what_was_sent() -> None:
    assert (unpacked_limit(1), unpacked_limit(10**9)) == (268_435_456, 200 * 10**9)
