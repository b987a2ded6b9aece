"""Ids of jobs and traces, and what the resource of every job says: id, status, model and times."""

import os
import re
import time
import uuid
from datetime import UTC, datetime
from enum import StrEnum
from functools import lru_cache
from typing import Any, Protocol

from jobs.errors import InvalidId

PREDICTION = "pred_"
BATCH = "batch_"
UPLOAD = "upload_"
_TRACEPARENT = re.compile(r"00-(?!0{32})[0-9a-f]{32}-(?!0{16})[0-9a-f]{16}-[0-9a-f]{2}")


def new_id(prefix: str) -> str:
    """The prefix and a UUIDv7 (RFC 9562), which begins with the time."""
    milliseconds = int(time.time() * 1000)
    chance = int.from_bytes(os.urandom(10))
    value = milliseconds << 80 | 7 << 76 | (chance >> 68) << 64 | 2 << 62 | chance & (1 << 62) - 1
    text = f"{value:032x}"
    return f"{prefix}{text[:8]}-{text[8:12]}-{text[12:16]}-{text[16:20]}-{text[20:]}"


def check(job_id: str, prefix: str = PREDICTION) -> None:
    """Raises InvalidId for anything that new_id does not make with this prefix."""
    if not is_id(job_id, prefix):
        raise InvalidId(f"this is not an id of this kind: it must be {prefix} followed by a UUIDv7")


def is_id(text: str, prefix: str) -> bool:
    kind, separator, number = text.partition("_")
    try:
        value = uuid.UUID(number)
    except ValueError:
        return False
    return kind + separator == prefix and value.version == 7 and str(value) == number


def created_ms(job_id: str) -> int:
    """When the id was made, in milliseconds since 1970, UTC."""
    text = job_id.partition("_")[2]
    return int(text[:8] + text[9:13], 16)


def older_than(job_id: str, milliseconds: int) -> bool:
    return time.time() * 1000 - created_ms(job_id) > milliseconds


def raw(job_id: str) -> bytes:
    """The 16 bytes of the UUID, as the owner's list stores them."""
    return bytes.fromhex(job_id.partition("_")[2].replace("-", ""))


def from_raw(value: bytes, prefix: str) -> str:
    return prefix + str(uuid.UUID(bytes=value))


def rfc3339(milliseconds: int) -> str:
    """Milliseconds since 1970 as an RFC 3339 time, in UTC and to the millisecond."""
    return f"{_second(milliseconds // 1000)}.{milliseconds % 1000:03d}Z"


@lru_cache(maxsize=256)
def _second(seconds: int) -> str:
    return datetime.fromtimestamp(seconds, UTC).isoformat()[:-6]


def time_of(milliseconds: int | None) -> str | None:
    return None if milliseconds is None else rfc3339(milliseconds)


def model_of(ref: str, sha256: str) -> dict[str, str | int]:
    """The model as callers see it; `ref` is NAME@VERSION."""
    name, _, version = ref.partition("@")
    return {"name": name, "version": int(version), "sha256": sha256}


class RecordHead(Protocol):
    """What the records of every kind have; times are milliseconds since 1970, UTC."""

    @property
    def id(self) -> str: ...
    @property
    def status(self) -> StrEnum: ...
    @property
    def model(self) -> str: ...
    @property
    def sha256(self) -> str: ...
    @property
    def started(self) -> int | None: ...
    @property
    def finished(self) -> int | None: ...
    @property
    def expires(self) -> int | None: ...
    @property
    def deadline(self) -> int | None: ...


def resource_of(record: RecordHead, kind: str) -> dict[str, Any]:
    """The members with which each resource begins."""
    return {
        "id": record.id,
        "object": kind,
        "status": record.status,
        "model": model_of(record.model, record.sha256),
        "created_at": rfc3339(created_ms(record.id)),
        "started_at": time_of(record.started),
        "finished_at": time_of(record.finished),
        "deadline_at": time_of(record.deadline),
        "expires_at": time_of(record.expires),
    }


def checked_traceparent(given: str) -> str:
    """The header of W3C Trace Context; empty unless it is of version 00, as it is logged and passed on."""
    return given if _TRACEPARENT.fullmatch(given) else ""


def trace_fields(traceparent: str) -> dict[str, str]:
    """What the log says of a request or job: its `trace_id`, if its caller sent one."""
    return {"trace_id": traceparent[3:35]} if traceparent else {}
