"""The secrets that webhooks are signed with: one for each owner, or several while it is changed."""

import base64
import logging
import re
import secrets
from binascii import Error as InvalidBase64
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import TypeAlias

from standardwebhooks import Webhook

from jobs.errors import InvalidSettings
from jobs.settings import Settings
from web.entry_files import entries_at
from web.keys import KEY_NAME

log = logging.getLogger(__name__)

PREFIX = "whsec_"
_FILE = "PAYGRADE_WEBHOOK_SECRETS_FILE"
FEWEST_BYTES, MOST_BYTES = 24, 64
_ENTRY = re.compile(rf"({KEY_NAME.pattern}):({PREFIX}([A-Za-z0-9+/=]+))")

Secrets: TypeAlias = Mapping[str, Sequence[Webhook]]
"""The secrets of each owner; anonymous owns the jobs where no keys are set."""


def new_secret() -> str:
    return PREFIX + base64.b64encode(secrets.token_bytes(32)).decode()


def parse_secrets(entries: str, setting: str = "PAYGRADE_WEBHOOK_SECRETS") -> Secrets:
    """Reads `name:whsec_…`, separated by commas; several of one name are all used.

    Raises InvalidSettings.
    """
    found: dict[str, list[Webhook]] = {}
    for entry in filter(None, (part.strip() for part in entries.split(","))):
        match = _ENTRY.fullmatch(entry)
        if not match or not _is_long_enough(match[3]):
            raise InvalidSettings(
                f"{setting}: each entry is name:whsec_ and 24 to 64 bytes in base64; "
                "python -m web --new-webhook-secret NAME makes one"
            )
        found.setdefault(match[1], []).append(Webhook(match[2]))
    return found


def signature_of(signers: Sequence[Webhook], message_id: str, at: datetime, body: bytes) -> str:
    """The header webhook-signature: one signature for each secret. `at` is in UTC."""
    return " ".join(signer.sign(message_id, at, body.decode()) for signer in signers)


class WebhookSecrets:
    """The secrets of a setting and, beside it, of a file that is read again when it changes."""

    def __init__(self, settings: Settings) -> None:
        """Raises InvalidSettings."""
        self._fixed = parse_secrets(settings.webhook_secrets.get_secret_value())
        location = settings.webhook_secrets_file
        self._entries = entries_at(location, _FILE) if location else None
        self._read: Secrets = {}
        self._read_again()

    def of(self, owner: str) -> Sequence[Webhook]:
        """The secrets of an owner; empty if there are none."""
        try:
            self._read_again()
        except InvalidSettings as error:
            log.error("webhook_secrets_not_read", extra={"error": str(error)})
        return (*self._fixed.get(owner, ()), *self._read.get(owner, ()))

    def _read_again(self) -> None:
        if self._entries and self._entries.is_due():
            self._read = parse_secrets(self._entries.read(), _FILE)


def _is_long_enough(text: str) -> bool:
    try:
        return FEWEST_BYTES <= len(base64.b64decode(text, validate=True)) <= MOST_BYTES
    except InvalidBase64:
        return False
