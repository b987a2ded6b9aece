"""The names that web answers to.

Without keys, a page from elsewhere could reach web through a name that its owner resolves to our address. It
cannot do so by an address, or by a name without a dot, which nobody can own.
"""

import re
from collections.abc import Callable

from jobs.settings import Settings

_LOOPBACK = r"localhost|127(?:\.[0-9]{1,3}){3}|\[::1\]"
_ADDRESS = r"[0-9]{1,3}(?:\.[0-9]{1,3}){3}|\[[0-9a-f:.]+\]"
_WITHOUT_DOT = r"[a-z0-9_-]+"

AnswersTo = Callable[[str], object]
"""Takes the header Host."""


def names_of(settings: Settings, keyed: bool) -> AnswersTo | None:
    """None if web answers to any name, as it does where keys are set and no names are."""
    if keyed and not settings.allowed_hosts:
        return None
    names = [_LOOPBACK]
    if settings.allowed_hosts or settings.allow_anyone:
        names.append(_ADDRESS)
    if settings.allow_anyone:
        names.append(_WITHOUT_DOT)
    names += [_pattern(host.strip()) for host in settings.allowed_hosts.split(",") if host.strip()]
    return re.compile(f"(?:{'|'.join(names)})(?::[0-9]+)?", re.IGNORECASE).fullmatch


def _pattern(host: str) -> str:
    return re.escape(host).replace(r"\*\.", r"(?:[a-z0-9_-]+\.)+")
