"""Files that are sent, and files that are written."""

import os
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, BinaryIO, Protocol, TypeAlias

from paygrade.calling.requests import Content

PIECE = 256 * 1024

OnSent: TypeAlias = Callable[[int, int | None], object]
"""Called with the bytes that were sent so far, and with the size of the file if it is known."""
PathOrFile: TypeAlias = str | Path | BinaryIO


class SentFile:
    """A file by its name, or one that is open, which is sent again if it can go back to where it was."""

    def __init__(self, file: PathOrFile, on_sent: OnSent) -> None:
        self._file = file
        self._on_sent = on_sent
        self.name = str(file) if isinstance(file, str | Path) else ""
        self.base_name = Path(self.name).name
        self._start = self._position()
        self.repeatable = bool(self.name) or self._start is not None
        self.size = self._size()

    def content(self) -> Content:
        return self._pieces

    def part(self, offset: int, size: int) -> Content:
        """Some bytes of a file that is repeatable."""
        return lambda: self._pieces(offset, size)

    def crc32(self) -> int:
        """The CRC-32 of a file that is repeatable, which it reads as a whole."""
        value = 0
        for piece in self._pieces(reports=False):
            value = zlib.crc32(piece, value)
        return value

    def _pieces(self, offset: int = 0, size: int | None = None, reports: bool = True) -> Iterator[bytes]:
        if isinstance(self._file, str | Path):
            with Path(self._file).open("rb") as opened:
                opened.seek(offset)
                yield from self._read(opened, offset, size, reports)
        else:
            if self._start is not None:
                self._file.seek(self._start + offset)
            yield from self._read(self._file, offset, size, reports)

    def _read(self, file: BinaryIO, sent: int, size: int | None, reports: bool) -> Iterator[bytes]:
        """From where the file is, which is behind `sent` bytes, so many bytes or all."""
        end = None if size is None else sent + size
        while piece := file.read(PIECE if end is None else min(PIECE, end - sent)):
            yield piece
            sent += len(piece)
            if reports:
                self._on_sent(sent, self.size)

    def _position(self) -> int | None:
        if isinstance(self._file, str | Path) or not self._file.seekable():
            return None
        return self._file.tell()

    def _size(self) -> int | None:
        if isinstance(self._file, str | Path):
            return Path(self._file).stat().st_size
        if self._start is None:
            return None
        size = self._file.seek(0, os.SEEK_END) - self._start
        self._file.seek(self._start)
        return size


class Destination(Protocol):
    """Where a download is written; `done` is called when all of it has arrived, `close` in any case."""

    def write(self, piece: bytes, /) -> object: ...

    def done(self) -> None: ...

    def close(self) -> None: ...


class NewFile:
    """A file that appears under its name when it is complete."""

    def __init__(self, path: Path, draft: str) -> None:
        self._path = path
        self._draft = path.with_name(f".{path.name}-{draft}")
        self._file = self._draft.open("wb")

    def write(self, piece: bytes) -> object:
        return self._file.write(piece)

    def done(self) -> None:
        self._file.close()
        self._draft.replace(self._path)

    def close(self) -> None:
        self._file.close()
        self._draft.unlink(missing_ok=True)


class OpenDestination:
    """A function that is given each piece, or an open file, which stays open."""

    def __init__(self, destination: Callable[[bytes], object] | BinaryIO) -> None:
        self.write: Callable[[bytes], Any] = destination if callable(destination) else destination.write

    def done(self) -> None:
        """Nothing more is to do."""

    def close(self) -> None:
        """It belongs to the caller."""


def destination_of(output: str | Path | BinaryIO | Callable[[bytes], object], draft: str) -> Destination:
    return NewFile(Path(output), draft) if isinstance(output, str | Path) else OpenDestination(output)
