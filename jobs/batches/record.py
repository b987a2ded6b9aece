"""The record of a batch: what its caller wants, how far it is, and where its files are."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any, NamedTuple

import orjson

from jobs.batches.status import BatchStatus
from jobs.errors import UnknownRecord
from jobs.files.tables import Format
from jobs.queues.idempotency import IdempotencyKey

VERSION = b"1"


@dataclass(frozen=True)
class BatchOptions:
    """`source` and `output` are s3:// addresses, empty where the file store is meant.

    `encoding`, `delimiter` and `decimal` are those that the caller names, empty where they are to be found.
    `missing` are texts for missing values, besides those of the bundle. A file that `needs_decoding` is
    packed, or may not be UTF-8; planning makes plain files of it.
    """

    input: Format
    results: Format
    encoding: str = ""
    delimiter: str = ""
    decimal: str = ""
    missing: tuple[str, ...] = ()
    include_inputs: bool = False
    explain: bool = False
    prefix: str = ""
    source: str = ""
    output: str = ""
    dry_run: bool = False
    needs_decoding: bool = False
    error_inputs: bool = False
    input_from: str = ""
    """Of a retry: the batch whose input it reads."""
    kept_from: str = ""
    """Of a retry: the batch that it tries again, whose parts it keeps where no row failed."""
    escape_formulas: bool = False
    version: str = ""
    """Of the source: that which was there when the batch was accepted. Empty where it may be any."""
    files: int = 0
    """How many files a batch of several has; its source then names all of them."""
    root: str = ""
    """What the sources of these files begin with, and the names of their results do not."""
    file: int | None = None
    """In the options of one of these files: its number, from 0."""
    size: int | None = None
    """In the options of one of these files: how many bytes its version has."""

    @property
    def has_plain_chunks(self) -> bool:
        """Whether planning writes each chunk to a file of its own, as plain text."""
        return self.needs_decoding and self.input is not Format.PARQUET

    def to_json(self) -> bytes:
        return orjson.dumps(asdict(self))

    @classmethod
    def from_json(cls, text: bytes) -> "BatchOptions":
        fields: dict[str, Any] = orjson.loads(text)
        fields |= {name: Format(fields[name]) for name in ("input", "results")}
        return cls(**fields | {"missing": tuple(fields["missing"])})


@dataclass(frozen=True)
class NewBatch:
    """A batch whose input is in the file store; metadata is JSON, `webhook` as Receiver.stored has it.

    `request_id` is for the log only.
    """

    id: str
    model: str
    sha256: str
    owner: str
    options: BatchOptions
    size: int
    metadata: bytes = b"{}"
    start_within_ms: int | None = None
    idempotency: IdempotencyKey | None = None
    webhook: str = ""
    retry_of: str = ""
    request_id: str = ""
    traceparent: str = ""
    reads: tuple[str, ...] = ()
    """Of a retry: the batches whose files it reads."""
    corrected: bool = False
    """Of a retry: whether a file with corrected rows is there."""

    def with_key(self, key: IdempotencyKey) -> "NewBatch":
        return replace(self, idempotency=key)


class BatchRecord(NamedTuple):
    """Times are milliseconds since 1970, UTC; `bytes_done` are of the `size` of the input."""

    id: str
    status: BatchStatus
    model: str
    sha256: str
    owner: str
    options: BatchOptions
    size: int
    total: int | None
    rows: int
    failed: int
    bytes_done: int
    started: int | None
    finished: int | None
    expires: int | None
    error: bytes | None
    metadata: bytes
    deadline: int | None
    webhook: str = ""
    retry_of: str = ""
    failed_files: int = 0
    """Of a batch of several: how many of them, or parts of them, could not be read or scored."""

    @property
    def progress(self) -> float:
        """From 0 to 1, by the bytes of the input that are scored."""
        if self.status in (BatchStatus.SUCCEEDED, BatchStatus.PARTIALLY_SUCCEEDED, BatchStatus.FINALIZING):
            return 1.0
        return min(self.bytes_done / self.size, 1.0) if self.size else 0.0

    def eta_seconds(self, now: float) -> float | None:
        """Estimated from the pace so far; None before that is known."""
        if self.status.ended or self.status is BatchStatus.FINALIZING:
            return 0
        if self.started is None or not self.progress:
            return None
        elapsed = max(now - self.started / 1000, 0)
        return round(elapsed * (1 - self.progress) / self.progress, 1)

    @classmethod
    def decode(cls, job_id: str, values: Sequence[bytes | None]) -> "BatchRecord":
        """`values` as read_current of batch.lua returns them. Raises UnknownRecord."""
        version, status, model, sha, owner, options, size, total, rows, failed, done, *rest = values
        if version != VERSION or not (status and model and sha and owner and options):
            raise UnknownRecord
        started, finished, expires, error, metadata, deadline, webhook, retry_of, failed_files = rest
        return cls(
            id=job_id,
            status=BatchStatus(status.decode()),
            model=model.decode(),
            sha256=sha.hex(),
            owner=owner.decode(),
            options=BatchOptions.from_json(options),
            size=int(size or 0),
            total=_int(total),
            rows=int(rows or 0),
            failed=int(failed or 0),
            bytes_done=int(done or 0),
            started=_int(started),
            finished=_int(finished),
            expires=_int(expires),
            error=error,
            metadata=metadata or b"{}",
            deadline=_int(deadline),
            webhook=(webhook or b"").decode(),
            retry_of=(retry_of or b"").decode(),
            failed_files=int(failed_files or 0),
        )


class FileRef(NamedTuple):
    """A file in the file store or, with `folder`, under an s3:// address that the caller gave."""

    name: str
    folder: str = ""
    version: str = ""
    """The only version that may be read; empty where any may be."""
    size: int | None = None
    """How many bytes that version has, where this is known."""


def ref_of(address: str, version: str = "", size: int | None = None) -> FileRef:
    folder, _, name = address.rpartition("/")
    return FileRef(name, folder, version, size)


def folder_of(job_id: str) -> str:
    """The folder with the files of a batch: input, results, errors, and the parts until they are joined."""
    return f"batches/{job_id}"


def source_of(job_id: str, options: BatchOptions) -> FileRef:
    """The file that the caller named or sent."""
    if not options.source:
        return FileRef(f"{folder_of(options.input_from or job_id)}/input")
    return ref_of(options.source, options.version, options.size)


def input_of(job_id: str, options: BatchOptions, start: int = 0) -> FileRef:
    """The file that is scored. With `has_plain_chunks`, each chunk has one, named by its start."""
    if not options.needs_decoding:
        return source_of(job_id, options)
    of_file = "" if options.file is None else f"{options.file:06}/"
    return FileRef(f"{plain_folder(options.input_from or job_id)}/{of_file}{start:015}")


def plain_folder(job_id: str) -> str:
    """The folder with the plain files that planning makes."""
    return f"{folder_of(job_id)}/plain"


def part_of(job_id: str, chunk: int) -> str:
    """The results of a chunk, until they are joined; its errors have this name and `.errors`."""
    return f"{parts_folder(job_id)}/{chunk:06}"


def corrections_of(job_id: str) -> str:
    """The corrected rows of a retry as they were sent, until they are sorted by chunk."""
    return f"{folder_of(job_id)}/corrections"


def corrected_of(job_id: str, chunk: int) -> str:
    """The corrected rows of a chunk of a retry: NDJSON with `row`, counted in the chunk, and `input`."""
    return f"{folder_of(job_id)}/corrected/{chunk:06}"


def parts_folder(job_id: str) -> str:
    return f"{folder_of(job_id)}/parts"


def output_of(job_id: str, options: BatchOptions, name: str) -> FileRef:
    """`name` is result or errors. With `file`, those of this file, whose name they continue."""
    if not options.output:
        of_file = "" if options.file is None else f"/{options.file:06}"
        return FileRef(f"{folder_of(job_id)}/{name}{of_file}")
    ending = options.results if name == "result" else Format.NDJSON
    of_file = "" if options.file is None else f"{options.source.removeprefix(options.root)}."
    return FileRef(f"{job_id}/{of_file}{name}.{ending}", options.output)


def first_rows_of(job_id: str) -> str:
    """The first rows of results in Parquet, as NDJSON."""
    return f"{folder_of(job_id)}/first_rows"


def _int(value: bytes | None) -> int | None:
    return int(value) if value else None
