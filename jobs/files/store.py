"""Where the files of batches are: a directory or an S3 prefix, behind one small seam."""

from abc import ABC, abstractmethod
from collections.abc import Iterator
from contextlib import AbstractContextManager
from io import RawIOBase
from typing import Protocol

from jobs.errors import FilesUnavailable

PIECE = 256 * 1024
"""Bytes that are read at once where a file is passed on."""


class Writable(Protocol):
    def write(self, data: bytes | memoryview, /) -> object: ...


class FileStore(ABC):
    """FileStore by name, with slashes. A file is there whole or not at all.

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
