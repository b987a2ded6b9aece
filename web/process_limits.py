"""What callers may take of a web process: connections and their time, and memory for bodies."""

import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import suppress
from itertools import islice
from socket import SHUT_RD, SHUT_RDWR
from typing import TYPE_CHECKING, Any

import gevent

from web.errors import TooManyBodies
from web.problems import Problem

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIEnvironment

IDLE_SECONDS = 75
"""How long a connection may be idle: longer than a load balancer keeps it."""
HEADER_SECONDS = 10
"""How long the headers of a request may take, from their first byte."""
PIECE_SECONDS = 30
"""How long each piece of a body may take."""
RESPONSE_SECONDS = 75
"""How long a response may take, and each piece of a long one."""
CLOSE_SLOW_EVERY_SECONDS = 2
SHARE_THAT_GIVES_WAY = 100
_FEWEST = 50
PIECE = 64 * 1024
"""Bytes of a body that are read at once."""
UNCOUNTED = 4096
"""Shorter bodies are not counted: connections are limited, too."""
SOCKET = "gunicorn.sock"
"""The key of the connection in the WSGI environment."""


class OpenConnections:
    """Holds at most `most`. For one more, others give way: those without a whole request for longest,
    of the address that has the most of these.
    """

    def __init__(self, most: int, clock: Callable[[], float] = time.monotonic) -> None:
        self.draining = False
        """Whether each connection is closed after its next response."""
        self.idle: set[Any] = set()
        self.deadlines: dict[Any, float] = {}
        self._arriving: dict[Any, str] = {}
        """The address of each connection without a whole request, longest first."""
        self._most = most
        self._clock = clock

    def allow(self, most: int) -> None:
        """Lowers the limit to so many connections, but for a few."""
        self._most = max(min(self._most, most), _FEWEST)

    def opened(self, sock: Any) -> None:
        if len(self.deadlines) >= self._most:
            self._make_room()
        self.deadlines[sock] = self._clock() + IDLE_SECONDS

    def closed(self, sock: Any) -> None:
        self.deadlines.pop(sock, None)
        self._arriving.pop(sock, None)

    def awaits_request(self, sock: Any, address: str) -> None:
        self.idle.add(sock)
        self._arriving.pop(sock, None)
        self._arriving[sock] = address
        self.deadlines[sock] = self._clock() + IDLE_SECONDS

    def request_begins(self, sock: Any) -> None:
        self.idle.discard(sock)
        self.deadlines[sock] = self._clock() + HEADER_SECONDS

    def headers_arrived(self, sock: Any, with_body: bool) -> None:
        if with_body:
            self.deadlines[sock] = self._clock() + PIECE_SECONDS
        else:
            self._arrived(sock)

    def piece_arrived(self, environ: "WSGIEnvironment") -> None:
        """Call it while a long body arrives."""
        if sock := environ.get(SOCKET):
            self.deadlines[sock] = self._clock() + PIECE_SECONDS

    def body_arrived(self, environ: "WSGIEnvironment") -> None:
        if sock := environ.get(SOCKET):
            self._arrived(sock)

    def piece_sent(self, sock: Any) -> None:
        self.deadlines[sock] = self._clock() + RESPONSE_SECONDS

    def close_idle(self) -> None:
        for sock in list(self.idle):
            with suppress(OSError):
                sock.shutdown(SHUT_RD)  # a request that has arrived is still read

    def close_slow(self) -> None:
        now = self._clock()
        _close([sock for sock, deadline in self.deadlines.items() if deadline < now])

    def run(self) -> None:
        """One loop for all connections: a timer for each would cost a tenth of a request's time."""
        while True:
            gevent.sleep(CLOSE_SLOW_EVERY_SECONDS)
            self.close_slow()

    def _arrived(self, sock: Any) -> None:
        self._arriving.pop(sock, None)
        self.deadlines[sock] = self._clock() + RESPONSE_SECONDS

    def _make_room(self) -> None:
        """Several give way at once, so that a flood does not make web look for them each time."""
        for heaviest, _ in Counter(map(_network, self._arriving.values())).most_common(1):
            oldest = (sock for sock, address in self._arriving.items() if _network(address) == heaviest)
            giving_way = list(islice(oldest, max(1, self._most // SHARE_THAT_GIVES_WAY)))
            for sock in giving_way:
                del self._arriving[sock]
            _close(giving_way)


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
        self._connections.body_arrived(environ)  # some readers stop at the last piece
        if last:
            yield last


def _network(address: str) -> str:
    """An address, or the first half of one of IPv6, which is what one caller has."""
    return address if "." in address else ":".join(address.split(":")[:4])


def _close(socks: list[Any]) -> None:
    for sock in socks:
        with suppress(OSError):
            sock.shutdown(SHUT_RDWR)


def _cut_off() -> Problem:
    detail = "the body ended early: it is shorter than its Content-Length; send it again"
    return Problem(400, detail, reason="cut_off")
