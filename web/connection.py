"""One HTTP connection: gevent's WSGI handler with strict headers, a time limit, and a graceful end."""

import logging
import re
from collections.abc import Iterator
from contextlib import suppress
from socket import SHUT_WR
from typing import Any, BinaryIO

import gevent
import orjson
from gunicorn.workers.ggevent import PyWSGIHandler

from web.open_connections import OpenConnections

log = logging.getLogger(__name__)

LARGE_BYTES = 65_536
"""A larger response restarts the timeout. If more than this of a refused body is left, it is not read."""
DISCARD_SECONDS = 2
"""How long the rest of a refused body is discarded, so that the response reaches its sender."""
MAX_FIELDS = 100
MAX_LINE_BYTES = 8192

_FIELD = re.compile(rb"([!#$%&'*+.^_`|~0-9A-Za-z-]+):[ \t]*([\t\x20-\x7e\x80-\xff]*?)[ \t]*\r\n")
_NOT_REPEATABLE = frozenset({"content-length", "transfer-encoding", "host"})

# No browser is to make more of a response than it is (OWASP's list). TLS ends in front of web, so
# Strict-Transport-Security is left to what ends it.
_ALWAYS = (
    b"X-Content-Type-Options: nosniff\r\n"
    b"X-Frame-Options: DENY\r\n"
    b"X-Permitted-Cross-Domain-Policies: none\r\n"
    b"Permissions-Policy: camera=(), display-capture=(), geolocation=(), microphone=()\r\n"
    b"Cross-Origin-Embedder-Policy: require-corp\r\n"
    b"Cross-Origin-Opener-Policy: same-origin\r\n"
    b"Cross-Origin-Resource-Policy: same-origin\r\n"
)
_UNLESS_GIVEN = {
    b"\r\nCache-Control: ": b"Cache-Control: no-store\r\n",
    b"\r\nReferrer-Policy: ": b"Referrer-Policy: no-referrer\r\n",
    b"\r\nContent-Security-Policy: ": (
        b"Content-Security-Policy: default-src 'none'; base-uri 'none'; form-action 'none'; "
        b"frame-ancestors 'none'\r\n"
    ),
}


def _with_security_headers(head: bytes) -> bytes:
    """The head of a response, up to its last header, with those that it lacks."""
    for name, line in _UNLESS_GIVEN.items():
        if name not in head:
            head += line
    return head + _ALWAYS


_PROBLEM = orjson.dumps(
    {
        "type": "urn:paygrade:bad-request",
        "title": "Bad Request",
        "status": 400,
        "detail": "the request is not valid HTTP; check its first line and its headers",
    }
)
_NOT_HTTP = _with_security_headers(
    b"HTTP/1.1 400 Bad Request\r\nConnection: close\r\nContent-Type: application/problem+json\r\n"
    b"Content-Length: %d\r\n" % len(_PROBLEM)
) + (b"\r\n" + _PROBLEM)
"""The whole response to a request that could not be read and so never reached Flask."""


class RequestHeaders:
    """The headers of a request, read strictly (RFC 9112), as gevent's server expects them.

    `status` says why the request is refused; it is empty for a valid one. Ambiguous headers are refused.
    """

    def __init__(self, file: BinaryIO) -> None:
        self.status = ""
        self._fields: dict[str, str] = {}
        for _ in range(MAX_FIELDS + 1):
            line = file.readline(MAX_LINE_BYTES)
            if line == b"\r\n":
                break
            self._add(line)
            if self.status:
                return
        else:
            self.status = "too many fields"
        length = self._fields.get("content-length")
        if length is not None and not (length.isascii() and length.isdigit()):
            self.status = "Content-Length is not a number"
        if "transfer-encoding" in self._fields:
            self._check_encoding(self._fields["transfer-encoding"])

    @property
    def announce_body(self) -> bool:
        fields = self._fields
        return fields.get("content-length", "0") != "0" or "transfer-encoding" in fields

    def _add(self, line: bytes) -> None:
        match = _FIELD.fullmatch(line)
        if not match:
            self.status = "a line is not a field, or is too long"
            return
        name, value = match[1].decode("ascii").lower(), match[2].decode("latin-1")
        if name not in self._fields:
            self._fields[name] = value
        elif name in _NOT_REPEATABLE:
            self.status = f"{name} is repeated"
        else:
            self._fields[name] += f",{value}"

    def _check_encoding(self, encoding: str) -> None:
        if encoding.lower() != "chunked" or "content-length" in self._fields:
            self.status = "Transfer-Encoding must be chunked, and without Content-Length"

    def get(self, name: str, default: str | None = None) -> str | None:
        return self._fields.get(name.lower(), default)

    getheader = get

    @property
    def typeheader(self) -> str | None:
        return self._fields.get("content-type")

    def __delitem__(self, name: str) -> None:
        del self._fields[name]

    def variables(self) -> Iterator[tuple[str, str]]:
        """The WSGI variables. A name with an underscore could pass for another, and is left out."""
        for name, value in self._fields.items():
            if "_" not in name and name not in ("content-type", "content-length"):
                yield "HTTP_" + name.upper().replace("-", "_"), value


class Connection(PyWSGIHandler):  # type: ignore[misc]
    def __init__(self, connections: OpenConnections, *handled: Any) -> None:
        self._connections = connections
        super().__init__(*handled)

    def handle(self) -> None:
        sock = self.socket
        self._connections.opened(sock)
        try:
            super().handle()
        finally:
            self._connections.closed(sock)

    def read_requestline(self) -> Any:
        connections, sock = self._connections, self.socket
        connections.awaits_request(sock, str(self.client_address[0]))
        try:
            self.rfile.peek(1)
        finally:
            connections.request_begins(sock)
        return super().read_requestline()

    def MessageClass(self, file: Any, _: int) -> RequestHeaders:  # noqa: N802 (gevent's name)
        headers = RequestHeaders(file)
        if self.request_version == "HTTP/1.1" and headers.get("host") is None:
            headers.status = headers.status or "Host is missing"
        if self.request_version != "HTTP/1.1" and headers.get("transfer-encoding") is not None:
            headers.status = "Transfer-Encoding needs HTTP/1.1"
        self._connections.headers_arrived(self.socket, headers.announce_body)
        return headers

    def _headers(self) -> Iterator[tuple[str, str]]:
        return self.headers.variables()  # type: ignore[no-any-return]

    def run_application(self) -> None:
        super().run_application()
        body = self.wsgi_input
        if body.chunked_input or (body.content_length or 0) - body.position > LARGE_BYTES:
            self._discard_rest(body)

    def _discard_rest(self, body: Any) -> None:
        """Discards what still arrives of a long body for a short time, then closes the connection."""
        self.close_connection = True
        with suppress(OSError), gevent.Timeout(DISCARD_SECONDS, False):
            self.socket.shutdown(SHUT_WR)
            while self.socket.recv(LARGE_BYTES):
                pass
        body.chunked_input, body.content_length = False, body.position

    def start_response(self, status: str, headers: Any, exc_info: Any = None) -> Any:
        if self._connections.draining:
            self.close_connection = True
            headers = [*headers, ("Connection", "close")]
        return super().start_response(status, headers, exc_info)

    def _write_with_headers(self, data: bytes) -> None:
        """Sends head and body in one packet, where gevent sends two."""
        self.headers_sent = True
        self.finalize_headers()
        head = b"HTTP/1.1 " + self.status + b"\r\n"
        for name, value in self.response_headers:
            head += name + b": " + value + b"\r\n"
        head = _with_security_headers(head)
        if self.response_use_chunked:
            self._sendall(head + b"\r\n")
            self._write(data)
        else:
            self._sendall(head + b"\r\n" + data)

    def _sendall(self, data: bytes) -> None:
        super()._sendall(data)
        if len(data) > LARGE_BYTES:
            self._connections.piece_sent(self.socket)

    def _handle_client_error(self, ex: Exception) -> tuple[str, bytes]:
        """Answers a request that is not HTTP. gevent's response and log line would repeat what was sent."""
        log.info("malformed_request", extra={"reason": "the request is not HTTP"})
        return "400", _NOT_HTTP

    def log_request(self) -> None:
        """Logs nothing; the app writes the access log."""

    def log_error(self, msg: str, *args: Any) -> None:
        log.info("malformed_request", extra={"reason": "the connection failed"})
