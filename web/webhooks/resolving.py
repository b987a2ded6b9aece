"""Looks up hosts in threads of its own, so that slow name servers delay no other lookup."""

from collections.abc import Sequence

from gevent.monkey import get_original
from gevent.socket import SOCK_STREAM
from gevent.threadpool import ThreadPool

from web.webhooks.posting import Resolve


def threaded_resolve(threads: int) -> Resolve:
    """The threads start as they are needed."""
    pool = ThreadPool(threads)
    lookup = get_original("socket", "getaddrinfo")

    def resolve(host: str, port: int) -> Sequence[str]:
        found = pool.apply(lookup, (host, port), {"type": SOCK_STREAM})
        return [str(address[0]) for *_, address in found]

    return resolve
