"""The files of a batch of several: how each was listed, planned and joined.

The chunks of all files are one plan. In it, each chunk of such a batch begins with the number of its file.
"""

from collections.abc import Iterable, Iterator
from dataclasses import replace
from typing import NamedTuple

import orjson

from jobs.batches.record import BatchOptions, folder_of
from jobs.files.tables import Format


class ListedFile(NamedTuple):
    """A file as it was listed: this version is scored. What a manifest does not say, planning finds."""

    source: str
    size: int | None = None
    version: str = ""


class PlannedFile(NamedTuple):
    """What planning has found of a file: its version, its format, and the name of its layout.

    `error`, as JSON, says why the file, or the rest of it, could not be planned.
    """

    source: str
    size: int
    version: str
    input: Format
    needs_decoding: bool = False
    layout: str = ""
    error: str = ""

    def to_json(self) -> str:
        return orjson.dumps(tuple(self)).decode()

    @classmethod
    def from_json(cls, text: bytes) -> "PlannedFile":
        source, size, version, kind, *rest = orjson.loads(text)
        return cls(source, size, version, Format(kind), *rest)

    def options(self, of_batch: BatchOptions, number: int) -> BatchOptions:
        """The options of the batch as they are for this file alone."""
        return replace(
            of_batch,
            source=self.source,
            version=self.version,
            size=self.size,
            input=self.input,
            needs_decoding=self.needs_decoding,
            file=number,
        )


NOT_WRITTEN = -1
"""The size of a file that was not written."""


class JoinedFile(NamedTuple):
    """The bytes of the results and of the errors of a file that is joined, and the ETag or digest of each."""

    size: int = NOT_WRITTEN
    tag: str = ""
    errors_size: int = NOT_WRITTEN
    errors_tag: str = ""

    def to_json(self) -> bytes:
        return orjson.dumps(tuple(self))

    @classmethod
    def from_json(cls, text: bytes) -> "JoinedFile":
        return cls._make(orjson.loads(text))


def listing_of(job_id: str, options: BatchOptions) -> str:
    """The file with the files that were listed when the batch was accepted."""
    return f"{folder_of(options.input_from or job_id)}/files"


def layout_of(job_id: str, options: BatchOptions, name: str) -> str:
    return f"{folder_of(options.input_from or job_id)}/layouts/{name}"


def manifest_of(job_id: str) -> str:
    return f"{folder_of(job_id)}/manifest"


def write_listing(files: Iterable[ListedFile]) -> bytes:
    return b"".join(orjson.dumps(tuple(file)) + b"\n" for file in files)


def read_listing(listing: bytes) -> Iterator[ListedFile]:
    for line in listing.splitlines():
        yield ListedFile._make(orjson.loads(line))
