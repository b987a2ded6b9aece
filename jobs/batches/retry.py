"""Tries a batch again: a new batch that keeps what was scored, and scores the rows that failed."""

from dataclasses import replace

from jobs import ids
from jobs.batches.record import BatchRecord, NewBatch, output_of, source_of
from jobs.batches.status import BatchStatus
from jobs.batches.store import BatchStore
from jobs.errors import FileMissing, NotRetryable
from jobs.files.location import files_of_caller
from jobs.files.store import FileStore
from jobs.queues.idempotency import IdempotencyKey

RETRYABLE = frozenset({BatchStatus.FAILED, BatchStatus.PARTIALLY_SUCCEEDED})


class BatchRetries:
    """Raises StoreUnavailable and FilesUnavailable."""

    def __init__(self, store: BatchStore, files: FileStore) -> None:
        self.store = store
        self._files = files

    def retry(self, job_id: str) -> tuple[str, list[str]]:
        """Adds a new batch for one that failed, once. Returns its id and the wake-ups to send.

        Raises NotRetryable, and what refuses a new batch.
        """
        [failed] = self.store.read([job_id])
        if not isinstance(failed, BatchRecord):
            raise NotRetryable(f"there is no batch {job_id}")
        new_id, key = ids.new_id(ids.BATCH), IdempotencyKey.of("retry", job_id, b"")
        if known := self.store.reserve_key(failed.owner, key.key, new_id):
            if not known.id:
                raise NotRetryable("this batch is being tried again at this moment")
            return known.id, []
        try:
            added = self.store.add(self.prepare(failed, new_id).with_key(key))
        except BaseException:
            self.store.release_key(failed.owner, key.key, new_id)
            raise
        return (added, []) if isinstance(added, str) else (new_id, added)

    def prepare(self, old: BatchRecord, new_id: str, corrected: bool = False) -> NewBatch:
        """The new batch, which reads the files of the old one and copies none.

        It keeps all that was scored, if the old one was planned. Raises NotRetryable.
        """
        if old.status not in RETRYABLE:
            raise NotRetryable(
                f"only a batch that failed or has failed rows can be tried again; this one is {old.status}"
            )
        chunks, done = self.store.read_plan(old.id)
        is_planned = old.total is not None and bool(chunks)
        all_done, version = is_planned and len(done) == len(chunks), old.options.version
        if corrected:
            self._check_corrigible(old, all_done)
        elif old.options.files and all_done and not old.failed:
            raise NotRetryable("no row failed; the manifest has the files that did, post them again")
        elif not is_planned:
            version = self._input_version(old)
        input_from = old.options.input_from or old.id
        is_read = is_planned or not old.options.source or bool(old.options.files)
        return NewBatch(
            id=new_id,
            model=old.model,
            sha256=old.sha256,
            owner=old.owner,
            options=replace(
                old.options,
                input_from=input_from if is_read else "",
                kept_from=old.id if is_planned else "",
                version=version,
            ),
            size=old.size,
            metadata=old.metadata,
            webhook=old.webhook,
            retry_of=old.id,
            reads=tuple({input_from, old.id}) if is_read else (),
            corrected=corrected,
        )

    def _input_version(self, old: BatchRecord) -> str:
        """The version of an input that a caller named; several files are read as they were listed."""
        if old.options.files:
            return ""
        source = source_of(old.id, old.options)
        try:
            if source.folder:
                files = files_of_caller(source.folder, source.name, self.store.s3_allow)
                return files.size_and_version(source.name)[1]
            self._files.size(source.name)
        except FileMissing:
            raise NotRetryable("the input of this batch is gone; post it again") from None
        return ""

    def _check_corrigible(self, old: BatchRecord, all_done: bool) -> None:
        if not all_done:
            raise NotRetryable("rows of this batch were never scored; try it again without corrected rows")
        if old.options.files:
            raise NotRetryable("rows of several files cannot be corrected; post a corrected file instead")
        if old.options.include_inputs:
            raise NotRetryable("the results of this batch include its inputs; post a corrected file instead")
        errors = output_of(old.id, old.options, "errors")
        files = (
            files_of_caller(errors.folder, errors.name, self.store.s3_allow) if errors.folder else self._files
        )
        try:
            files.size(errors.name)
        except FileMissing:
            raise NotRetryable("this batch has no errors; there is nothing to correct") from None
