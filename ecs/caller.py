"""Calls web as a caller does."""

import json
import time
import urllib.request
from collections.abc import Callable
from http.client import HTTPException
from typing import Any, NamedTuple
from urllib.error import HTTPError


class Answer(NamedTuple):
    status: int
    """0: there was no answer."""
    body: Any


class Caller:
    def __init__(self, address: str, key: str, wait: Callable[[float], None] = time.sleep) -> None:
        self._address = address.rstrip("/")
        self._key = key
        self._wait = wait

    def get(self, path: str, with_key: bool = True) -> Answer:
        return self._call(urllib.request.Request(self._address + path), with_key)  # noqa: S310 (http or https)

    def post(self, path: str, body: Any, with_key: bool = True, **headers: str) -> Answer:
        request = urllib.request.Request(  # noqa: S310
            self._address + path,
            json.dumps(body).encode(),
            {"Content-Type": "application/json", **headers},
        )
        return self._call(request, with_key)

    def until(self, path: str, wanted: Callable[[Answer], bool], within: float) -> Answer:
        """The first answer that is as wanted, or the last one there was time for."""
        deadline = time.monotonic() + within
        while True:
            answer = self.get(path)
            if wanted(answer) or time.monotonic() > deadline:
                return answer
            self._wait(1)

    def _call(self, request: urllib.request.Request, with_key: bool) -> Answer:
        if with_key:
            request.add_header("X-API-Key", self._key)
        try:
            with urllib.request.urlopen(request, timeout=40) as response:  # noqa: S310
                return Answer(response.status, json.load(response))
        except HTTPError as error:
            with error:
                return Answer(error.code, error.read().decode(errors="replace"))
        except (OSError, HTTPException, ValueError):
            return Answer(0, None)
