"""Bodies of requests: how they are read, and how much memory they may take together."""

from collections import Counter
from collections.abc import Iterator
from typing import TYPE_CHECKING

import gevent

from web.errors import TooManyBodies
from web.open_connections import OpenConnections
from web.problems import Problem

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIEnvironment

PIECE = 64 * 1024
UNCOUNTED = 4096
"""Shorter bodies are not counted: connections are limited, too."""


class Bodies:
    """The bodies that this process holds: `limit` bytes of them, half of which one owner may have."""

    def __init__(self, limit: int, connections: OpenConnections) -> None:
        self._limit = limit
        self._connections = connections
        self._held: Counter[str] = Counter()

    def hold(self, owner: str, size: int) -> None:
        """Counts bytes before they are read, and less than 0 when they are gone. Raises TooManyBodies."""
        held = self._held[owner] + size
        if size > 0 and (held > self._limit // 2 or self._held.total() + size > self._limit):
            raise TooManyBodies
        self._held[owner] = held
        if not held:
            del self._held[owner]

    def read(self, environ: "WSGIEnvironment", length: int) -> bytes:
        """A body of this length. Raises Problem (400) if it is shorter."""
        return b"".join(self.pieces(environ, length))

    def pieces(self, environ: "WSGIEnvironment", length: int | None) -> Iterator[bytes]:
        """The body as it arrives; without a length it ends by itself. Raises Problem (400) if cut off."""
        left, last = length, b""
        try:
            while left is None or left > 0:
                piece = environ["wsgi.input"].read(PIECE if left is None else min(PIECE, left))
                left = None if left is None else left - len(piece)
                if not piece or left == 0:
                    last = piece
                    break
                self._connections.piece_arrived(environ)
                yield piece
                gevent.sleep(0)  # a fast sender would otherwise hold up all other callers
        except OSError:
            raise _cut_off() from None
        except ValueError:
            raise Problem(400, "the chunks of the body cannot be read", reason="not_http") from None
        if left:
            raise _cut_off()
        self._connections.body_arrived(
            environ
        )  # before the last piece, behind which some readers do not look
        if last:
            yield last


def _cut_off() -> Problem:
    detail = "the body ended early: it is shorter than its Content-Length; send it again"
    return Problem(400, detail, reason="cut_off")
