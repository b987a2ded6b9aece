"""The file stores that a batch reads and writes: Paygrade's own, and those that callers name."""

from collections.abc import Iterator
from contextlib import contextmanager
from functools import lru_cache
from io import RawIOBase

from jobs.batches.record import FileRef
from jobs.files.location import files_at
from jobs.files.store import FileStore


class FileStores:
    def __init__(self, own: FileStore) -> None:
        self.own = own

    def find(self, file: FileRef) -> tuple[FileStore, str]:
        """The store of a file, and its name there."""
        return (_files_at(file.store) if file.store else self.own), file.name

    @contextmanager
    def open(self, file: FileRef) -> Iterator[tuple[RawIOBase, int]]:
        """The file to read, and its size in bytes."""
        files, name = self.find(file)
        with files.open(name) as opened:
            yield opened, files.size(name)


@lru_cache(maxsize=8)
def _files_at(address: str) -> FileStore:
    return files_at(address)
