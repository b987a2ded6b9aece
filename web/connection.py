"""One connection of a caller: gevent's WSGI handler, made quicker, stoppable and impatient."""

import logging
import time
from collections.abc import Iterator
from contextlib import suppress
from socket import SHUT_RD, SHUT_RDWR, SHUT_WR
from typing import TYPE_CHECKING, Any, ClassVar

import gevent
from gunicorn.workers.ggevent import PyWSGIHandler

from web.header import Header
from web.problems import NOT_HTTP

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIEnvironment

log = logging.getLogger(__name__)

LONGEST_SECONDS = 75
"""For a request to begin, and then for it to arrive and be answered; a wait is 25 s at most."""
LOOKS_EVERY_SECONDS = 5
LONG = 65_536
"""Bytes of a body that are worth a look at the clock, or not worth reading if nobody wants them."""
REFUSING_SECONDS = 2
"""For how long the rest of a refused body is still taken in, so that the answer reaches its sender."""
SOCKET = "gunicorn.sock"
"""Where in the environment of a request its connection is."""


class Connection(PyWSGIHandler):  # type: ignore[misc]
    """On draining, each connection is closed after its next answer, and the idle ones at the end."""

    draining = False
    idle: ClassVar[set[Any]] = set()
    since: ClassVar[dict[Any, float]] = {}

    @classmethod
    def drain(cls) -> None:
        cls.draining = True

    @classmethod
    def close_idle(cls) -> None:
        for sock in list(cls.idle):
            with suppress(OSError):
                sock.shutdown(SHUT_RD)  # a request that has arrived is still read

    @classmethod
    def close_slow(cls) -> None:
        """One clock for all connections: a timer for each would cost a tenth of a request's time."""
        while True:
            gevent.sleep(LOOKS_EVERY_SECONDS)
            before = time.monotonic() - LONGEST_SECONDS
            for sock in [sock for sock, since in cls.since.items() if since < before]:
                with suppress(OSError):
                    sock.shutdown(SHUT_RDWR)

    @classmethod
    def goes_on(cls, environ: "WSGIEnvironment") -> None:
        """A long body is still arriving: to be called now and then."""
        if sock := environ.get(SOCKET):
            cls.since[sock] = time.monotonic()

    def _sendall(self, data: bytes) -> None:
        super()._sendall(data)
        if len(data) > LONG:
            self.since[self.socket] = time.monotonic()

    def run_application(self) -> None:
        super().run_application()
        body = self.wsgi_input
        if body.chunked_input or (body.content_length or 0) - body.position > LONG:
            self._refuse_rest(body)

    def _refuse_rest(self, body: Any) -> None:
        """The answer is there, and the rest of a long body is not read for ever just to be thrown away."""
        self.close_connection = True
        with suppress(OSError), gevent.Timeout(REFUSING_SECONDS, False):
            self.socket.shutdown(SHUT_WR)
            while self.socket.recv(LONG):
                pass
        body.chunked_input, body.content_length = False, body.position

    def handle(self) -> None:
        sock = self.socket
        try:
            super().handle()
        finally:
            self.since.pop(sock, None)

    def read_requestline(self) -> Any:
        self.since[self.socket] = time.monotonic()
        self.idle.add(self.socket)
        try:
            return super().read_requestline()
        finally:
            self.idle.discard(self.socket)
            self.since[self.socket] = time.monotonic()

    def MessageClass(self, file: Any, _: int) -> Header:  # noqa: N802 (gevent's name)
        header = Header(file)
        if self.request_version == "HTTP/1.1" and header.get("host") is None:
            header.status = header.status or "there is no Host"
        if self.request_version != "HTTP/1.1" and header.get("transfer-encoding") is not None:
            header.status = "Transfer-Encoding came with HTTP/1.1"
        return header

    def _headers(self) -> Iterator[tuple[str, str]]:
        return self.headers.variables()  # type: ignore[no-any-return]

    def _handle_client_error(self, ex: Exception) -> tuple[str, bytes]:
        """What is not HTTP; gevent's own answer and log line would repeat what was sent."""
        log.info("malformed", extra={"what": "a request that is not HTTP"})
        return "400", NOT_HTTP

    def start_response(self, status: str, headers: Any, exc_info: Any = None) -> Any:
        if self.draining:
            self.close_connection = True
            headers = [*headers, ("Connection", "close")]
        return super().start_response(status, headers, exc_info)

    def _write_with_headers(self, data: bytes) -> None:
        """Head and body in one packet, where gevent sends two."""
        self.headers_sent = True
        self.finalize_headers()
        head = b"HTTP/1.1 " + self.status + b"\r\n"
        for name, value in self.response_headers:
            head += name + b": " + value + b"\r\n"
        if self.response_use_chunked:
            self._sendall(head + b"\r\n")
            self._write(data)
        else:
            self._sendall(head + b"\r\n" + data)

    def log_request(self) -> None:
        """Not here: what is worth a line is logged where it happens."""

    def log_error(self, msg: str, *args: Any) -> None:
        log.info("malformed", extra={"what": "a connection that ended in disorder"})
