"""On what terms a caller hands in a job: once only (Idempotency-Key), started in time (Cancel-After)."""

import re

from flask import Request

from jobs.queues.idempotency import IdempotencyKey
from web.problems import Problem

LONGEST_MS = 7 * 86_400_000
_KEY = re.compile(r"[\x21-\x7e]{1,255}")
_DURATION = re.compile(r"(?=[0-9])(?:([0-9]{1,6})h)?(?:([0-9]{1,6})m)?(?:([0-9]{1,9})s?)?")


def once(request: Request, route: str) -> IdempotencyKey | None:
    """None without a key. Raises Problem (400) for one that cannot be read."""
    key = key_of(request)
    return None if key is None else IdempotencyKey.of(route, key, request.get_data())


def key_of(request: Request) -> str | None:
    """The same for the key alone."""
    key = request.headers.get("Idempotency-Key")
    if key is not None and not _KEY.fullmatch(key):
        raise Problem(400, "Idempotency-Key takes 1 to 255 visible ASCII characters, such as a UUID")
    return key


def start_within_ms(request: Request) -> int | None:
    """What Cancel-After asks for; None without it. Raises Problem (400) for one that cannot be read."""
    text = request.headers.get("Cancel-After")
    if text is None:
        return None
    match = _DURATION.fullmatch(text.strip().lower())
    hours, minutes, seconds = (int(part or 0) for part in match.groups()) if match else (0, 0, 0)
    milliseconds = ((hours * 60 + minutes) * 60 + seconds) * 1000
    if not 0 < milliseconds <= LONGEST_MS:
        raise Problem(400, "Cancel-After takes a time of 1 s to 7 days, as in 30s, 5m or 1h30m")
    return milliseconds
