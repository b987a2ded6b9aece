"""Accepts retries of batches, with corrected rows or without. Knows nothing of HTTP."""

from collections.abc import Callable, Iterable

from jobs import ids
from jobs.batches.record import BatchRecord, corrections_of
from jobs.batches.resource import path_of
from jobs.batches.retry import BatchRetries
from jobs.errors import IdempotencyKeyReused, QueueFull
from jobs.queues.idempotency import IdempotencyKey
from web.batch_inputs import PostedFile
from web.batch_submission import BatchSubmission
from web.capacity_watch import CapacityWatch
from web.submission import Submitted


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

        With `corrected`, the pieces are lines of the errors with corrected rows; a worker reads them. Raises
        UnknownJob, ExpiredJob, QueueNotServed, NotRetryable, JobConflict, FileTooLong, and what the stores
        raise.
        """
        old = self._submission.read(job_id, owner)
        self._submission.check_served()
        if not self._capacity_watch.accepting:
            raise self._capacity_watch.set_retry_after(QueueFull())
        new_id, posted = self._new_id(ids.BATCH), PostedFile(b"", pieces, self._submission.max_file)
        digest = IdempotencyKey.of(f"{path_of(job_id)}/retry", key, b"").key if key is not None else b""
        with self._submission.reserve_key(owner, digest, new_id) as known:
            if known:
                posted.compute_hash()
                if posted.hash.digest()[:16] != known.body:
                    raise IdempotencyKeyReused
                return Submitted(self._submission.read_known(known.id), replayed=True)
            batch = self._retries.prepare(old, new_id, corrected)
            if corrected:
                with self._submission.admitted_file(new_id, owner):
                    posted.save(self._submission.files, corrections_of(new_id), hashed=bool(digest))
            if digest:
                batch = batch.with_key(IdempotencyKey(digest, posted.hash.digest()[:16]))
            accepted = self._submission.accept(batch)
        return Submitted(self._submission.read_known(accepted), replayed=accepted != new_id)
