"""FileStore on their way to Paygrade and back, a piece at a time."""

import http.client
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any, BinaryIO
from urllib.parse import urlsplit

import orjson

from jobs.cli.api import retry_after
from jobs.cli.errors import AskLater, CannotAsk
from jobs.files.store import PIECE

AGAIN_AFTER_SECONDS = 1
PATIENCE_SECONDS = 60
"""For how long a service that does not answer is asked again."""

Watch = Callable[[int], None]
"""Told how many bytes have gone, or come, so far."""


class Service:
    def __init__(self, url: str, headers: Mapping[str, str]) -> None:
        self._address = urlsplit(url)
        self._headers = dict(headers)

    def upload(
        self, path: str, body: BinaryIO, size: int | None, headers: dict[str, str], watch: Watch
    ) -> Any:
        """Posts a file, in chunks if its size is not known; returns the resource."""
        length = {"Content-Length": str(size)} if size is not None else {"Transfer-Encoding": "chunked"}
        with self._connect() as connection:
            try:
                pieces = _watched(body, watch)
                connection.request(
                    "POST",
                    self._address.path + path,
                    pieces,
                    {**self._headers, **headers, **length},
                    encode_chunked=size is None,
                )
            except (BrokenPipeError, ConnectionResetError):
                pass  # it may have answered before it had read all
            return _json(connection)

    def ask(self, method: str, path: str) -> Any:
        """The JSON of the answer; asks again while the service is away."""
        until = time.monotonic() + PATIENCE_SECONDS
        while True:
            try:
                with self._connect() as connection:
                    connection.request(method, self._address.path + path, headers=self._headers)
                    return _json(connection)
            except AskLater as error:
                if time.monotonic() > until:
                    raise
                time.sleep(min(error.seconds, PATIENCE_SECONDS))

    def download(self, path: str, write: Callable[[bytes], object], watch: Watch, most: int = 0) -> None:
        """Writes the file, or its first bytes."""
        headers = {**self._headers, "Accept": "*/*", **({"Range": f"bytes=0-{most - 1}"} if most else {})}
        with self._connect() as connection:
            connection.request("GET", self._address.path + path, headers=headers)
            response = connection.getresponse()
            if response.status >= 400:
                raise CannotAsk(_reason(response.status, response.read()))
            done = 0
            while piece := response.read(PIECE):
                write(piece)
                done += len(piece)
                watch(done)
            if response.length:
                raise CannotAsk("the connection ended before the results did; try again")

    @contextmanager
    def _connect(self) -> Iterator[http.client.HTTPConnection]:
        host, port = str(self._address.hostname), self._address.port
        secure = self._address.scheme == "https"
        connection = (http.client.HTTPSConnection if secure else http.client.HTTPConnection)(
            host, port, timeout=60
        )
        try:
            yield connection
        except (OSError, http.client.HTTPException) as error:
            raise AskLater(f"{self._address.netloc} does not answer ({error})", AGAIN_AFTER_SECONDS) from None
        finally:
            connection.close()


def _watched(body: BinaryIO, watch: Watch) -> Iterator[bytes]:
    done = 0
    while piece := body.read(PIECE):
        yield piece
        done += len(piece)
        watch(done)


def _json(connection: http.client.HTTPConnection) -> Any:
    response = connection.getresponse()
    body = response.read()
    if response.status in (429, 503):
        later = retry_after(response.headers)
        raise AskLater(_reason(response.status, body), AGAIN_AFTER_SECONDS if later is None else later)
    if response.status >= 400:
        raise CannotAsk(_reason(response.status, body))
    return orjson.loads(body) if body else None


def _reason(status: int, body: bytes) -> str:
    try:
        problem = orjson.loads(body)
        faults = [f"{fault['pointer']} {fault['detail']}" for fault in problem.get("errors", ())]
        return "; ".join([f"{status}: {problem['detail']}", *faults])
    except (orjson.JSONDecodeError, KeyError, TypeError):
        return f"the service answered {status}"
