"""Stores the input of a batch where workers read it, or looks at the file that its caller named."""

import hashlib
from collections.abc import Iterable, Iterator
from dataclasses import replace
from typing import NamedTuple

import orjson

from jobs.batches.record import BatchOptions, source_of
from jobs.errors import FileMissing, FilesForbidden
from jobs.files.location import files_of_caller
from jobs.files.store import FOR_UPLOADS, FileStore
from model.description.manifest import Manifest
from web.errors import FileTooLong, UnreadableInput
from web.table_checks import check_table, is_raw

_MARK_BYTES = 4
"""So many bytes tell that a file is packed, or in UTF-16."""


class BatchRequest(NamedTuple):
    """A valid request. `model` is the name that the caller sent, `manifest` the version that it means now.

    `start` are the first bytes of a file, unpacked and in UTF-8; None if there is no file, or if they cannot
    be told. If they are `cut`, the file has more. `lines` are rows that came in JSON, as NDJSON.
    """

    model: str | None
    manifest: Manifest
    options: BatchOptions
    metadata: dict[str, str]
    lines: bytes | None = None
    start_within_ms: int | None = None
    idempotency_key: str | None = None
    start: bytes | None = None
    cut: bool = False
    webhook: str = ""
    request_id: str = ""
    traceparent: str = ""

    def identity(self) -> bytes:
        """What must be the same in a repeated request, besides the rows or the file."""
        return self.options.to_json() + orjson.dumps([self.model, self.metadata, self.webhook])


class Upload:
    """A file that arrives in pieces: measures and hashes them, after the `identity` of its request."""

    def __init__(self, identity: bytes, pieces: Iterable[bytes], limit: int) -> None:
        self._pieces = pieces
        self._limit = limit
        self.size = 0
        self.hash = hashlib.sha256(identity)

    def save(self, files: FileStore, name: str, hashed: bool) -> None:
        with files.create(name) as file:
            for piece in self._measured(hashed):
                files.check_room(FOR_UPLOADS)
                file.write(piece)

    def compute_hash(self) -> None:
        """Reads the file without storing it."""
        for _ in self._measured(hashed=True):
            pass

    def _measured(self, hashed: bool) -> Iterator[bytes]:
        for piece in self._pieces:
            self.size += len(piece)
            if self.size > self._limit:
                raise FileTooLong(self._limit)
            if hashed:
                self.hash.update(piece)
            yield piece


class BatchInputs:
    """`max_file` is the most bytes that a file may have; `s3_allow` lists what callers may name."""

    def __init__(self, files: FileStore, max_file: int, s3_allow: str) -> None:
        self._files = files
        self._max_file = max_file
        self._s3_allow = s3_allow

    def save(
        self, job_id: str, request: BatchRequest, upload: Upload, hashed: bool
    ) -> tuple[BatchOptions, int]:
        """Stores the input where workers read it; returns the options, and the size in bytes."""
        options = request.options
        if options.source:
            return self._check_source(job_id, options)
        name = source_of(job_id, options).name
        if request.start is not None:
            check_table(request.start, request.cut, request.manifest, options)
        if request.lines is None:
            upload.save(self._files, name, hashed)
            return options, upload.size
        upload.hash.update(request.lines)
        with self._files.create(name) as file:
            file.write(request.lines)
        return options, len(request.lines)

    def _check_source(self, job_id: str, options: BatchOptions) -> tuple[BatchOptions, int]:
        ref = source_of(job_id, options)
        files = files_of_caller(ref.store, ref.name, self._s3_allow)
        try:
            with files.open(ref.name) as file:
                start = file.read(_MARK_BYTES) or b""
            size = files.size(ref.name)
        except (FileMissing, FilesForbidden) as error:
            raise UnreadableInput(str(error)) from None
        if size > self._max_file:
            raise FileTooLong(self._max_file)
        return replace(options, raw=is_raw(start, options.encoding)), size
