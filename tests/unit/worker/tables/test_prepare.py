"""A file that is packed or not in UTF-8 becomes a plain one, of limited size."""

import gzip
import zipfile
from io import BytesIO

import pytest

from jobs.errors import InvalidTable
from jobs.files.store import PIECE, FileStore
from worker.stopping import ScoringStopped
from worker.tables.prepare import ReceivedFile, plain_pieces, recoded

TEXT = "name,years\nJosé,1\nZoë €,2\n"


def prepared(files: FileStore, data: bytes, encoding: str | None = "", limit: int = 10**6) -> bytes:
    with files.create("input") as file:
        file.write(data)
    return b"".join(plain_pieces(ReceivedFile(files, "input", encoding), limit, check=lambda: None))


def zipped(content: bytes) -> bytes:
    packed = BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as file:
        file.writestr("rows.csv", content)
    return packed.getvalue()


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-le", "utf-16-be", "cp1252", "utf-8"])
@pytest.mark.parametrize("pack", [bytes, gzip.compress, zipped], ids=["plain", "gzip", "zip"])
def test_every_packing_and_encoding_gives_the_same_text(
    files: FileStore, encoding: str, pack: type[bytes]
) -> None:
    assert prepared(files, pack(TEXT.encode(encoding)), encoding).decode() == TEXT


def test_utf_16_is_found_by_its_mark_whatever_is_named(files: FileStore) -> None:
    for named in ("", "cp1252", "utf-16"):
        assert prepared(files, TEXT.encode("utf-16"), named).decode() == TEXT


def test_a_character_that_is_cut_between_two_pieces_is_whole() -> None:
    data = TEXT.encode("utf-16")
    assert b"".join(recoded([data[at : at + 1] for at in range(2, len(data))], "utf-16-le")).decode() == TEXT


def test_a_file_that_is_not_text_is_only_unpacked(files: FileStore) -> None:
    assert prepared(files, gzip.compress(b"PAR1\xff\xfe"), None) == b"PAR1\xff\xfe"


@pytest.mark.parametrize(
    ("data", "encoding", "line"),
    [
        (b"a\nb\nc\x81\n", "cp1252", 3),
        ("a\nb\n".encode("utf-16-le") + b"\x00\xd8a\x00", "utf-16-le", 3),
        ("a\nb".encode("utf-16-le") + b"c", "utf-16-le", 2),
    ],
)
def test_bytes_that_are_not_of_the_encoding_are_refused_with_their_line(
    files: FileStore, data: bytes, encoding: str, line: int
) -> None:
    with pytest.raises(InvalidTable, match=f"line {line}: this is not {encoding}"):
        prepared(files, data, encoding)


def test_utf_16_that_does_not_begin_with_its_mark_is_refused(files: FileStore) -> None:
    with pytest.raises(InvalidTable, match="this is not utf-16; name the encoding"):
        prepared(files, TEXT.encode("utf-16-le"), "utf-16")


def test_a_file_that_is_large_once_it_is_unpacked_is_refused(files: FileStore) -> None:
    for pack in (gzip.compress, zipped):
        with pytest.raises(InvalidTable, match="has more than 1000 bytes once it is unpacked"):
            prepared(files, pack(b"1\n" * 501), limit=1000)
        assert len(prepared(files, pack(b"1\n" * 500), limit=1000)) == 1000


def test_preparing_asks_before_each_piece_whether_it_is_to_go_on(files: FileStore) -> None:
    with files.create("input") as file:
        file.write(gzip.compress(b"1\n" * PIECE))

    def check() -> None:
        asked.append(True)
        if len(asked) == 2:
            raise ScoringStopped

    asked: list[bool] = []
    taken: list[bytes] = []
    with pytest.raises(ScoringStopped):
        taken.extend(plain_pieces(ReceivedFile(files, "input", ""), 10**9, check))
    assert sum(map(len, taken)) <= PIECE
