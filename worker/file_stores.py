"""The file stores that a batch reads and writes: Paygrade's own, and those that callers name."""

from collections.abc import Iterator
from contextlib import contextmanager
from functools import lru_cache, partial
from io import RawIOBase

from jobs.batches.record import FileRef
from jobs.files.location import files_of_caller
from jobs.files.store import FileStore


class FileStores:
    def __init__(self, own: FileStore, s3_allow: str = "") -> None:
        self.own = own
        self._of_caller = lru_cache(maxsize=8)(partial(files_of_caller, s3_allow=s3_allow))

    def find(self, file: FileRef) -> tuple[FileStore, str]:
        """The store of a file, and its name there. Raises FilesForbidden for what no caller may name."""
        return (self._of_caller(file.store, file.name) if file.store else self.own), file.name

    @contextmanager
    def open(self, file: FileRef) -> Iterator[tuple[RawIOBase, int]]:
        """The file to read, and its size in bytes."""
        files, name = self.find(file)
        with files.open(name) as opened:
            yield opened, files.size(name)
