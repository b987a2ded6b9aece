"""Callers' API keys. The secret holds their hashes, in the format of PAYGRADE_API_KEYS."""

import hashlib
import secrets
from typing import Any

from botocore.exceptions import ClientError

from ecs.aws import code_of

FIRST_OWNER = "first"
_FIRST_VERSION_ID = "first-key-of-this-deployment-0001"
"""AWS requires at least 32 characters."""


def read_entries(secretsmanager: Any, arn: str) -> list[str]:
    try:
        value = secretsmanager.get_secret_value(SecretId=arn).get("SecretString", "")
    except ClientError as error:
        if code_of(error) == "ResourceNotFoundException":  # the secret has no value yet
            return []
        raise
    return [entry for entry in value.split(",") if entry]


def create_first_key(secretsmanager: Any, arn: str) -> str | None:
    """Creates a key with both scopes, unless keys exist. Only the returned text contains the key."""
    if read_entries(secretsmanager, arn):
        return None
    key, entry = _generate(FIRST_OWNER, operate=True)
    try:
        # AWS writes a version token only once: of two concurrent calls, one gets an error.
        secretsmanager.put_secret_value(
            SecretId=arn, SecretString=entry, ClientRequestToken=_FIRST_VERSION_ID
        )
    except ClientError as error:
        if code_of(error) == "ResourceExistsException":
            return None
        raise
    return key


def add_key(secretsmanager: Any, arn: str, owner: str, operate: bool = False) -> str:
    """Adds a key. Services accept it after their next start."""
    key, entry = _generate(owner, operate)
    secretsmanager.put_secret_value(
        SecretId=arn, SecretString=",".join([*read_entries(secretsmanager, arn), entry])
    )
    return key


def _generate(owner: str, operate: bool) -> tuple[str, str]:
    """Returns a key and its entry in the secret."""
    key = secrets.token_urlsafe(32)
    return key, f"{owner}:{hashlib.sha256(key.encode()).hexdigest()}{':predict+operate' if operate else ''}"


def curl_command(address: str, key: str | None) -> str:
    """A command line that can be pasted."""
    return (
        f"curl -X POST {address}/recms -H 'X-API-Key: {key or 'KEY'}' "
        """-H 'Content-Type: application/json' -d '{"years":"2.5"}'"""
    )
