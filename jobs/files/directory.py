"""A file store in a directory."""

import os
import shutil
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager, suppress
from errno import EDQUOT, ENOSPC
from io import FileIO, RawIOBase
from pathlib import Path
from typing import TypeAlias
from uuid import uuid4

from jobs.errors import FileMissing, FilesForbidden, FilesFull, FilesUnavailable
from jobs.files.store import COPIED, PIECE, Disk, Draft, FileRange, FileStore, Reserve

Sync: TypeAlias = Callable[[int], object]
"""Makes what was written to a descriptor durable, as os.fsync does."""


class DirectoryFiles(FileStore):
    """A draft, whose name begins with a dot, is written first and then renamed."""

    def __init__(self, root: Path, sync: Sync = os.fsync) -> None:
        self._root = root
        self._sync = sync

    def _path(self, name: str) -> Path:
        """Raises FilesForbidden for a name that leaves the root: it may come from Redis."""
        if name.startswith("/") or ".." in name.split("/"):
            raise FilesForbidden("the name of a file leaves the file store")
        return self._root / name

    @contextmanager
    def create(self, name: str) -> Iterator[Draft]:
        draft = _DirectoryDraft(self._path(name), "", 0, self._sync)
        try:
            with closing(draft):
                yield draft
                draft.finish()
        finally:
            draft.remove()

    def disk(self) -> Disk:
        """Before the first file is written, that of the nearest folder above."""
        with _named_errors():
            folder = next(each for each in (self._root, *self._root.parents) if each.exists())
            usage = shutil.disk_usage(folder)
        return Disk(usage.free, usage.total)

    def check_room(self, reserve: Reserve) -> None:
        disk = self.disk()
        if disk.free < min(reserve.size, disk.total * reserve.share):
            raise FilesFull

    def draft(self, name: str, state: str = "", at: int = 0) -> Draft:
        return _DirectoryDraft(self._path(name), state, at, self._sync)

    def open(self, name: str) -> RawIOBase:
        with _named_errors():
            return (self._path(name)).open("rb", buffering=0)

    def read(self, name: str) -> bytes:
        with self.open(name) as file:
            return bytes(file.readall())

    def pieces(self, name: str, start: int = 0, end: int | None = None) -> Iterator[bytes]:
        left = (self.size(name) if end is None else end) - start
        with self.open(name) as file:
            file.seek(start)
            while left > 0 and (piece := file.read(min(PIECE, left))):
                left -= len(piece)
                yield piece

    def size(self, name: str) -> int:
        with _named_errors():
            return (self._path(name)).stat().st_size

    def sizes(self, folder: str) -> dict[str, int]:
        sizes = dict[str, int]()
        with _named_errors(), suppress(FileNotFoundError), os.scandir(self._path(folder)) as entries:
            for entry in entries:
                with suppress(FileNotFoundError):  # it was removed meanwhile
                    sizes[f"{folder}/{entry.name}"] = entry.stat().st_size
        return sizes

    def remove(self, folder: str) -> None:
        with _named_errors():
            for path, _, files in os.walk(self._path(folder), topdown=False):
                for file in files:
                    Path(path, file).unlink(missing_ok=True)
                with suppress(FileNotFoundError):  # somebody else removes the same folder
                    Path(path).rmdir()

    def remove_file(self, name: str) -> None:
        with _named_errors():
            (self._path(name)).unlink(missing_ok=True)

    def folders(self, folder: str) -> Iterator[str]:
        with _named_errors(), suppress(FileNotFoundError):
            for entry in os.scandir(self._path(folder)):
                if entry.is_dir():
                    yield entry.name

    def remove_drafts(self, older_than_seconds: float) -> None:
        before = time.time() - older_than_seconds
        with _named_errors():
            for folder, _, names in os.walk(self._root):  # goes on if a folder is removed meanwhile
                for name in names:
                    draft = Path(folder, name)
                    with suppress(FileNotFoundError):  # it was finished meanwhile
                        if name.startswith(".") and draft.stat().st_mtime < before:
                            draft.unlink()


class _DirectoryDraft(Draft):
    """Two processes may write the same bytes to the same place: neither cuts off what the other wrote."""

    def __init__(self, path: Path, state: str, at: int, sync: Sync) -> None:
        self._path = path
        self._sync = sync
        self._state = state or uuid4().hex
        self._draft = path.with_name(f".{path.name}-{self._state}")
        with _named_errors():
            path.parent.mkdir(parents=True, exist_ok=True)
            self._file = FileIO(os.open(self._draft, os.O_RDWR | os.O_CREAT, 0o666), "r+")
            self.at = at if self._file.seek(0, os.SEEK_END) >= at else 0
            self._file.seek(self.at)
        self._writer = _FullWriter(self._file)

    def write(self, data: bytes | memoryview) -> None:
        self._writer.write(data)
        self.at += len(data)

    def copy(self, source: FileStore, stored: FileRange) -> int:
        """Within the kernel; file systems that share blocks copy no bytes at all."""
        if isinstance(source, DirectoryFiles) and (copied := self._copy_in_kernel(source, stored)):
            self.at += copied
            return copied
        return super().copy(source, stored)

    def _copy_in_kernel(self, source: DirectoryFiles, stored: FileRange) -> int:
        """0 if that is not possible here, or there is no such byte: whoever reads it will see."""
        if not hasattr(os, "copy_file_range"):
            return 0
        length = min(stored.end - stored.start, COPIED)
        with suppress(OSError), source.open(stored.name) as file:
            return os.copy_file_range(file.fileno(), self._file.fileno(), length, stored.start)
        return 0

    def save(self) -> tuple[str, int]:
        _make_durable(self._file.fileno(), self._sync)
        return self._state, self.at

    def finish(self) -> str:
        with _named_errors():
            self._file.truncate(self.at)
        _make_durable(self._file.fileno(), self._sync)
        _publish(self._draft, self._path, self._sync)
        return ""

    def close(self) -> None:
        self._file.close()

    def remove(self) -> None:
        with suppress(OSError):
            self._draft.unlink(missing_ok=True)


def _make_durable(descriptor: int, sync: Sync) -> None:
    with _named_errors():
        sync(descriptor)


def _publish(draft: Path, path: Path, sync: Sync) -> None:
    """Renames the draft, and makes its new name durable."""
    with _named_errors():
        draft.rename(path)
        folder = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY)
        try:
            sync(folder)
        finally:
            os.close(folder)


class _FullWriter:
    """Writes all of the data; a raw file may write only a part of it."""

    def __init__(self, file: FileIO) -> None:
        self._file = file

    def write(self, data: bytes | memoryview) -> None:
        left = memoryview(data)
        with _named_errors():
            while left:
                left = left[self._file.write(left) :]


@contextmanager
def _named_errors() -> Iterator[None]:
    try:
        yield
    except FileNotFoundError:
        raise FileMissing from None
    except OSError as error:
        if error.errno in (ENOSPC, EDQUOT):
            raise FilesFull from error
        raise FilesUnavailable(f"the file store cannot be used: {error.strerror}") from error
