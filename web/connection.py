"""One connection of a caller: gevent's WSGI handler, made quicker and stoppable."""

import logging
from collections.abc import Iterator
from socket import SHUT_RD
from typing import Any, ClassVar

from gunicorn.workers.ggevent import PyWSGIHandler

from web.header import Header

log = logging.getLogger(__name__)


class Connection(PyWSGIHandler):  # type: ignore[misc]
    """On draining, each connection is closed after its next answer, and the idle ones at the end."""

    draining = False
    idle: ClassVar[set[Any]] = set()

    @classmethod
    def drain(cls) -> None:
        cls.draining = True

    @classmethod
    def close_idle(cls) -> None:
        for sock in list(cls.idle):
            sock.shutdown(SHUT_RD)  # a request that has arrived is still read

    def read_requestline(self) -> Any:
        self.idle.add(self.socket)
        try:
            return super().read_requestline()
        finally:
            self.idle.discard(self.socket)

    def MessageClass(self, file: Any, _: int) -> Header:  # noqa: N802 (gevent's name)
        return Header(file)

    def _headers(self) -> Iterator[tuple[str, str]]:
        return self.headers.variables()  # type: ignore[no-any-return]

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
        """Not what gevent says: it repeats what was sent."""
        log.info("malformed: a request that is not HTTP")
