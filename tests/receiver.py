"""A receiver of webhooks on loopback that behaves, or does not."""

import ssl
import threading
import time
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import NamedTuple, TypeAlias


class Received(NamedTuple):
    path: str
    headers: dict[str, str]
    body: bytes


Behave: TypeAlias = Callable[["Handler"], None]


class Handler(BaseHTTPRequestHandler):
    server: "WebhookReceiver"

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        received = Received(self.path, {name.lower(): value for name, value in self.headers.items()}, body)
        self.server.received.append(received)
        self.server.behave(self)

    def answer(self, status: int, **headers: str) -> None:
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name.replace("_", "-"), value)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 (likewise)
        pass


class WebhookReceiver(ThreadingHTTPServer):
    """`behave` answers each request that it has received."""

    daemon_threads = True

    def __init__(self, port: int = 0, tls: ssl.SSLContext | None = None) -> None:
        super().__init__(("127.0.0.1", port), Handler)
        if tls:
            self.socket = tls.wrap_socket(self.socket, server_side=True)
        self.received: list[Received] = []
        self.behave: Behave = with_status(204)
        self.port: int = self.server_address[1]
        self._thread = threading.Thread(target=self.serve_forever, args=(0.02,), daemon=True)

    def __enter__(self) -> "WebhookReceiver":
        self._thread.start()
        return self

    def __exit__(self, *failure: object) -> None:
        self.shutdown()
        self.server_close()

    def handle_error(self, request: object, client_address: object) -> None:
        """Callers that break off are a part of the tests."""

    @property
    def url(self) -> str:
        return f"http://localhost:{self.port}/hook"


def with_status(status: int, **headers: str) -> Behave:
    return lambda handler: handler.answer(status, **headers)


def slowly(seconds: float) -> Behave:
    def behave(handler: Handler) -> None:
        time.sleep(seconds)
        handler.answer(204)

    return behave


def hang_up(handler: Handler) -> None:
    """Closes the connection without an answer."""
    handler.close_connection = True
    handler.connection.close()


def without_end(handler: Handler) -> None:
    """Sends a body for ever."""
    handler.send_response(200)
    handler.send_header("Content-Length", str(10**12))
    handler.end_headers()
    while True:
        handler.wfile.write(b"x" * 65_536)
