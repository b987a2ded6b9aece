"""Accepts retries of batches, with corrected rows or without. Knows nothing of HTTP."""

import hashlib
from collections.abc import Callable, Iterable, Iterator

from jobs import ids
from jobs.batches.record import BatchRecord, output_of
from jobs.batches.resource import path_of
from jobs.batches.retry import BatchRetries, CorrectedRow
from jobs.errors import FileMissing, IdempotencyKeyReused, NotRetryable, QueueFull
from jobs.files.location import files_at
from jobs.queues.idempotency import IdempotencyKey
from web.batch_submission import BatchSubmission
from web.capacity_watch import CapacityWatch
from web.corrections import failed_rows, read_corrected
from web.submission import Submitted


class _Hashed:
    """Pieces, whose hash is known once they have been read."""

    def __init__(self, pieces: Iterable[bytes]) -> None:
        self._pieces = pieces
        self.hash = hashlib.sha256()

    def __iter__(self) -> Iterator[bytes]:
        for piece in self._pieces:
            self.hash.update(piece)
            yield piece


class BatchRetrying:
    def __init__(
        self,
        submission: BatchSubmission,
        retries: BatchRetries,
        watch: CapacityWatch,
        new_id: Callable[[str], str] = ids.new_id,
    ) -> None:
        self._submission = submission
        self._retries = retries
        self._capacity_watch = watch
        self._new_id = new_id

    def retry(
        self, job_id: str, owner: str, pieces: Iterable[bytes], corrected: bool, key: str | None
    ) -> Submitted[BatchRecord]:
        """Returns once the new batch is recorded and queued, or that of an earlier request with the key.

        With `corrected`, the pieces are an errors file with corrected rows. Raises UnknownJob, ExpiredJob,
        NotRetryable, JobConflict, InvalidTable, and what the stores raise.
        """
        old = self._submission.read(job_id, owner)
        if not self._capacity_watch.accepting:
            raise self._capacity_watch.set_retry_after(QueueFull())
        new_id, sent = self._new_id(ids.BATCH), _Hashed(pieces)
        digest = IdempotencyKey.of(f"{path_of(job_id)}/retry", key, b"").key if key is not None else b""
        with self._submission.once(owner, digest, new_id) as known:
            if known:
                for _ in sent:
                    pass
                if sent.hash.digest()[:16] != known.body:
                    raise IdempotencyKeyReused
                return Submitted(self._submission.replayed(known.id), replayed=True)
            with self._submission.removed_on_error(new_id):
                rows = self._corrected(old, sent) if corrected else None
                batch = self._retries.prepare(old, new_id, None, rows)
            if digest:
                batch = batch.with_key(IdempotencyKey(digest, sent.hash.digest()[:16]))
            accepted = self._submission.accept(batch)
        return Submitted(self._submission.replayed(accepted), replayed=accepted != new_id)

    def _corrected(self, old: BatchRecord, sent: Iterable[bytes]) -> Iterator[CorrectedRow]:
        errors = output_of(old.id, old.options, "errors")
        files = files_at(errors.store) if errors.store else self._submission.files
        try:
            yield from read_corrected(sent, failed_rows(files.pieces(errors.name)))
        except FileMissing:
            raise NotRetryable("this batch has no errors; there is nothing to correct") from None
