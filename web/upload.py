"""A body of any size on its way into the file store: never whole in memory, unpacked if it is packed."""

import hashlib
from collections.abc import Callable, Iterator

import gevent
from flask import Request

from jobs.files.gunzip import gunzip
from jobs.files.store import PIECE, FileStore
from web.connection import Connection
from web.problems import Problem

LOOKED_AT = 256 * 1024
"""Bytes from the start of a file by which it may be refused."""


class Upload:
    """`look` gets the first bytes of the file, and raises if it is to be refused."""

    def __init__(self, request: Request, most: int, look: Callable[[bytes], None]) -> None:
        self._request = request
        self._most = most
        self._look = look
        self.size = 0
        self.hash = hashlib.sha256()

    def save(self, files: FileStore, name: str, hashed: bool) -> None:
        """Raises InvalidGzip, and Problem: 400 (body cut off), 413 (too long), 415 (unknown encoding)."""
        with files.create(name) as file:
            for piece in self._checked(hashed):
                file.write(piece)

    def read(self) -> None:
        """Only for the hash: by then the file has been looked at, when it came first."""
        for _ in self._checked(hashed=True, looked=True):
            pass

    def _checked(self, hashed: bool, looked: bool = False) -> Iterator[bytes]:
        start = b""
        for piece in self._unpacked():
            self.size += len(piece)
            if self.size > self._most:
                raise too_long(self._most)
            if hashed:
                self.hash.update(piece)
            if not looked:
                start += piece
                if looked := len(start) >= LOOKED_AT:
                    self._look(start)
            yield piece
        if not looked:
            self._look(start)

    def _unpacked(self) -> Iterator[bytes]:
        encoding = self._request.headers.get("Content-Encoding", "identity").lower()
        if encoding == "identity":
            return self._pieces()
        if encoding in ("gzip", "x-gzip"):
            return gunzip(self._pieces())
        raise Problem(415, "send the file as it is, or with Content-Encoding: gzip")

    def _pieces(self) -> Iterator[bytes]:
        environ = self._request.environ
        left = self._request.content_length
        if left is not None and left > self._most:
            raise too_long(self._most)
        try:
            while left is None or left > 0:
                piece = environ["wsgi.input"].read(PIECE if left is None else min(PIECE, left))
                if not piece:
                    break
                left = None if left is None else left - len(piece)
                Connection.goes_on(environ)
                yield piece
                gevent.sleep(0)  # a fast sender would hold up all other callers
        except OSError:
            raise Problem(400, "the body ended before its end") from None
        if left:
            raise Problem(400, "the body ended before its end")


def too_long(most: int) -> Problem:
    return Problem(413, f"the file is longer than {most} bytes, unpacked; send it in parts")
