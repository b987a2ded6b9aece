"""The file stores that a batch reads and writes: Paygrade's own, and those that callers name."""

from collections.abc import Iterator
from contextlib import contextmanager
from functools import lru_cache, partial
from io import SEEK_END, RawIOBase

from jobs.batches.record import FileRef, input_of
from jobs.batches.tasks import BatchTask
from jobs.files.location import files_of_caller
from jobs.files.store import FileStore
from worker.tables.cut import Chunk


class FileStores:
    def __init__(self, own: FileStore, s3_allow: str = "") -> None:
        self.own = own
        self._of_caller = lru_cache(maxsize=8)(partial(files_of_caller, s3_allow=s3_allow))

    def find(self, file: FileRef) -> tuple[FileStore, str]:
        """The store of a file, and its name there. Raises FilesForbidden for what no caller may name."""
        if not file.store:
            return self.own, file.name
        return self._of_caller(file.store, file.name, version=file.version, size=file.size), file.name

    @contextmanager
    def open(self, file: FileRef) -> Iterator[tuple[RawIOBase, int]]:
        """The file to read, and its size in bytes."""
        files, name = self.find(file)
        with files.open(name) as opened:
            yield opened, opened.seek(0, SEEK_END)

    def size_and_version(self, file: FileRef) -> tuple[int, str]:
        """Those of a file that a caller named, as it is now. Raises FilesForbidden for another version."""
        return self._of_caller(file.store, file.name, version=file.version).size_and_version(file.name)


def input_with(stores: FileStores, task: BatchTask, chunk: Chunk) -> tuple[FileStore, str, Chunk]:
    """The store and the name of the file with a chunk, and where the chunk is in it."""
    if not task.options.has_plain_chunks:
        return *stores.find(input_of(task.id, task.options)), chunk
    plain = input_of(task.id, task.options, chunk.start)
    return *stores.find(plain), chunk._replace(start=0, end=chunk.end - chunk.start)
