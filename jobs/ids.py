"""Ids of jobs: a kind and a UUIDv7 (RFC 9562), so that an id tells when its job was made."""

import os
import time
import uuid

from jobs.errors import InvalidId

PREDICTION = "pred_"
BATCH = "batch_"


def new_id(prefix: str) -> str:
    milliseconds = int(time.time() * 1000)
    chance = int.from_bytes(os.urandom(10))
    value = milliseconds << 80 | 7 << 76 | (chance >> 68) << 64 | 2 << 62 | chance & (1 << 62) - 1
    text = f"{value:032x}"
    return f"{prefix}{text[:8]}-{text[8:12]}-{text[12:16]}-{text[16:20]}-{text[20:]}"


def check(job_id: str, kind: str = PREDICTION) -> None:
    """Raises InvalidId for anything that new_id does not make of this kind."""
    if not _is_id(job_id, kind):
        raise InvalidId(f"this takes an id that is {kind} and a UUID")


def _is_id(text: str, kind: str) -> bool:
    prefix, separator, number = text.partition("_")
    try:
        value = uuid.UUID(number)
    except ValueError:
        return False
    return prefix + separator == kind and value.version == 7 and str(value) == number


def created_ms(job_id: str) -> int:
    """Milliseconds since 1970, UTC."""
    text = job_id.partition("_")[2]
    return int(text[:8] + text[9:13], 16)


def older_than(job_id: str, milliseconds: int) -> bool:
    return time.time() * 1000 - created_ms(job_id) > milliseconds


def from_raw(value: bytes, kind: str = PREDICTION) -> str:
    return kind + str(uuid.UUID(bytes=value))


def raw(job_id: str) -> bytes:
    """The 16 bytes of the UUID, which is how the list of an owner's jobs keeps it."""
    return bytes.fromhex(job_id.partition("_")[2].replace("-", ""))
