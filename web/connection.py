"""One HTTP connection: gevent's WSGI handler with strict headers, a time limit, and a graceful end."""

import logging
import re
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from functools import lru_cache
from socket import SHUT_WR
from typing import Any, BinaryIO
from urllib.parse import unquote

import gevent
import orjson
from gevent.pywsgi import Input, format_date_time
from gunicorn.workers.ggevent import PyWSGIHandler

from web.process_limits import SOCKET, OpenConnections

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


@lru_cache(maxsize=1)
def _date(second: int) -> bytes:
    return b"Date: %b\r\n" % format_date_time(second)


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


_VARIABLES = {
    "content-type": "CONTENT_TYPE",
    "content-length": "CONTENT_LENGTH",
    **{name: "HTTP_" + name.upper().replace("-", "_") for name in ("host", "prefer", "accept", "user-agent")},
}
"""Headers to which WSGI gives names of their own, and some of what almost every request has."""


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

    def __delitem__(self, name: str) -> None:
        del self._fields[name]

    def variables(self) -> Iterator[tuple[str, str]]:
        """The WSGI variables. A name with an underscore could pass for another, and is left out."""
        for name, value in self._fields.items():
            if "_" not in name:
                yield _VARIABLES.get(name) or "HTTP_" + name.upper().replace("-", "_"), value


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

    def _check_http_version(self) -> bool:
        return self.request_version == "HTTP/1.1" or bool(super()._check_http_version())

    def get_environ(self) -> dict[str, Any]:
        """What the app asks for. gevent and gunicorn say more, and take longer."""
        headers: RequestHeaders = self.headers
        path, _, query = self.path.partition("?")
        self.wsgi_input = Input(
            self.rfile,
            self.content_length,
            socket=self.socket if headers.get("expect") == "100-continue" else None,
            chunked_input=headers.get("transfer-encoding") is not None,
        )
        environ: dict[str, Any] = self.server.get_environ()
        environ |= {
            "REQUEST_METHOD": self.command,
            "SCRIPT_NAME": "",
            "PATH_INFO": unquote(path, "latin-1") if "%" in path else path,
            "QUERY_STRING": query,
            "SERVER_PROTOCOL": self.request_version,
            "REMOTE_ADDR": str(self.client_address[0]),
            "wsgi.input": self.wsgi_input,
            "wsgi.input_terminated": True,
            SOCKET: self.socket,
        }
        environ.update(headers.variables())
        return environ

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

    def start_response(
        self, status: str, headers: Sequence[tuple[str, str]], exc_info: Any = None
    ) -> Callable[[bytes], None]:
        """Raises ValueError if a header could pass for another."""
        if exc_info and self.headers_sent:
            raise exc_info[1]
        head = "".join([f"HTTP/1.1 {status}\r\n", *[f"{name}: {value}\r\n" for name, value in headers]])
        if not head.count("\r") == head.count("\n") == len(headers) + 1:
            raise ValueError("a header of the response has a line break")
        self._head = head.encode("latin-1")
        self.status, self.code = status, int(status[:3])
        return self.write  # type: ignore[no-any-return]

    def _whole_head(self) -> bytes:
        """The head of the response, and what the app leaves to the server."""
        head = self._head + _date(int(time.time()))
        if self._connections.draining:
            self.close_connection = True
        if self._connections.draining or self.request_version == "HTTP/1.0":
            head += b"Connection: close\r\n" if self.close_connection else b"Connection: keep-alive\r\n"
        if self.code not in (204, 304) and b"\r\nContent-Length: " not in head:
            if hasattr(self.result, "__len__"):
                head += b"Content-Length: %d\r\n" % sum(map(len, self.result))
            elif self.request_version != "HTTP/1.0":
                self.response_use_chunked = True
                head += b"Transfer-Encoding: chunked\r\n"
        return _with_security_headers(head)

    def _write_with_headers(self, data: bytes) -> None:
        """Sends head and body in one packet, where gevent sends two."""
        self.headers_sent = True
        head = self._whole_head()
        if self.response_use_chunked:
            self._sendall(head + b"\r\n")
            self._write(data)
        else:
            self._sendall(head + b"\r\n" + data)

    def _sendall(self, data: bytes) -> None:
        super()._sendall(data)
        if len(data) > LARGE_BYTES:
            self._connections.piece_sent(self.socket)

    def _send_error_response_if_possible(self, error_code: int) -> None:
        self.close_connection = True
        super()._send_error_response_if_possible(error_code)

    def _handle_client_error(self, ex: Exception) -> tuple[str, bytes]:
        """Answers a request that is not HTTP. gevent's response and log line would repeat what was sent."""
        log.info("malformed_request", extra={"reason": "the request is not HTTP"})
        return "400", _NOT_HTTP

    def log_request(self) -> None:
        """Logs nothing; the app writes the access log."""

    def log_error(self, msg: str, *args: Any) -> None:
        log.info("malformed_request", extra={"reason": "the connection failed"})
