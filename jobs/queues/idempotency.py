"""Idempotency keys: the same key and body mean the same job."""

import hashlib
from typing import NamedTuple


class IdempotencyKey(NamedTuple):
    """16 bytes of a hash of the key and its route, and 16 of a hash of the body."""

    key: bytes
    body: bytes

    @classmethod
    def of(cls, route: str, key: str, body: bytes) -> "IdempotencyKey":
        return cls(
            hashlib.sha256(f"{route} {key}".encode()).digest()[:16], hashlib.sha256(body).digest()[:16]
        )


NO_KEY = IdempotencyKey(b"", b"")
