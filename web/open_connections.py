"""The open connections of a web process: how long each may take, and which give way if there are too many."""

import time
from collections import Counter
from collections.abc import Callable
from contextlib import suppress
from itertools import islice
from socket import SHUT_RD, SHUT_RDWR
from typing import TYPE_CHECKING, Any

import gevent

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


def _network(address: str) -> str:
    """An address, or the first half of one of IPv6, which is what one caller has."""
    return address if "." in address else ":".join(address.split(":")[:4])


def _close(socks: list[Any]) -> None:
    for sock in socks:
        with suppress(OSError):
            sock.shutdown(SHUT_RDWR)
