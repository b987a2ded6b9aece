"""A file store that is a directory."""

import os
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from io import FileIO, RawIOBase
from pathlib import Path
from uuid import uuid4

from jobs.errors import FileMissing, FilesUnavailable
from jobs.files.store import FileStore, Writable


class Directory(FileStore):
    """FileStore are written under a name that begins with a dot, and then renamed."""

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
