"""API keys: their owners and scopes, which route needs which scope, and a file of keys that is read again."""

import hashlib
import logging
import re
from collections.abc import Mapping
from enum import Enum
from typing import NamedTuple

import gevent

from jobs.errors import InvalidSettings
from web.entry_files import Entries, entries_at

log = logging.getLogger(__name__)

KEY_NAME = re.compile(r"[a-z0-9][a-z0-9_-]{0,31}")
_ENTRY = re.compile(rf"({KEY_NAME.pattern}):([0-9a-f]{{64}})(?::(predict|operate|predict\+operate))?")
LOOK_AGAIN_EVERY_SECONDS = 2
_FILE = "PAYGRADE_API_KEYS_FILE"


class Access(Enum):
    """Who may call a route: anybody, or a key with this scope."""

    PUBLIC = "public"
    PREDICT = "predict"
    OPERATE = "operate"


PAGES = (
    *("/", "/score", "/check", "/jobs", "/job", "/models", "/model", "/compare", "/service"),
    "/page/<version>/<file>",
)
"""What they show comes from /v1, which they ask with the key that the visitor sent."""

ACCESS: Mapping[str, Access] = {
    **dict.fromkeys(PAGES, Access.PUBLIC),
    "/docs": Access.PUBLIC,
    "/docs/<file>": Access.PUBLIC,
    "/guide": Access.PUBLIC,
    "/guide/<path:file>": Access.PUBLIC,
    "/healthz": Access.PUBLIC,
    "/metrics": Access.OPERATE,
    "/v1/dead": Access.OPERATE,
    "/v1/dead/<letter_id>": Access.OPERATE,
    "/v1/dead/<letter_id>/replay": Access.OPERATE,
    "/v1/owners": Access.OPERATE,
    "/openapi.json": Access.PUBLIC,
    "/readyz": Access.PUBLIC,
    "/v2/health/live": Access.PUBLIC,
    "/v2/health/ready": Access.PUBLIC,
}
"""The access that each route needs. A route that is not listed takes any key."""


class Owner(NamedTuple):
    name: str
    scopes: tuple[Access, ...] = (Access.PREDICT,)


ANONYMOUS = Owner("anonymous", (Access.PREDICT, Access.OPERATE))
"""Owns every job where no keys are set."""

Owners = Mapping[str, Owner]
"""The owner of each key, by the digest of the key. Empty where no keys are set.

How long it takes to find a digest tells nothing about a key, since no caller can choose a digest.
"""


class ApiKeys:
    """The keys of PAYGRADE_API_KEYS and of the file PAYGRADE_API_KEYS_FILE. Raises InvalidSettings."""

    def __init__(self, setting: str, file: str = "") -> None:
        self._location = file
        self._listed = parse_keys(setting, "PAYGRADE_API_KEYS")
        self._entries = entries_at(file, _FILE) if file else None
        self._fault = ""
        """Why the file could not be used when it was last read."""
        self.owners: Owners = self._listed
        if self._entries:
            self.owners = {**self._listed, **self._keys_in(self._entries)}

    def run(self) -> None:
        """Reads the file again for as long as the process lives."""
        while self._entries:
            gevent.sleep(LOOK_AGAIN_EVERY_SECONDS)
            if self._entries.is_due():
                self.read_again()

    def read_again(self) -> None:
        """A file that cannot be used changes nothing, and is logged."""
        if not self._entries:
            return
        before = self.owners
        try:
            self.owners = {**self._listed, **self._keys_in(self._entries)}
        except InvalidSettings as error:
            if str(error) != self._fault:
                log.error("keys_not_read", extra={"reason": str(error)})
            self._fault = str(error)
            return
        self._fault = ""
        if self.owners != before:
            log.info("keys_read", extra={"keys": len(self.owners)})

    def _keys_in(self, entries: Entries) -> Owners:
        owners = parse_keys(entries.read(), _FILE)
        if not owners:
            raise InvalidSettings(
                f"{_FILE}: {self._location} has no keys; python -m web --new-key NAME makes one"
            )
        return owners


def parse_keys(entries: str, setting: str) -> Owners:
    """Reads `name:sha256[:scope]`, separated by commas; several keys may share a name.

    A key has the scope predict if none is named. Raises InvalidSettings.
    """
    owners: dict[str, Owner] = {}
    for entry in filter(None, (part.strip() for part in entries.split(","))):
        match = _ENTRY.fullmatch(entry)
        if not match:
            raise InvalidSettings(
                f"{setting}: each entry is name:sha256, or name:sha256:SCOPE, with predict, operate or "
                "predict+operate as SCOPE; python -m web --new-key NAME makes one"
            )
        name, key_digest, scopes = match.groups()
        owners[key_digest] = Owner(name, tuple(map(Access, (scopes or "predict").split("+"))))
    return owners


def digest(key: str) -> str:
    return hashlib.sha256(key.encode(errors="surrogateescape")).hexdigest()
