"""Receivers of webhooks: the addresses that callers may name."""

import re
from typing import NamedTuple
from urllib.parse import urlsplit

LONGEST_URL = 2_048
_URL = re.compile(r"[\x21-\x7e]+")
_NAME = re.compile(r"(?!-)[a-z0-9._-]{1,253}|[0-9a-f:.]+")


class InvalidReceiver(ValueError):
    """The message says what is wrong with the URL."""


class Receiver(NamedTuple):
    """Where a webhook goes. `own_network`: the operator allows http and private addresses for this host."""

    url: str
    tls: bool
    host: str
    port: int
    target: str
    """Path and query."""
    own_network: bool

    def stored(self, owner: str) -> str:
        """What the record of a job has of it: its lane, and its URL."""
        return f"{owner}|{self.host}:{self.port} {self.url}"


class Receivers:
    """`own_hosts` is PAYGRADE_WEBHOOK_HOSTS: names or name:port, separated by commas."""

    def __init__(self, own_hosts: str = "") -> None:
        self._own_hosts = frozenset(filter(None, (host.strip().lower() for host in own_hosts.split(","))))

    def parse(self, url: str) -> Receiver:
        """Raises InvalidReceiver. What the name means is checked when it is connected to."""
        if len(url) > LONGEST_URL or not _URL.fullmatch(url):
            raise InvalidReceiver(f"must be a URL of at most {LONGEST_URL:,} visible ASCII characters")
        try:
            parts = urlsplit(url)
            port, host = parts.port, (parts.hostname or "").rstrip(".")
        except ValueError:
            raise InvalidReceiver("is not a URL") from None
        if parts.scheme not in ("https", "http"):
            raise InvalidReceiver("must begin with https://")
        if not _NAME.fullmatch(host) or "@" in parts.netloc:
            raise InvalidReceiver("must name a host, and neither a user nor a password")
        tls = parts.scheme == "https"
        port = (443 if tls else 80) if port is None else port
        own_network = not self._own_hosts.isdisjoint((host, f"{host}:{port}"))
        if not tls and not own_network:
            raise InvalidReceiver(
                "must begin with https://; http:// is for the hosts in PAYGRADE_WEBHOOK_HOSTS"
            )
        if port == 0:
            raise InvalidReceiver("must have a port from 1 to 65535")
        target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
        return Receiver(url, tls, host, port, target, own_network)
