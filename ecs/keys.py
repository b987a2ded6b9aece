"""Keys of callers: the secret holds their hashes, in the form of PAYGRADE_API_KEYS."""

import hashlib
import secrets
from typing import Any

from botocore.exceptions import ClientError

from ecs.aws import code_of

FIRST = "first"
_FIRST_VERSION = "first-key-of-this-deployment-0001"
"""AWS asks for 32 characters."""


def entries(secretsmanager: Any, arn: str) -> list[str]:
    try:
        held = secretsmanager.get_secret_value(SecretId=arn).get("SecretString", "")
    except ClientError as error:
        if code_of(error) == "ResourceNotFoundException":  # it has no value yet
            return []
        raise
    return [entry for entry in held.split(",") if entry]


def first_key(secretsmanager: Any, arn: str) -> str | None:
    """Makes one if there is none yet. It may operate, and is known nowhere but to whoever sees it now."""
    if entries(secretsmanager, arn):
        return None
    key, entry = _new(FIRST, operate=True)
    try:
        # A version is never written twice: of two that make the first key at once, one is told so.
        secretsmanager.put_secret_value(SecretId=arn, SecretString=entry, ClientRequestToken=_FIRST_VERSION)
    except ClientError as error:
        if code_of(error) == "ResourceExistsException":
            return None
        raise
    return key


def add_key(secretsmanager: Any, arn: str, name: str, operate: bool = False) -> str:
    """Another key, of this name's owner. Services know it from their next start."""
    key, entry = _new(name, operate)
    secretsmanager.put_secret_value(
        SecretId=arn, SecretString=",".join([*entries(secretsmanager, arn), entry])
    )
    return key


def _new(name: str, operate: bool) -> tuple[str, str]:
    """A key, and what the secret holds of it."""
    key = secrets.token_urlsafe(32)
    return key, f"{name}:{hashlib.sha256(key.encode()).hexdigest()}{':operate' if operate else ''}"


def curl(address: str, key: str | None) -> str:
    """A line that can be pasted."""
    return (
        f"curl -X POST {address}/recms -H 'X-API-Key: {key or 'KEY'}' "
        """-H 'Content-Type: application/json' -d '{"years":"2.5"}'"""
    )
