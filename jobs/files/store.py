"""The file store of batches: its interface, which a directory and an S3 prefix implement."""

from abc import ABC, abstractmethod
from collections.abc import Iterator
from contextlib import AbstractContextManager
from io import RawIOBase
from typing import NamedTuple, Protocol

from jobs.errors import FilesUnavailable
from jobs.files.direct import DirectFiles

MIB = 1024 * 1024

PIECE = 256 * 1024
"""Bytes of each read when a file is copied."""
COPIED = 8 * MIB
"""Bytes of a file that one call of `Draft.copy` writes at most, well under a second's worth. Of S3, which
copies whole parts, it may write 21 MiB, and 128 MiB after 8,000 parts.
"""


class Disk(NamedTuple):
    """Bytes."""

    free: int
    total: int


class Reserve(NamedTuple):
    """What must stay free on the disk of a file store: so many bytes, or a share of a small disk."""

    size: int
    share: float


FOR_WORKERS = Reserve(1024**3, 0.025)
"""Workers pause below it, so that the parts of a batch can still be joined, and then removed."""
FOR_UPLOADS = Reserve(2 * 1024**3, 0.05)
"""No batch is accepted below it, so that those that were accepted can be scored."""


class Writable(Protocol):
    def write(self, data: bytes | memoryview, /) -> object: ...


class FileRange(NamedTuple):
    """The bytes of a file from start to end."""

    name: str
    start: int
    end: int


class Draft(ABC):
    """A file that is written little by little, also by one process after the other."""

    at: int
    """How many of its bytes there are."""

    @abstractmethod
    def write(self, data: bytes | memoryview, /) -> object: ...

    def copy(self, source: "FileStore", stored: FileRange) -> int:
        """Writes the first bytes of the range; returns how many, at least one.

        A store that can copy by its own means does so. Here they are read and written. Raises
        FilesUnavailable if the file is shorter, FileMissing if it is gone; either may be found only by the
        calls that follow.
        """
        end = min(stored.end, stored.start + COPIED)
        for piece in source.read_range(stored._replace(end=end)):
            self.write(piece)
        return end - stored.start

    @abstractmethod
    def save(self) -> tuple[str, int]:
        """Makes what is written durable. Returns what another process needs to go on: `state` and `at`."""

    @abstractmethod
    def finish(self) -> str:
        """From now on the file exists. Returns its tag if the store gives it one, as S3 does.

        Raises FileMissing if the draft was removed.
        """

    @abstractmethod
    def close(self) -> None: ...


class FileStore(ABC):
    """Files by name, with slashes between folders. A file is complete or does not exist.

    Every method raises FilesUnavailable if the store cannot be read or written, and FileMissing for a file
    that does not exist.
    """

    @property
    def direct(self) -> DirectFiles | None:
        """How callers reach the files themselves; None where only this process can."""
        return None

    @abstractmethod
    def create(self, name: str) -> AbstractContextManager[Draft]:
        """A file to write. It exists, and is durable, once the block ends; after an error nothing is left."""

    @abstractmethod
    def draft(self, name: str, state: str = "", at: int = 0) -> Draft:
        """A new draft of a file, or one to go on with as `save` said; from the beginning if it is gone."""

    @abstractmethod
    def disk(self) -> Disk | None:
        """The disk that the files are on; None for S3, which has no end."""

    @abstractmethod
    def check_room(self, reserve: Reserve) -> None:
        """Raises FilesFull if less than the reserve is free."""

    @abstractmethod
    def open(self, name: str) -> RawIOBase:
        """The file to read, unbuffered and seekable."""

    @abstractmethod
    def size(self, name: str) -> int: ...

    @abstractmethod
    def sizes(self, folder: str) -> dict[str, int]:
        """The sizes of the files in the folder, by name; none if there is no such folder."""

    @abstractmethod
    def remove(self, folder: str) -> None:
        """Removes the folder with everything in it, if it exists."""

    @abstractmethod
    def remove_file(self, name: str) -> None:
        """Removes the file, if it exists."""

    @abstractmethod
    def folders(self, folder: str) -> Iterator[str]:
        """The names of the folders in the folder."""

    @abstractmethod
    def remove_drafts(self, older_than_seconds: float) -> None:
        """Removes unfinished files that were begun so long ago."""

    @abstractmethod
    def read(self, name: str) -> bytes: ...

    @abstractmethod
    def pieces(self, name: str, start: int = 0, end: int | None = None) -> Iterator[bytes]:
        """The bytes of the file from start to end, in pieces of at most PIECE bytes."""

    def read_range(self, stored: FileRange) -> Iterator[bytes]:
        """Its bytes in pieces. Raises FilesUnavailable if the file is shorter."""
        found, size = 0, stored.end - stored.start
        for piece in self.pieces(*stored):
            found += len(piece)
            yield piece
        if found < size:
            raise FilesUnavailable(
                f"{stored.name} should have {size} bytes from byte {stored.start} on, and has {found}; "
                "it became shorter"
            )
