"""Tries a batch that failed again: a new batch with the same input and options."""

from jobs import ids
from jobs.batches.record import BatchOptions, BatchRecord, NewBatch, source_of
from jobs.batches.status import BatchStatus
from jobs.batches.store import BatchStore
from jobs.errors import FileMissing, NotRetryable
from jobs.files.store import FileStore
from jobs.queues.idempotency import IdempotencyKey


class BatchRetries:
    """Raises StoreUnavailable and FilesUnavailable."""

    def __init__(self, store: BatchStore, files: FileStore) -> None:
        self.store = store
        self._files = files

    def retry(self, job_id: str) -> tuple[str, list[str]]:
        """Adds the new batch, once. Returns its id and the wake-ups to send.

        Raises NotRetryable, and what refuses a new batch.
        """
        [failed] = self.store.read([job_id])
        if not isinstance(failed, BatchRecord):
            raise NotRetryable(f"there is no batch {job_id}")
        if failed.status is not BatchStatus.FAILED:
            raise NotRetryable(f"only a batch that failed can be tried again; this one is {failed.status}")
        new_id, key = ids.new_id(ids.BATCH), IdempotencyKey.of("retry", job_id, b"")
        if known := self.store.reserve_key(failed.owner, key.key, new_id):
            if not known.id:
                raise NotRetryable("this batch is being tried again at this moment")
            return known.id, []
        try:
            self._copy_input(failed.options, job_id, new_id)
            added = self.store.add(_again(failed, new_id, key))
        except BaseException:
            self.store.release_key(failed.owner, key.key, new_id)
            raise
        return (added, []) if isinstance(added, str) else (new_id, added)

    def _copy_input(self, options: BatchOptions, job_id: str, new_id: str) -> None:
        if options.source:
            return
        name = source_of(job_id, options).name
        try:
            with self._files.create(source_of(new_id, options).name) as copy:
                for piece in self._files.pieces(name):
                    copy.write(piece)
        except FileMissing:
            raise NotRetryable("the input of this batch is gone") from None


def _again(failed: BatchRecord, new_id: str, key: IdempotencyKey) -> NewBatch:
    return NewBatch(
        id=new_id,
        model=failed.model,
        sha256=failed.sha256,
        owner=failed.owner,
        options=failed.options,
        size=failed.size,
        metadata=failed.metadata,
        idempotency=key,
        webhook=failed.webhook,
        retry_of=failed.id,
    )
