"""Keys of callers, and whose job is whose."""

import hashlib
import re
from dataclasses import dataclass

from flask import Request

from jobs.errors import InvalidSettings
from web.problems import Problem

ANONYMOUS = "anonymous"
KEY_NAME = re.compile(r"[a-z0-9][a-z0-9_-]{0,31}")
_ENTRY = re.compile(rf"({KEY_NAME.pattern}):([0-9a-f]{{64}})(:operate)?")


@dataclass(frozen=True, slots=True)
class Owner:
    name: str
    may_operate: bool


class Keys:
    """From PAYGRADE_API_KEYS: `name:sha256[:operate]`, comma between them; several may share a name."""

    def __init__(self, setting: str) -> None:
        self._owners: dict[str, Owner] = {}
        for entry in filter(None, (part.strip() for part in setting.split(","))):
            match = _ENTRY.fullmatch(entry)
            if not match:
                raise InvalidSettings(
                    "PAYGRADE_API_KEYS: each entry is name:sha256 or name:sha256:operate; "
                    "python -m web --new-key NAME makes one"
                )
            name, digest, operate = match.groups()
            self._owners[digest] = Owner(name, may_operate=operate is not None)

    def __bool__(self) -> bool:
        return bool(self._owners)

    def owner_of(self, request: Request) -> Owner:
        """Raises Problem (401) for no key or a wrong one, where keys are set."""
        if not self._owners:
            return Owner(ANONYMOUS, may_operate=True)
        owner = self._owners.get(digest(_presented(request)))
        if owner is None:
            raise Problem(
                401,
                "send a valid key, as Authorization: Bearer KEY or as X-API-Key: KEY",
                headers={"WWW-Authenticate": "Bearer"},
            )
        return owner


def digest(key: str) -> str:
    return hashlib.sha256(key.encode(errors="surrogateescape")).hexdigest()


def _presented(request: Request) -> str:
    scheme, _, token = request.headers.get("Authorization", "").partition(" ")
    if scheme.lower() == "bearer":
        return token.strip()
    return request.headers.get("X-API-Key", "")
