"""Keys of callers: the secret holds their hashes, in the form of PAYGRADE_API_KEYS."""

import hashlib
import secrets
from typing import Any

from botocore.exceptions import ClientError

from ecs.aws import code_of

FIRST = "first"


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
    return None if entries(secretsmanager, arn) else add_key(secretsmanager, arn, FIRST, operate=True)


def add_key(secretsmanager: Any, arn: str, name: str, operate: bool = False) -> str:
    """Another key, of this name's owner. Services know it from their next start."""
    key = secrets.token_urlsafe(32)
    entry = f"{name}:{hashlib.sha256(key.encode()).hexdigest()}{':operate' if operate else ''}"
    secretsmanager.put_secret_value(
        SecretId=arn, SecretString=",".join([*entries(secretsmanager, arn), entry])
    )
    return key


def curl(address: str, key: str | None) -> str:
    """A line that can be pasted."""
    return (
        f"curl -X POST {address}/recms -H 'X-API-Key: {key or 'KEY'}' "
        """-H 'Content-Type: application/json' -d '{"years":"2.5"}'"""
    )
