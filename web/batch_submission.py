"""Accepts batches: stores the file, then the record, once per Idempotency-Key. Knows nothing of HTTP."""

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import replace
from functools import partial
from itertools import islice
from typing import NamedTuple

import gevent
import orjson

from jobs import ids
from jobs.batches.inputs import listing_of, manifest_of, read_listing
from jobs.batches.record import BatchOptions, BatchRecord, NewBatch, first_rows_of, folder_of, output_of
from jobs.batches.resource import PATH
from jobs.batches.status import BatchStatus
from jobs.batches.store import RESERVATION_MS, BatchStore, KnownKey
from jobs.batches.upload import DirectUpload
from jobs.errors import (
    FileMissing,
    IdempotencyKeyReused,
    JobsError,
    NotRetryable,
    QueueFull,
    RateLimited,
    StoreRefuses,
)
from jobs.files.location import files_of_caller
from jobs.files.store import FOR_UPLOADS, FileStore
from jobs.files.tables import MEDIA_TYPES, Format
from jobs.predictions.resource import retry_after
from jobs.queues.idempotency import IdempotencyKey
from jobs.queues.names import BATCH
from jobs.queues.queue import SendWakeUp, try_wake_up
from jobs.supervision import Supervisor
from web.batch_inputs import BatchInputs, BatchRequest, PostedFile
from web.capacity_watch import CapacityWatch
from web.errors import InvalidDryRun, JobConflict, NotFinished, NotScored, UnknownFile, UploadUsed
from web.submission import JobSubmission, Submitted
from web.waiting import WaitingCallers


class OutputFile(NamedTuple):
    """A file that a batch has written; its size is in bytes, and it is sent under this name."""

    files: FileStore
    name: str
    size: int
    media_type: str
    sent_as: str


class BatchSubmission(JobSubmission[BatchRecord]):
    noun = "batch"
    prefix = ids.BATCH
    kind = BATCH
    cancelable = "has not ended"
    canceled = frozenset({BatchStatus.CANCELED, BatchStatus.CANCELING})

    def __init__(
        self,
        store: BatchStore,
        inputs: BatchInputs,
        watch: CapacityWatch,
        waiting: WaitingCallers,
        send_wake_up: SendWakeUp,
        supervisor: Supervisor,
        new_id: Callable[[str], str] = ids.new_id,
    ) -> None:
        super().__init__(store, store.list_jobs, waiting, watch)
        self.inputs = inputs
        self.files = inputs.files
        self.max_file = inputs.max_file
        self._store = store
        self._send_wake_up = send_wake_up
        self._supervisor = supervisor
        self._new_id = new_id

    def submit(self, request: BatchRequest, pieces: Iterable[bytes], owner: str) -> Submitted[BatchRecord]:
        """Returns once the batch is recorded and queued, or the batch that its Idempotency-Key stands for.

        Raises QueueNotServed, JobConflict, FileTooLong, InvalidTable, UnreadableInput, what reading the
        pieces raises, and what the stores raise: then it is not accepted as far as we know.
        """
        self.check_served()
        if not self._capacity_watch.accepting:
            raise self._capacity_watch.set_retry_after(QueueFull())
        job_id = request.upload.batch_id if request.upload else self._new_id(ids.BATCH)
        uploaded = bool(request.upload)
        # The options are hashed too: the same key with other options is another request.
        posted = PostedFile(request.identity(), pieces, self.max_file)
        key = request.idempotency_key
        digest = IdempotencyKey.of(PATH, key, b"").key if key is not None else b""
        with self.reserve_key(owner, digest, job_id) as known:
            if known:
                self._check_same_body(known.body, request, posted)
                return Submitted(self.read_known(known.id), replayed=True)
            with self._single_use(request.upload, owner), self.admitted_file(job_id, owner, uploaded):
                options, size = self.inputs.prepare(job_id, request, posted, hashed=bool(digest))
            batch = NewBatch(
                id=job_id,
                model=request.manifest.ref,
                sha256=request.manifest.sha256,
                owner=owner,
                options=options,
                size=size,
                metadata=orjson.dumps(request.metadata),
                start_within_ms=request.start_within_ms,
                idempotency=IdempotencyKey(digest, posted.hash.digest()[:16]) if digest else None,
                webhook=request.webhook,
                request_id=request.request_id,
                traceparent=request.traceparent,
            )
            accepted = self.accept(batch, uploaded)
        return Submitted(self.read_known(accepted), replayed=accepted != job_id)

    def accept(self, batch: NewBatch, uploaded: bool = False) -> str:
        """Returns the id of this batch, or of that for which its key stands by now.

        The files stay if the batch may have been accepted. If it was not, the sweeper removes them. A file
        that was `uploaded` stays for another request.
        """
        try:
            added = self._store.add(batch)
        except (QueueFull, RateLimited, IdempotencyKeyReused, NotRetryable, StoreRefuses):
            self._remove_files(batch.id, uploaded)
            raise
        if isinstance(added, str):
            self._remove_files(batch.id, uploaded)
            return added
        for wake_up in added:
            gevent.spawn(try_wake_up, self._send_wake_up, wake_up)
        if self._capacity_watch.awakening.asleep:
            self._capacity_watch.awakening.work_arrived()
        return batch.id

    def dry_run(self, request: BatchRequest, pieces: Iterable[bytes], owner: str) -> bytes:
        """Returns the preview as JSON. Raises NotScored if no worker looked in time, or InvalidDryRun."""
        record = self.submit(request.for_dry_run(), pieces, owner).record
        record = self._wait(record, self.longest_wait)
        try:
            if not record.status.ended:
                self._store.cancel(record.id)
                seconds = retry_after(self._capacity_watch.capacity, 1)
                raise NotScored("no worker checked the file in time; try again", seconds)
            if record.status is not BatchStatus.SUCCEEDED:
                reason = orjson.loads(record.error or b"{}").get("detail", "the file could not be read")
                raise InvalidDryRun(reason)
            return self.files.read(f"{folder_of(record.id)}/preview")
        finally:
            self._store.delete(record.id)

    def output(self, job_id: str, owner: str, name: str, number: int | None = None) -> OutputFile:
        """`name` is result or errors; `number` is that of one of several files.

        Raises NotFinished, JobConflict if there are no results, UnknownJob and UnknownFile.
        """
        record = self._ended(job_id, owner)
        options = record.options
        if options.files or number is not None:
            options = self._options_of_file(record, number)
        ref = output_of(job_id, options, name)
        allowed = self._store.s3_allow
        files = files_of_caller(ref.folder, ref.name, allowed) if ref.folder else self.files
        kind = options.results if name == "result" else Format.NDJSON
        of_file = "" if number is None else f"-{number}"
        try:
            size = files.size(ref.name)
        except FileMissing:
            raise JobConflict(f"this batch is {record.status}, and has no {name}s there") from None
        return OutputFile(files, ref.name, size, MEDIA_TYPES[kind], f"{job_id}{of_file}-{name}.{kind}")

    def first_rows(self, job_id: str, owner: str, number: int | None) -> OutputFile:
        """The results or, where these are Parquet, the first of them as NDJSON. Raises as `output` does."""
        result = self.output(job_id, owner, "result", number)
        if result.media_type != MEDIA_TYPES[Format.PARQUET]:
            return result
        name = first_rows_of(job_id)
        try:
            size = self.files.size(name)
        except FileMissing:
            raise JobConflict("of several files in Parquet, no first rows are kept; download one") from None
        return OutputFile(self.files, name, size, MEDIA_TYPES[Format.NDJSON], f"{job_id}-first_rows.ndjson")

    def manifest(self, job_id: str, owner: str) -> OutputFile:
        """Raises NotFinished, UnknownJob, and JobConflict if there is no manifest."""
        record, name = self._ended(job_id, owner), manifest_of(job_id)
        try:
            size = self.files.size(name)
        except FileMissing:
            why = "has one file" if not record.options.files else f"is {record.status}"
            raise JobConflict(f"this batch {why}, and no manifest") from None
        return OutputFile(self.files, name, size, "application/json", f"{job_id}-manifest.json")

    def _ended(self, job_id: str, owner: str) -> BatchRecord:
        record = self.read(job_id, owner)
        if not record.status.ended:
            raise NotFinished(f"the batch has not ended; it is {record.status}")
        return record

    def _options_of_file(self, record: BatchRecord, number: int | None) -> BatchOptions:
        files = record.options.files
        if number is None:
            raise UnknownFile(f"this batch has {files} files; name one, from ?file=0 to ?file={files - 1}")
        if number >= files:
            raise UnknownFile(f"this batch has no file {number}; see its manifest")
        listing = self.files.read(listing_of(record.id, record.options))
        listed = next(islice(read_listing(listing), number, None))
        return replace(record.options, source=listed.source, file=number)

    def _check_same_body(self, body: bytes, request: BatchRequest, posted: PostedFile) -> None:
        if request.lines is not None:
            posted.hash.update(request.lines)
        elif not (request.options.source or request.upload or request.options.input_from):
            posted.compute_hash()
        if posted.hash.digest()[:16] != body:
            raise IdempotencyKeyReused

    @contextmanager
    def reserve_key(self, owner: str, digest: bytes, job_id: str) -> Iterator[KnownKey | None]:
        """Reserves a key for a batch that is being made, or gives what it stands for already.

        After an error the key is free again. Raises JobConflict.
        """
        if digest and (known := self._store.reserve_key(owner, digest, job_id)):
            if not known.id:
                raise JobConflict("a request with this Idempotency-Key is still arriving; wait for it")
            yield known
            return
        with self._keep_reserved(owner, digest, job_id):
            yield None

    @contextmanager
    def _single_use(self, upload: DirectUpload | None, owner: str) -> Iterator[None]:
        """Raises UploadUsed, or JobConflict while another request is about to use the upload."""
        if upload is None:
            yield
            return
        self._check_unused(upload)
        digest, request_id = IdempotencyKey.of("upload", upload.id, b"").key, self._new_id(ids.BATCH)
        if self._store.reserve_key(owner, digest, request_id):
            raise JobConflict("another request is about to use this upload; wait for it")
        with self._keep_reserved(owner, digest, request_id):
            self._check_unused(upload)
            yield

    def _check_unused(self, upload: DirectUpload) -> None:
        if self._store.read([upload.batch_id])[0]:
            raise UploadUsed(f"{upload.batch_id} has taken the file of this upload; begin a new upload")

    @contextmanager
    def _keep_reserved(self, owner: str, digest: bytes, job_id: str) -> Iterator[None]:
        """Renews the reservation of the key while the body arrives, and releases it if the request fails."""
        if not digest:
            yield
            return
        renewing = self._supervisor.start("reservation of a key", partial(self._renew, owner, digest, job_id))
        try:
            yield
        except BaseException:
            with suppress(JobsError):  # the reservation expires by itself
                self._store.release_key(owner, digest, job_id)
            raise
        finally:
            renewing.kill()

    def _renew(self, owner: str, digest: bytes, job_id: str) -> None:
        while True:
            gevent.sleep(RESERVATION_MS / 3000)
            self._store.reserve_key(owner, digest, job_id)

    @contextmanager
    def admitted_file(self, job_id: str, owner: str, uploaded: bool = False) -> Iterator[None]:
        """Checks the limits before a file has arrived; a request that is refused leaves no file behind.

        One that was `uploaded` stays for another request.
        """
        try:
            self._store.check_limits(owner)
            self.files.check_room(FOR_UPLOADS)
            yield
        except BaseException:
            self._remove_files(job_id, uploaded)
            raise

    def _remove_files(self, job_id: str, uploaded: bool) -> None:
        if uploaded:
            return
        with suppress(JobsError):  # the sweeper removes them later
            self.files.remove(folder_of(job_id))
