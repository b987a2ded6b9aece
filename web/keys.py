"""API keys, their owners, and which routes need a key."""

import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum

from jobs.errors import InvalidSettings

KEY_NAME = re.compile(r"[a-z0-9][a-z0-9_-]{0,31}")
_ENTRY = re.compile(rf"({KEY_NAME.pattern}):([0-9a-f]{{64}})(:operate)?")


class Access(Enum):
    """Who may call a route."""

    PUBLIC = "anybody"
    PREDICT = "any key"
    OPERATE = "a key with the scope operate"


ACCESS: Mapping[str, Access] = {
    "/": Access.PUBLIC,
    "/docs": Access.PUBLIC,
    "/docs/<file>": Access.PUBLIC,
    "/healthz": Access.PUBLIC,
    "/metrics": Access.OPERATE,
    "/v1/dead": Access.OPERATE,
    "/v1/dead/<letter_id>": Access.OPERATE,
    "/v1/dead/<letter_id>/replay": Access.OPERATE,
    "/openapi.json": Access.PUBLIC,
    "/readyz": Access.PUBLIC,
    "/v2/health/live": Access.PUBLIC,
    "/v2/health/ready": Access.PUBLIC,
}
"""By route. A route that is not listed takes any key."""


@dataclass(frozen=True, slots=True)
class Owner:
    name: str
    may_operate: bool


ANONYMOUS = Owner("anonymous", may_operate=True)
"""Owns every job where no keys are set."""

Owners = Mapping[str, Owner]
"""The owner of each key, by the digest of the key. Empty where no keys are set."""


def parse_keys(setting: str) -> Owners:
    """Reads PAYGRADE_API_KEYS: `name:sha256[:operate]`, separated by commas; several keys may share a name.

    Raises InvalidSettings.
    """
    owners: dict[str, Owner] = {}
    for entry in filter(None, (part.strip() for part in setting.split(","))):
        match = _ENTRY.fullmatch(entry)
        if not match:
            raise InvalidSettings(
                "PAYGRADE_API_KEYS: each entry is name:sha256 or name:sha256:operate; "
                "python -m web --new-key NAME makes one"
            )
        name, key_digest, operate = match.groups()
        owners[key_digest] = Owner(name, may_operate=operate is not None)
    return owners


def digest(key: str) -> str:
    return hashlib.sha256(key.encode(errors="surrogateescape")).hexdigest()
