"""A file store in a directory."""

import os
import shutil
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from errno import EDQUOT, ENOSPC
from io import FileIO, RawIOBase
from pathlib import Path
from uuid import uuid4

from jobs.errors import FileMissing, FilesFull, FilesUnavailable
from jobs.files.store import PIECE, FileStore, Reserve, Writable


class DirectoryFiles(FileStore):
    """A draft, whose name begins with a dot, is written first and then renamed."""

    def __init__(self, root: Path) -> None:
        self._root = root

    @contextmanager
    def create(self, name: str) -> Iterator[Writable]:
        path = self._root / name
        draft = path.with_name(f".{path.name}-{uuid4().hex}")
        with _named_errors():
            path.parent.mkdir(parents=True, exist_ok=True)
            file = draft.open("xb", buffering=0)
        try:
            with file:
                yield _FullWriter(file)
            with _named_errors():
                draft.rename(path)
        finally:
            with suppress(OSError):
                draft.unlink(missing_ok=True)

    def check_room(self, reserve: Reserve) -> None:
        with _named_errors():
            self._root.mkdir(parents=True, exist_ok=True)
            disk = shutil.disk_usage(self._root)
        if disk.free < min(reserve.size, disk.total * reserve.share):
            raise FilesFull

    def open(self, name: str) -> RawIOBase:
        with _named_errors():
            return (self._root / name).open("rb", buffering=0)

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
            return (self._root / name).stat().st_size

    def remove(self, folder: str) -> None:
        with _named_errors(), suppress(FileNotFoundError):
            for path, _, files in os.walk(self._root / folder, topdown=False):
                for file in files:
                    Path(path, file).unlink(missing_ok=True)
                Path(path).rmdir()

    def remove_file(self, name: str) -> None:
        with _named_errors():
            (self._root / name).unlink(missing_ok=True)

    def folders(self, folder: str) -> Iterator[str]:
        with _named_errors(), suppress(FileNotFoundError):
            for entry in os.scandir(self._root / folder):
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
