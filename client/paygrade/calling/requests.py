"""A request as it is sent to a service, whatever carries it."""

import json
import uuid
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, TypeAlias
from urllib.parse import urlsplit

from paygrade.errors import ClientMisconfigured

Content: TypeAlias = bytes | Callable[[], Iterator[bytes]]
"""Bytes, or a function that gives them in pieces, from the start each time."""

_ENCODER = json.JSONEncoder(separators=(",", ":"), ensure_ascii=False, allow_nan=False)
"""One for all: making it takes longer than a row."""
IDEMPOTENCY_KEY = "Idempotency-Key"
KEYLESS = {"Accept": "*/*", "Accept-Encoding": "identity"}
"""The headers of every request elsewhere."""


@dataclass(frozen=True)
class HttpRequest:
    """`held` is for how many seconds the service may hold it, `pause` for how long a transfer may rest.

    One that is not `repeatable` is sent once, whatever becomes of it. One that goes `elsewhere` has a whole
    address, of a server that must not see the key.
    """

    method: str
    path: str
    params: Mapping[str, str] = field(default_factory=dict)
    headers: Mapping[str, str] = field(default_factory=dict)
    content: Content = b""
    held: float = 0
    pause: float = 0
    repeatable: bool = True
    elsewhere: bool = False


def get(path: str, held: int = 0, **params: Any) -> HttpRequest:
    waits = {"wait": held} if held else {}
    texts = {name: str(value) for name, value in {**params, **waits}.items() if value is not None}
    return HttpRequest("GET", path, texts, held=held)


def post(path: str, headers: Mapping[str, str], content: Content = b"", **more: Any) -> HttpRequest:
    """Each post has an Idempotency-Key, so that it can be repeated when its answer is lost."""
    headers = {IDEMPOTENCY_KEY: uuid.uuid4().hex, **headers}
    return HttpRequest("POST", path, headers=headers, content=content, **more)


def post_json(
    path: str, body: Mapping[str, Any], headers: Mapping[str, str], held: int = 0, **more: Any
) -> HttpRequest:
    headers = {"Content-Type": "application/json", **headers}
    headers |= {"Prefer": f"wait={held}"} if held else {}
    return post(path, headers, as_json(body), held=held, **more)


def as_json(value: Any) -> bytes:
    """Half of a surrogate pair, which UTF-8 has not, is escaped: the service says whose fault that is."""
    return _ENCODER.encode(value).encode(errors="backslashreplace")


def headers_of_all(key: str) -> dict[str, str]:
    """The headers of every request. Raises ClientMisconfigured for what cannot be a key."""
    headers = {"Accept": "application/json", "Accept-Encoding": "identity"}
    if not (key.isascii() and key.isprintable()):
        raise ClientMisconfigured("the key has characters that no key has")
    return {**headers, "Authorization": f"Bearer {key}"} if key else headers


def checked_url(url: str) -> str:
    """The address without a slash at its end. Raises ClientMisconfigured if it is not one of a service."""
    address = urlsplit(url)
    try:
        known = address.scheme in ("http", "https") and address.hostname and address.port != 0
    except ValueError:  # the port is not a number
        known = False
    if not known or address.username is not None or address.query or address.fragment or not url.isascii():
        raise ClientMisconfigured(
            "the address of a service must be http://HOST:PORT or https://HOST, without a user or a password"
        )
    return url.rstrip("/")
