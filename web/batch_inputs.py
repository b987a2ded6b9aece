"""The input of a batch: what its first bytes say of it, and how it is stored where workers read it."""

import codecs
import hashlib
from collections.abc import Iterable, Iterator
from dataclasses import replace
from typing import NamedTuple

import orjson

from jobs.batches.inputs import ListedFile, listing_of, write_listing
from jobs.batches.record import BatchOptions, output_of, source_of
from jobs.batches.upload import DirectUpload
from jobs.errors import FileMissing, FilesForbidden, InvalidTable
from jobs.files.location import files_of_caller
from jobs.files.store import FOR_UPLOADS, FileStore
from jobs.files.tables import (
    MARK_BYTES,
    PARQUET,
    Format,
    added_names,
    check_columns,
    check_text,
    format_of,
    header_span,
    is_packed,
    needs_decoding,
    read_header,
)
from jobs.files.unpacking import unpacked_start
from model.description.manifest import Manifest
from model.description.similar import similar_name
from model.tables.dialect import Dialect, UnclearDialect, find_dialect, find_encoding
from web.errors import FileTooLong, UnreadableInput
from web.input_files import find_files, names_several

LONGEST_ADDRESS = 1024
"""Characters of the address of a file in S3. A key may be a little longer than its address lets it."""
NO_MARK = "this is not UTF-16: it has no byte order mark; name utf-16-le or utf-16-be as its encoding"
_LIST = (
    "line 1: this is a JSON list; send one object on each line, or the list as the member rows of an object, "
    "as application/json"
)


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
    results_named: bool = True
    """Whether the caller named the format of the results. It is that of the first of several files if not."""
    upload: DirectUpload | None = None
    """The file, where its caller has put it into the file store already."""

    def identity(self) -> bytes:
        """What must be the same in a repeated request, besides the rows or the file in its body."""
        uploaded = self.upload.identity if self.upload else b""
        return self.options.to_json() + orjson.dumps([self.model, self.metadata, self.webhook]) + uploaded

    def for_dry_run(self) -> "BatchRequest":
        """A file that was uploaded stays for the batch."""
        if not self.upload:
            return self
        return self._replace(options=replace(self.options, input_from=self.upload.batch_id), upload=None)


class PostedFile:
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
    """`max_file` is the most bytes that a file may have, or all files of a batch of up to `max_files`.

    `s3_allow` lists what callers may name.
    """

    def __init__(self, files: FileStore, max_file: int, max_files: int, s3_allow: str) -> None:
        self.files = files
        self.max_file = max_file
        self._max_files = max_files
        self._s3_allow = s3_allow

    def prepare(
        self, job_id: str, request: BatchRequest, posted: PostedFile, hashed: bool
    ) -> tuple[BatchOptions, int]:
        """Checks the input, and stores what is not stored yet; returns the options, and the bytes."""
        options = request.options
        if options.source and names_several(options.source):
            return self._list(job_id, request)
        if options.source:
            return self._check_source(job_id, options)
        name = source_of(job_id, options).name
        if request.start is not None:
            check_table(request.start, request.cut, request.manifest, options)
        if request.upload or options.input_from:
            return options, self.files.size(name)
        if request.lines is None:
            posted.save(self.files, name, hashed)
            return options, posted.size
        posted.hash.update(request.lines)
        with self.files.create(name) as file:
            file.write(request.lines)
        return options, len(request.lines)

    def _check_source(self, job_id: str, options: BatchOptions) -> tuple[BatchOptions, int]:
        ref = source_of(job_id, options)
        files = files_of_caller(ref.folder, ref.name, self._s3_allow)
        try:
            size, version = files.size_and_version(ref.name)
            start = b"".join(files.pieces(ref.name, 0, MARK_BYTES))
        except (FileMissing, FilesForbidden) as error:
            raise UnreadableInput(str(error)) from None
        if size > self.max_file:
            raise FileTooLong(self.max_file)
        return replace(
            options,
            needs_decoding=needs_decoding(start, checked_encoding(start, options.encoding)),
            version=version,
        ), size

    def _list(self, job_id: str, request: BatchRequest) -> tuple[BatchOptions, int]:
        """Stores the listing of several files; returns the options, and the bytes of all files."""
        options = request.options
        root, files = find_files(options.source, self._s3_allow, self._max_files, self.max_file)
        kind = format_of(files[0].source) or options.input
        options = replace(options, input=kind, files=len(files), root=root)
        if not request.results_named:
            options = replace(options, results=kind)
        _check_results(job_id, options, files)
        with self.files.create(listing_of(job_id, options)) as file:
            file.write(write_listing(files))
        return options, sum(listed.size or 0 for listed in files)


def _check_results(job_id: str, options: BatchOptions, files: list[ListedFile]) -> None:
    """Raises InvalidTable or UnreadableInput if the results of these files could not be written."""
    if options.escape_formulas and options.results is not Format.CSV:
        raise InvalidTable(f"escape_formulas is for results in csv; these are in {options.results}")
    if not options.output:
        return
    if f"{options.output}/".startswith(options.root) and options.source.endswith("/"):
        raise UnreadableInput("output is below input, so the next batch would take results for inputs")
    longest = max((file.source for file in files), key=len)
    result = output_of(job_id, replace(options, source=longest, file=0), "errors")
    if len(f"{result.folder}/{result.name}") > LONGEST_ADDRESS:
        raise UnreadableInput(f"the name of the results of {longest} would be too long for S3")


def plain_start(start: bytes, encoding: str) -> bytes:
    """The first bytes, unpacked and in UTF-8; empty if they cannot be told. Raises InvalidTable."""
    plain = unpacked_start(start) if is_packed(start) else start
    if plain.startswith(PARQUET):
        return plain
    found = checked_encoding(plain, encoding)
    if found == "utf-8":
        return plain
    try:
        return codecs.getincrementaldecoder(found)().decode(plain).encode()
    except UnicodeError as error:
        # Python 3.13 says it with the more special error, too.
        if not isinstance(error, UnicodeDecodeError) or "BOM" in error.reason:
            raise InvalidTable(NO_MARK) from None
        line = plain.count(b"\n", 0, error.start) + 1
        raise InvalidTable(f"line {line}: this is not {found}; name the encoding of the file") from None


def checked_encoding(start: bytes, named: str) -> str:
    """The encoding of a text with these first bytes. Raises InvalidTable."""
    try:
        return find_encoding(start, named)
    except UnclearDialect as error:
        raise InvalidTable(str(error)) from None


def recognized(plain: bytes) -> Format:
    """The format of a file with these first bytes. CSV may begin with anything."""
    if plain.startswith(PARQUET):
        return Format.PARQUET
    text = plain.removeprefix(codecs.BOM_UTF8).lstrip()
    return Format.NDJSON if text.startswith((b"{", b"[")) else Format.CSV


def check_table(plain: bytes, cut: bool, manifest: Manifest, options: BatchOptions) -> None:
    """Raises InvalidTable if a file with these first bytes cannot be a table of this model.

    If they are `cut`, the file has more than these, and nothing is said of a header that goes on behind them.
    """
    match options.input:
        case Format.CSV:
            _check_csv(plain, cut, manifest, options)
        case Format.NDJSON:
            check_ndjson(plain)
        case Format.PARQUET:
            if plain.startswith(b"PARE"):
                raise InvalidTable("this Parquet file is encrypted; send it without encryption")
            if not plain.startswith(PARQUET):
                raise InvalidTable("this is not a Parquet file: it does not begin with PAR1")


def check_ndjson(plain: bytes) -> None:
    """Raises InvalidTable if a file with these first bytes has no JSON object on its first line."""
    check_text(plain)
    text = plain.removeprefix(codecs.BOM_UTF8).lstrip()
    if text.startswith(b"["):
        raise InvalidTable(_LIST)
    if not text.startswith(b"{"):
        raise InvalidTable("line 1: this is not a JSON object; send one object on each line")


def _check_csv(plain: bytes, cut: bool, manifest: Manifest, options: BatchOptions) -> None:
    check_text(plain)
    try:
        delimiter, _ = find_dialect(plain, Dialect(options.delimiter, options.decimal), manifest.schema)
    except UnclearDialect as error:
        raise InvalidTable(str(error)) from None
    if cut and header_span(plain, delimiter)[1] in (None, len(plain)):
        return
    header = read_header(plain, delimiter)
    added = added_names(manifest.columns[options.explain], manifest.warns, options.prefix)
    check_columns(header.names, manifest.schema.required, added, similar_name)
    if header.end == len(plain):
        raise InvalidTable("the file has a header and no rows")
