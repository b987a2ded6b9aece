"""The record of an upload: a file that its caller puts into the file store before a batch scores it."""

from typing import NamedTuple

import orjson

from jobs import ids
from jobs.batches.record import folder_of
from jobs.errors import UnknownRecord
from jobs.files.direct import FilePart
from jobs.files.store import MIB

LEAST_PART = 16 * MIB
MOST_PARTS = 1_000


class DirectUpload(NamedTuple):
    """`crc32` is that of the whole file, None if the caller named none; `handle` is as DirectFiles has it.

    The file is where that of a batch is, whose id has the same UUID: so it is never copied, and goes with the
    batch, or with what has no record.
    """

    id: str
    owner: str
    size: int
    media_type: str
    name: str
    crc32: int | None
    handle: str

    @property
    def batch_id(self) -> str:
        return ids.BATCH + self.id.removeprefix(ids.UPLOAD)

    @property
    def identity(self) -> bytes:
        """The same for a file that is uploaded again, if its CRC-32 tells that it is."""
        return self.id.encode() if self.crc32 is None else b"%d %d" % (self.size, self.crc32)

    @property
    def file(self) -> str:
        return file_of(self.id)

    @property
    def parts(self) -> list[FilePart]:
        step = part_size(self.size)
        return [
            FilePart(number, offset, min(step, self.size - offset))
            for number, offset in enumerate(range(0, self.size, step), start=1)
        ]

    def encode(self) -> bytes:
        return orjson.dumps(self[1:])

    @classmethod
    def decode(cls, upload_id: str, text: bytes) -> "DirectUpload":
        """Raises UnknownRecord."""
        try:
            return cls(upload_id, *orjson.loads(text))
        except (TypeError, ValueError):
            raise UnknownRecord from None


def file_of(upload_id: str) -> str:
    return f"{folder_of(ids.BATCH + upload_id.removeprefix(ids.UPLOAD))}/input"


def part_size(size: int) -> int:
    """Whole MiB, so that a file of any size has few parts, and each is long enough for S3."""
    return max(LEAST_PART, -(-size // MOST_PARTS // MIB) * MIB)
