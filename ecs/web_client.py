"""An HTTP client of web, for the smoke test."""

import json
import time
import urllib.request
from collections.abc import Callable
from http.client import HTTPException
from typing import Any, NamedTuple
from urllib.error import HTTPError


class WebResponse(NamedTuple):
    status: int
    """0 if there was no response."""
    body: Any


class WebClient:
    def __init__(self, address: str, key: str, wait: Callable[[float], None] = time.sleep) -> None:
        self._address = address.rstrip("/")
        self._key = key
        self._wait = wait

    def get(self, path: str, with_key: bool = True) -> WebResponse:
        return self._send(urllib.request.Request(self._address + path), with_key)  # noqa: S310 (http or https)

    def post(self, path: str, body: Any, with_key: bool = True, **headers: str) -> WebResponse:
        request = urllib.request.Request(  # noqa: S310
            self._address + path,
            json.dumps(body).encode(),
            {"Content-Type": "application/json", **headers},
        )
        return self._send(request, with_key)

    def poll(self, path: str, accept: Callable[[WebResponse], bool], timeout: float) -> WebResponse:
        """Returns the first accepted response, or the last one before the timeout (seconds)."""
        deadline = time.monotonic() + timeout
        while True:
            response = self.get(path)
            if accept(response) or time.monotonic() > deadline:
                return response
            self._wait(1)

    def _send(self, request: urllib.request.Request, with_key: bool) -> WebResponse:
        if with_key:
            request.add_header("X-API-Key", self._key)
        try:
            with urllib.request.urlopen(request, timeout=40) as response:  # noqa: S310
                return WebResponse(response.status, json.load(response))
        except HTTPError as error:
            with error:
                return WebResponse(error.code, error.read().decode(errors="replace"))
        except (OSError, HTTPException, ValueError):
            return WebResponse(0, None)
