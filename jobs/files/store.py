"""Where the files of batches are: a directory or an S3 prefix, behind one small seam."""

import os
import time
from abc import ABC, abstractmethod
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, suppress
from io import FileIO, RawIOBase
from pathlib import Path
from typing import Protocol
from uuid import uuid4

from jobs.errors import FileMissing, FilesUnavailable

PIECE = 256 * 1024
"""Bytes that are read at once where a file is passed on."""


class Writable(Protocol):
    def write(self, data: bytes | memoryview, /) -> object: ...


class Files(ABC):
    """Files by name, with slashes. A file is there whole or not at all.

    Every method raises FilesUnavailable if the store cannot be read or written, and FileMissing for a
    file that does not exist.
    """

    @abstractmethod
    def create(self, name: str) -> AbstractContextManager[Writable]:
        """A file to write, which is there when the block ends; if it ends by an error, nothing is left."""

    @abstractmethod
    def open(self, name: str) -> RawIOBase:
        """The file to read, from any place in it; without a buffer."""

    @abstractmethod
    def size(self, name: str) -> int: ...

    @abstractmethod
    def remove(self, folder: str) -> None:
        """Removes all that is in the folder, if there is anything."""

    @abstractmethod
    def remove_file(self, name: str) -> None:
        """Removes the file, if it is there."""

    @abstractmethod
    def folders(self, folder: str) -> Iterator[str]:
        """The names of the folders in a folder."""

    @abstractmethod
    def remove_drafts(self, older_than_seconds: float) -> None:
        """Removes what was begun so long ago and never finished."""

    def read(self, name: str, start: int = 0, end: int | None = None) -> bytes:
        with self.open(name) as file:
            return read_exactly(file, start, self.size(name) if end is None else end)

    def pieces(self, name: str, start: int = 0, end: int | None = None) -> Iterator[bytes]:
        """The bytes of the file from start to end, a piece at a time."""
        left = (self.size(name) if end is None else end) - start
        with self.open(name) as file:
            file.seek(start)
            while left > 0 and (piece := file.read(min(PIECE, left))):
                left -= len(piece)
                yield piece


def read_exactly(file: RawIOBase, start: int, end: int) -> bytes:
    """Raises FilesUnavailable if the file has become shorter."""
    file.seek(start)
    pieces = []
    while start < end:
        piece = file.read(end - start)
        if not piece:
            raise FilesUnavailable("a file is shorter than it was; it was changed meanwhile")
        start += len(piece)
        pieces.append(piece)
    return pieces[0] if len(pieces) == 1 else b"".join(pieces)


def files_at(place: str) -> Files:
    """`place` is a directory, or s3://BUCKET/PREFIX."""
    if place.startswith("s3://"):
        from jobs.files.s3 import S3Files

        return S3Files(place)
    return Directory(Path(place))


class Directory(Files):
    """Files are written under a name that begins with a dot, and then renamed."""

    def __init__(self, root: Path) -> None:
        self._root = root

    @contextmanager
    def create(self, name: str) -> Iterator[Writable]:
        place = self._root / name
        draft = place.with_name(f".{place.name}-{uuid4().hex}")
        with _named_errors():
            place.parent.mkdir(parents=True, exist_ok=True)
            file = draft.open("xb", buffering=0)
        try:
            with file:
                yield _Whole(file)
            with _named_errors():
                draft.rename(place)
        finally:
            with suppress(OSError):
                draft.unlink(missing_ok=True)

    def open(self, name: str) -> RawIOBase:
        with _named_errors():
            return (self._root / name).open("rb", buffering=0)

    def size(self, name: str) -> int:
        with _named_errors():
            return (self._root / name).stat().st_size

    def remove(self, folder: str) -> None:
        place = self._root / folder
        with _named_errors(), suppress(FileNotFoundError):
            for path, _, files in os.walk(place, topdown=False):
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
            for folder, _, names in os.walk(self._root):  # which goes on where a folder is removed meanwhile
                for name in names:
                    draft = Path(folder, name)
                    with suppress(FileNotFoundError):  # it was finished meanwhile
                        if name.startswith(".") and draft.stat().st_mtime < before:
                            draft.unlink()


class _Whole:
    """Writes all that it is given, where a raw file may write a part."""

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
        raise FilesUnavailable(f"the file store cannot be used: {error.strerror}") from error
