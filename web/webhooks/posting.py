"""Posts to a receiver: to one address that was checked, within a time, without redirects or proxies."""

import socket
import ssl
from collections.abc import Callable, Mapping, Sequence
from email.utils import mktime_tz, parsedate_tz
from functools import cache
from http.client import HTTPConnection, HTTPException, HTTPResponse, HTTPSConnection
from typing import Any, NamedTuple, TypeAlias

from web.webhooks.addresses import may_connect
from web.webhooks.receivers import Receiver

CONNECT_SECONDS, ANSWER_SECONDS = 5, 15
LONGEST_ANSWER = 4_096
"""Bytes that are read of the body of an answer; what it says is not used."""

Resolve: TypeAlias = Callable[[str, int], Sequence[str]]
"""The IP addresses of a host; raises OSError."""


class Answer(NamedTuple):
    """The status of a receiver's answer, and the seconds of its Retry-After; or why there is no answer."""

    status: int | None = None
    retry_after: int | None = None
    error: str | None = None


def post(
    resolve: Resolve,
    now: Callable[[], float],
    receiver: Receiver,
    headers: Mapping[str, str],
    body: bytes,
) -> Answer:
    """Raises nothing for what a receiver does. Limit its time: a receiver may answer byte by byte."""
    try:
        addresses = resolve(receiver.host, receiver.port)
    except (OSError, UnicodeError):
        return Answer(error="unknown_host")
    allowed = [address for address in addresses if may_connect(address, receiver.own_network)]
    if not allowed:
        return Answer(error="forbidden_address")
    try:
        connection = _connect(receiver, allowed[0])
    except ssl.SSLError:
        return Answer(error="tls_failed")
    except TimeoutError:
        return Answer(error="timeout")
    except OSError:
        return Answer(error="connection_failed")
    try:
        connection.request("POST", receiver.target, body, dict(headers))
        return _answer_of(connection.getresponse(), now)
    except TimeoutError:
        return Answer(error="timeout")
    except (HTTPException, OSError, ValueError):
        return Answer(error="no_answer")
    finally:
        connection.close()


def _connect(receiver: Receiver, address: str) -> HTTPConnection:
    """The name is looked up once, by the caller: what connects is the address that was checked."""
    plain = socket.create_connection((address, receiver.port), CONNECT_SECONDS)
    try:
        sock: Any = plain
        if receiver.tls:
            sock = _tls().wrap_socket(plain, server_hostname=receiver.host)
        sock.settimeout(ANSWER_SECONDS)
    except BaseException:
        plain.close()
        raise
    connection = (
        HTTPSConnection(receiver.host, receiver.port, context=_tls())
        if receiver.tls
        else HTTPConnection(receiver.host, receiver.port)
    )
    connection.sock = sock
    return connection


@cache
def _tls() -> ssl.SSLContext:
    return ssl.create_default_context()


def _answer_of(response: HTTPResponse, now: Callable[[], float]) -> Answer:
    response.read(LONGEST_ANSWER)
    return Answer(response.status, _seconds(response.headers.get("Retry-After", ""), now))


def _seconds(text: str, now: Callable[[], float]) -> int | None:
    """The seconds that Retry-After says, as a number or as a date."""
    text = text.strip()
    if text.isascii() and text.isdigit():
        return int(text[:9])
    date = parsedate_tz(text)
    return None if date is None else max(round(mktime_tz(date) - now()), 0)
