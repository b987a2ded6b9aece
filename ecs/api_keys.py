"""Callers' API keys and the secrets of webhooks: entries of secrets of AWS, as .env.example has them."""

import base64
import hashlib
import secrets
from typing import Any, NamedTuple

from botocore.exceptions import ClientError

from ecs.aws import code_of

FIRST_OWNER = "first"
_FIRST_VERSION_ID = "first-key-of-this-deployment-0001"
"""AWS requires at least 32 characters."""
_DIGITS = 12
"""Of a digest, which tell keys apart."""


class EntrySecret:
    """A secret whose value is a list of entries, separated by commas. It may have no value yet."""

    def __init__(self, secretsmanager: Any, arn: str) -> None:
        self._client = secretsmanager
        self._arn = arn

    def entries(self) -> list[str]:
        try:
            value = self._client.get_secret_value(SecretId=self._arn).get("SecretString", "")
        except ClientError as error:
            if code_of(error) == "ResourceNotFoundException":  # the secret has no value yet
                return []
            raise
        return [entry for entry in value.replace("#", "").split(",") if entry]

    def write(self, entries: list[str], **version: str) -> None:
        """AWS refuses an empty value, so that no entries are a comment."""
        self._client.put_secret_value(SecretId=self._arn, SecretString=",".join(entries) or "#", **version)


class KeyDescription(NamedTuple):
    name: str
    scope: str
    digest: str


def create_first_key(keys: EntrySecret) -> str | None:
    """Creates a key with both scopes, unless keys exist. Only the returned text contains the key."""
    if keys.entries():
        return None
    key, entry = _generate(FIRST_OWNER, operate=True)
    try:
        # AWS writes a version token only once: of two concurrent calls, one gets an error.
        keys.write([entry], ClientRequestToken=_FIRST_VERSION_ID)
    except ClientError as error:
        if code_of(error) == "ResourceExistsException":
            return None
        raise
    return key


def add_key(keys: EntrySecret, owner: str, operate: bool = False) -> str:
    key, entry = _generate(owner, operate)
    keys.write([*keys.entries(), entry])
    return key


def add_webhook_secret(webhooks: EntrySecret, owner: str) -> str:
    secret = "whsec_" + base64.b64encode(secrets.token_bytes(32)).decode()
    webhooks.write([*webhooks.entries(), f"{owner}:{secret}"])
    return secret


def describe(entry: str) -> KeyDescription:
    name, digest, scope = [*entry.split(":"), "predict"][:3]
    return KeyDescription(name, scope, digest[:_DIGITS])


def matches(entry: str, owner: str, digest: str) -> bool:
    """Whether it is a key of the owner, and its digest starts so."""
    name, key_digest, *_ = entry.split(":")
    return name == owner and key_digest.startswith(digest)


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
