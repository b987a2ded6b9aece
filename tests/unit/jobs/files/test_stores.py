"""A file is complete or absent, in a directory and in S3 alike."""

import errno
import os
import subprocess
import sys
import threading
import time
from contextlib import closing
from math import inf
from pathlib import Path
from random import Random
from types import SimpleNamespace
from typing import Any

import pytest
from botocore.exceptions import ClientError

from jobs.errors import FileMissing, FilesFull, FilesUnavailable
from jobs.files import s3_client, s3_draft
from jobs.files.location import files_at
from jobs.files.s3 import S3Files
from jobs.files.store import FOR_UPLOADS, FOR_WORKERS, MIB, PIECE, Draft, FileRange, FileStore

BUCKET = "salaries"
GIB = 1024**3


@pytest.fixture(params=["directory", "s3"])
def files(request: pytest.FixtureRequest, tmp_path: Path) -> FileStore:
    if request.param == "directory":
        return files_at(str(tmp_path))
    request.getfixturevalue("aws")
    return files_at(f"s3://{BUCKET}/some/prefix/")


def write(files: FileStore, name: str, data: bytes = b"rows") -> None:
    with files.create(name) as file:
        file.write(data)


def test_a_file_can_be_read_from_any_offset(files: FileStore) -> None:
    write(files, "batches/1/input", b"0123456789")
    assert files.size("batches/1/input") == 10
    assert files.read("batches/1/input") == b"0123456789"
    assert b"".join(files.pieces("batches/1/input", 2, 5)) == b"234"
    with files.open("batches/1/input") as file:
        file.seek(-3, os.SEEK_END)
        assert file.read() == b"789"


def test_an_empty_file_is_a_file(files: FileStore) -> None:
    write(files, "empty", b"")
    assert files.read("empty") == b""
    assert list(files.pieces("empty")) == []
    assert list(files.pieces("empty", 0, 4)) == []


def test_a_long_file_is_written_and_read_in_pieces(files: FileStore) -> None:
    data = os.urandom(1024) * 33 * 1024
    with files.create("long") as file:
        for start in range(0, len(data), 5_000_000):
            file.write(data[start : start + 5_000_000])
    pieces = list(files.pieces("long", 7, len(data) - 7))
    assert max(map(len, pieces)) <= PIECE
    assert b"".join(pieces) == data[7:-7]


def test_an_unfinished_file_is_never_visible(files: FileStore) -> None:
    def write_half() -> None:
        with files.create("input") as file:
            file.write(bytes(s3_draft.PART + 1))
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        write_half()
    with pytest.raises(FileMissing):
        files.size("input")


def test_writing_a_file_again_replaces_it(files: FileStore) -> None:
    write(files, "part", b"first, and longer")
    write(files, "part", b"second")
    assert files.read("part") == b"second"


def test_a_folder_is_removed_with_everything_in_it(files: FileStore) -> None:
    write(files, "batches/1/input")
    write(files, "batches/1/parts/000000")
    write(files, "batches/12/input")
    files.remove("batches/1")
    files.remove("batches/1")
    assert list(files.folders("batches")) == ["12"]


def test_a_missing_folder_has_no_folders(files: FileStore) -> None:
    assert list(files.folders("batches")) == []


def test_reading_a_missing_file_raises_file_missing(files: FileStore) -> None:
    with pytest.raises(FileMissing):
        files.read("batches/1/input")


def test_old_drafts_are_removed_from_a_directory(tmp_path: Path) -> None:
    files = files_at(str(tmp_path))
    write(files, "batches/1/input")
    for name, age in (("left", 7200), ("growing", 10)):
        draft = tmp_path / "batches" / "1" / f".{name}"
        draft.touch()
        os.utime(draft, (time.time() - age,) * 2)
    files.remove_drafts(older_than_seconds=3600)
    assert sorted(path.name for path in (tmp_path / "batches" / "1").iterdir()) == [".growing", "input"]


def test_old_uploads_to_s3_are_aborted(aws: Any) -> None:
    aws.create_multipart_upload(Bucket=BUCKET, Key="files/batches/1/input")
    aws.create_multipart_upload(Bucket=BUCKET, Key="elsewhere")
    files_at(f"s3://{BUCKET}/files").remove_drafts(older_than_seconds=-1)
    assert [found["Key"] for found in aws.list_multipart_uploads(Bucket=BUCKET)["Uploads"]] == ["elsewhere"]


def test_a_read_never_mixes_two_versions_of_an_object(aws: Any) -> None:
    files = files_at(f"s3://{BUCKET}")
    write(files, "input", b"first version")
    with files.open("input") as file:
        file.read(5)
        write(files, "input", b"other version")
        with pytest.raises(FilesUnavailable, match="changed"):
            file.read(5)


FORKED = """
import os
from jobs.files import s3_client

ours = s3_client.client()
if child := os.fork():
    raise SystemExit(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
os._exit(s3_client.client() is ours)
"""


@pytest.mark.process
def test_a_forked_process_shares_no_connection(aws: Any) -> None:
    subprocess.run([sys.executable, "-c", FORKED], check=True)


def test_the_error_for_a_missing_bucket_names_it(aws: Any) -> None:
    with pytest.raises(FilesUnavailable, match="bucket nowhere does not exist"):
        write(files_at("s3://nowhere/prefix"), "input")


def test_a_disk_that_is_nearly_full_has_no_room(files: FileStore, monkeypatch: pytest.MonkeyPatch) -> None:
    usage = SimpleNamespace(total=100 * GIB, free=1.5 * GIB)
    monkeypatch.setattr("jobs.files.directory.shutil.disk_usage", lambda _: usage)
    files.check_room(FOR_WORKERS)
    if isinstance(files, S3Files):
        files.check_room(FOR_UPLOADS)
        return
    with pytest.raises(FilesFull):
        files.check_room(FOR_UPLOADS)
    usage.free = 0.9 * GIB
    with pytest.raises(FilesFull):
        files.check_room(FOR_WORKERS)
    usage.total = 20 * GIB  # of which less must be free
    files.check_room(FOR_WORKERS)


def test_a_draft_is_written_by_one_process_after_the_other(files: FileStore) -> None:
    data = os.urandom(1024) * 40 * 1024
    state, at, written = "", 0, 0
    for _ in range(3):
        with closing(files.draft("long", state, at)) as draft:
            assert (draft.at, written - draft.at < s3_draft.PART) == (at, True)
            draft.write(data[draft.at : draft.at + 17 * 1024 * 1024])
            written = draft.at
            state, at = draft.save()
            draft.write(b"what was written after the last save is written again")
        with pytest.raises(FileMissing):
            files.size("long")
    with closing(files.draft("long", state, at)) as draft:
        draft.write(data[draft.at :])
        draft.finish()
    assert files.read("long") == data


def test_a_draft_that_is_gone_begins_anew(files: FileStore) -> None:
    with closing(files.draft("file", "gone", 5)) as draft:
        assert draft.at == 0
        draft.write(b"rows")
        draft.finish()
    assert files.read("file") == b"rows"


def test_a_draft_that_another_process_has_finished_is_missed(tmp_path: Path) -> None:
    files = files_at(str(tmp_path))
    with closing(files.draft("file")) as slow:
        slow.write(b"rows")
        with closing(files.draft("file", *slow.save())) as quick:
            quick.finish()
        with pytest.raises(FileMissing):
            slow.finish()
    assert files.read("file") == b"rows"


def test_the_sizes_of_the_files_in_a_folder_are_known(files: FileStore) -> None:
    write(files, "parts/1", b"123")
    write(files, "parts/2", b"")
    write(files, "partsnot/3", b"12345")
    assert files.sizes("parts") == {"parts/1": 3, "parts/2": 0}
    assert files.sizes("nothing") == {}


def test_a_file_that_is_removed_meanwhile_hides_no_other(tmp_path: Path) -> None:
    files = files_at(str(tmp_path))
    write(files, "parts/1", b"123")
    (tmp_path / "parts" / "2").symlink_to("gone")  # it is found in the folder, and then there is no such file
    write(files, "parts/3", b"12345")
    assert files.sizes("parts") == {"parts/1": 3, "parts/3": 5}


def test_a_folder_that_another_process_removes_leaves_no_other(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    files, remove = files_at(str(tmp_path)), Path.rmdir
    for name in ("batches/1/input", "batches/1/parts/000000", "batches/1/plain/0"):
        write(files, name)

    def remove_twice(folder: Path) -> None:
        remove(folder)
        remove(folder)

    monkeypatch.setattr(Path, "rmdir", remove_twice)
    files.remove("batches/1")
    assert list(files.folders("batches")) == []


def test_a_file_is_synced_before_it_counts(tmp_path: Path) -> None:
    synced: list[tuple[str, bool]] = []

    def sync(descriptor: int) -> None:
        path = Path(f"/proc/self/fd/{descriptor}").readlink()
        synced.append(("folder" if path.is_dir() else "file", (tmp_path / "folder/rows").exists()))

    write(files_at(str(tmp_path), sync), "folder/rows")
    assert synced == [("file", False), ("folder", True)]


def copy(draft: Draft, source: FileStore, stored: FileRange) -> None:
    start = stored.start
    while start < stored.end:
        start += draft.copy(source, stored._replace(start=start))


def make_of(files: FileStore, stored: FileRange) -> None:
    """Makes the file "joined" of one range."""
    with closing(files.draft("joined")) as draft:
        copy(draft, files, stored)
        draft.finish()


def test_a_draft_has_ranges_of_stored_files(files: FileStore) -> None:
    long, short = os.urandom(40 * MIB), b"0123456789"
    write(files, "long", long)
    write(files, "short", short)
    with closing(files.draft("joined")) as draft:
        draft.write(b"header ")
        for stored in (
            FileRange("short", 2, 4),
            FileRange("long", 7, len(long)),
            FileRange("long", 0, 6 * MIB),
        ):
            copy(draft, files, stored)
        draft.write(b" footer")
        draft.finish()
    assert files.read("joined") == b"header 23" + long[7:] + long[: 6 * MIB] + b" footer"


@pytest.mark.parametrize("size", [100, 6 * MIB])
def test_a_range_that_a_file_does_not_have_is_not_copied(files: FileStore, size: int) -> None:
    write(files, "part", bytes(size))
    for name, error in (("part", FilesUnavailable), ("gone", FileMissing)):
        with pytest.raises(error, match=r"shorter|does not exist"):
            make_of(files, FileRange(name, 0, size + 1))
    with pytest.raises(FileMissing):
        files.size("joined")


def test_what_is_missing_of_a_range_is_said(files: FileStore) -> None:
    write(files, "parts/000001", b"0123456789")
    said = "parts/000001 should have 18 bytes from byte 2 on, and has 8; it became shorter"
    with pytest.raises(FilesUnavailable, match=said):
        list(files.read_range(FileRange("parts/000001", 2, 20)))


def test_a_directory_copies_within_the_kernel_however_little_at_a_time(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    copied: list[int] = []

    def copy_little(source: int, target: int, count: int, offset: int) -> int:
        copied.append(os.write(target, os.pread(source, min(count, 3), offset)))
        return copied[-1]

    monkeypatch.setattr(os, "copy_file_range", copy_little)
    files = files_at(str(tmp_path))
    write(files, "part", b"0123456789")
    make_of(files, FileRange("part", 2, 9))
    assert (files.read("joined"), copied) == (b"2345678", [3, 3, 1])


@pytest.mark.parametrize("error", [errno.EXDEV, errno.ENOSYS, errno.EINVAL, None])
def test_where_the_kernel_does_not_copy_a_file_is_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, error: int | None
) -> None:
    def refuse(*_: object) -> int:
        if error:
            raise OSError(error, "not here")
        return 0

    monkeypatch.setattr(os, "copy_file_range", refuse)
    files = files_at(str(tmp_path))
    write(files, "part", b"0123456789")
    make_of(files, FileRange("part", 3, 9))
    assert files.read("joined") == b"345678"


def test_from_another_kind_of_store_a_file_is_read(aws: Any, tmp_path: Path) -> None:
    directory, bucket = files_at(str(tmp_path)), files_at(f"s3://{BUCKET}")
    data = os.urandom(6 * MIB)
    write(directory, "part", data)
    write(bucket, "part", data)
    for source, target in ((directory, bucket), (bucket, directory)):
        with closing(target.draft("joined")) as draft:
            copy(draft, source, FileRange("part", 0, len(data)))
            draft.finish()
        assert target.read("joined") == data


@pytest.fixture
def small_parts(aws: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """The limits of S3, divided by 100,000."""
    for name, size in (("LEAST_PART", 50), ("PART", 160), ("SMALL_PARTS", 12), ("LATE_PART", 640)):
        monkeypatch.setattr(s3_draft, name, size)
    monkeypatch.setattr("moto.s3.models.S3_UPLOAD_PART_MIN_SIZE", 50)


Pieces = list[bytes | FileRange]


def rest(pieces: Pieces, at: int) -> Pieces:
    """The pieces from the byte `at` on."""
    left: Pieces = []
    for piece in pieces:
        size = piece.end - piece.start if isinstance(piece, FileRange) else len(piece)
        if at < size:
            cut = piece._replace(start=piece.start + at) if isinstance(piece, FileRange) else piece[at:]
            left.append(cut)
        at = max(at - size, 0)
    return left


def write_some(draft: Draft, files: FileStore, pieces: Pieces, most: float) -> None:
    """Stops after so many pieces, or parts of them."""
    for piece in rest(pieces, draft.at):
        if isinstance(piece, FileRange):
            while piece.start < piece.end and (most := most - 1) > 0:
                piece = piece._replace(start=piece.start + draft.copy(files, piece))
        elif (most := most - 1) > 0:
            draft.write(piece)
        if most <= 0:
            return


def random_pieces(seed: int, files: FileStore) -> tuple[Random, Pieces, bytes]:
    """What they are, and what they come to."""
    chance = Random(seed)  # noqa: S311 (no secret)
    stored = chance.randbytes(2_000)
    write(files, "stored", stored)
    pieces, data = Pieces(), b""
    for _ in range(chance.randrange(1, 40)):
        size = chance.choice([0, 3, 30, 49, 50, 51, 70, 99, 101, 160, 210, 211, 700, 1_500])
        start = chance.randrange(2_001 - size)
        piece = FileRange("stored", start, start + size)
        pieces.append(stored[start : start + size] if chance.random() < 0.2 else piece)
        data += stored[start : start + size]
    return chance, pieces, data


def finished(files: FileStore, pieces: Pieces, state: str = "", at: int = 0) -> str:
    """The tag, in which S3 sums up the parts."""
    with closing(files.draft("joined", state, at)) as draft:
        write_some(draft, files, pieces, inf)
        return draft.finish()


@pytest.mark.parametrize("seed", range(12))
@pytest.mark.usefixtures("small_parts")
def test_a_file_has_the_same_parts_wherever_another_process_goes_on(seed: int) -> None:
    files = files_at(f"s3://{BUCKET}")
    chance, pieces, data = random_pieces(seed, files)
    state, at, resumed = "", 0, 0
    for _ in range(3):
        with closing(files.draft("joined", state, at)) as draft:
            resumed += draft.at > 0
            write_some(draft, files, pieces, chance.randrange(40))
            state, at = draft.save()
    assert resumed
    tag = finished(files, pieces, state, at)
    assert files.read("joined") == data
    assert finished(files, pieces) == tag


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.usefixtures("small_parts")
def test_a_file_has_the_same_parts_where_s3_does_not_copy(seed: int) -> None:
    files = files_at(f"s3://{BUCKET}")
    _, pieces, data = random_pieces(seed, files)
    tag = finished(files, pieces)

    answer_copies("NotImplemented", most=10_000)
    assert finished(files, pieces) == tag
    assert files.read("joined") == data


def answer_copies(code: str, most: int) -> list[str]:
    """S3 answers the first copies so, at most so many. Returns what the copies read, also those that fail."""
    asked: list[str] = []

    def answer(params: dict[str, Any], **_: object) -> None:
        asked.append(params["CopySourceRange"])
        if len(asked) <= most:
            raise ClientError({"Error": {"Code": code, "Message": ""}}, "UploadPartCopy")

    s3_client.client().meta.events.register("provide-client-params.s3.UploadPartCopy", answer)
    return asked


@pytest.mark.parametrize(
    ("code", "asked"), [("SlowDown", 3), ("503", 3), ("NotImplemented", 1), ("AccessDenied", 1)]
)
@pytest.mark.usefixtures("small_parts")
def test_s3_is_not_asked_to_copy_again_only_where_it_never_will(
    code: str, asked: int, caplog: pytest.LogCaptureFixture
) -> None:
    files, data = files_at(f"s3://{BUCKET}"), os.urandom(3 * s3_draft.PART)
    write(files, "part", data)
    copies = answer_copies(code, most=2)
    make_of(files, FileRange("part", 0, len(data)))
    assert len(copies) == asked
    assert files.read("joined") == data
    [noted] = [record for record in caplog.records if record.message == "part_not_copied"]
    said = noted.__dict__["error"]
    assert ("denied" if code == "AccessDenied" else code) in said


def test_s3_is_asked_for_several_short_ranges_at_a_time(aws: Any) -> None:
    files, parts = files_at(f"s3://{BUCKET}"), range(s3_draft.READERS)
    together = threading.Barrier(s3_draft.READERS, timeout=60)

    def wait_for_the_others(**_: object) -> None:
        together.wait()

    for number in parts:
        write(files, f"parts/{number}", b"%d" % number * 10)
    s3_client.client().meta.events.register("before-call.s3.GetObject", wait_for_the_others)
    with closing(files.draft("joined")) as draft:
        for number in parts:
            copy(draft, files, FileRange(f"parts/{number}", 1, 3))
        draft.finish()
    assert aws.get_object(Bucket=BUCKET, Key="joined")["Body"].read() == b"00112233"


def test_s3_copies_one_version_of_a_file(aws: Any) -> None:
    """The simulated S3 does not look at the version: the test does, at the moment of the copy."""
    files, versions = files_at(f"s3://{BUCKET}"), list[str]()
    write(files, "part", bytes(6 * MIB))

    def replace_first(params: dict[str, Any], **_: object) -> None:
        versions.append(params["CopySourceIfMatch"])
        write(files, "part", b"x" * 7 * MIB)
        if aws.head_object(**params["CopySource"])["ETag"] != params["CopySourceIfMatch"]:
            raise ClientError({"Error": {"Code": "PreconditionFailed", "Message": ""}}, "UploadPartCopy")

    s3_client.client().meta.events.register("provide-client-params.s3.UploadPartCopy", replace_first)
    make_of(files, FileRange("part", 0, 6 * MIB))
    assert len(versions) == 1
    assert set(files.read("joined")) == {ord("x")}
