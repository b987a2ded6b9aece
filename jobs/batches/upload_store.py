"""The store of uploads."""

import math
from typing import NamedTuple

from redis import Redis

from jobs.batches.upload import DirectUpload
from jobs.errors import TooManyUploads
from jobs.queues.script_calls import Script
from jobs.settings import Settings

LIFETIME_MS = 12 * 3600 * 1000
"""How long an upload may be used. The sweeper removes what is left in the file store a day after it began."""


class KnownUpload(NamedTuple):
    """`expires` is in milliseconds since 1970."""

    upload: DirectUpload
    expires: int


class UploadStore:
    """Every method raises StoreUnavailable if Redis does not answer in time."""

    def __init__(self, redis: Redis, settings: Settings) -> None:
        self._add = Script(redis, "batches/begin_upload")
        self._read = Script(redis, "batches/read_upload")
        self._used = Script(redis, "batches/use_upload")
        self._remove = Script(redis, "batches/drop_upload")
        self._most = settings.max_batches_per_key
        self._kept_ms = LIFETIME_MS + settings.retention_ms

    def add(self, upload: DirectUpload) -> None:
        """Raises TooManyUploads or QueueFull."""
        wait_ms = self._add(
            id=upload.id, owner=upload.owner, record=upload.encode(), lasts_ms=LIFETIME_MS, most=self._most
        )
        if wait_ms:
            raise TooManyUploads(math.ceil(wait_ms / 1000))

    def read(self, upload_id: str) -> KnownUpload | None:
        found = self._read(id=upload_id)
        if found is None:
            return None
        return KnownUpload(DirectUpload.decode(upload_id, found.record), int(found.expires))

    def note_used(self, upload: DirectUpload) -> None:
        self._used(id=upload.id, owner=upload.owner, lasts_ms=self._kept_ms)

    def remove(self, upload: DirectUpload) -> None:
        self._remove(id=upload.id, owner=upload.owner)
