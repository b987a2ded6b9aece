"""Tries a batch again: a new batch that keeps what was scored, and scores the rows that failed."""

import time
from bisect import bisect_right
from collections.abc import Iterable, Sequence
from dataclasses import replace
from itertools import accumulate, groupby
from typing import NamedTuple

from jobs import ids
from jobs.batches.consumer import ChunkDone
from jobs.batches.record import BatchOptions, BatchRecord, NewBatch, corrected_of, source_of
from jobs.batches.status import BatchStatus
from jobs.batches.store import BatchStore
from jobs.errors import FileMissing, NotRetryable
from jobs.files.store import FileStore
from jobs.queues.idempotency import IdempotencyKey

RETRYABLE = frozenset({BatchStatus.FAILED, BatchStatus.PARTIALLY_SUCCEEDED})


class CorrectedRow(NamedTuple):
    """The number of a row in the table, and its features as a JSON object."""

    row: int
    input: bytes


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
            added = self.store.add(self.prepare(failed, new_id, key))
        except BaseException:
            self.store.release_key(failed.owner, key.key, new_id)
            raise
        return (added, []) if isinstance(added, str) else (new_id, added)

    def prepare(
        self,
        old: BatchRecord,
        new_id: str,
        key: IdempotencyKey | None,
        corrected: Iterable[CorrectedRow] | None = None,
    ) -> NewBatch:
        """The new batch, whose files are there. It keeps all that was scored, if the old one was planned.

        `corrected` are in order. Raises NotRetryable, and what reading them raises.
        """
        if old.status not in RETRYABLE:
            raise NotRetryable(
                f"only a batch that failed or has failed rows can be tried again; this one is {old.status}"
            )
        chunks, done = self.store.read_plan(old.id)
        options = replace(old.options, input_from="", kept_from="")
        reads: tuple[str, ...] = ()
        if old.total is not None and chunks:
            options = replace(options, input_from=old.options.input_from or old.id, kept_from=old.id)
            reads = tuple({options.input_from, old.id})
        elif corrected is None:
            self._copy_input(old.options, old.id, new_id)
        if corrected is not None:
            self._write_corrected(old, new_id, len(chunks), done, corrected)
        return _again(old, new_id, options, key, reads)

    def _copy_input(self, options: BatchOptions, job_id: str, new_id: str) -> None:
        if options.source:
            return
        try:
            with self._files.create(
                source_of(new_id, BatchOptions(options.input, options.results)).name
            ) as copy:
                for piece in self._files.pieces(source_of(job_id, options).name):
                    copy.write(piece)
                    time.sleep(0)  # in web, other requests go on meanwhile
        except FileMissing:
            raise NotRetryable("the input of this batch is gone; post it again") from None

    def _write_corrected(
        self,
        old: BatchRecord,
        new_id: str,
        chunks: int,
        done: dict[int, ChunkDone],
        corrected: Iterable[CorrectedRow],
    ) -> None:
        if not chunks or len(done) < chunks:
            raise NotRetryable("rows of this batch were never scored; try it again without corrected rows")
        if old.options.include_inputs:
            raise NotRetryable("the results of this batch include its inputs; post a corrected file instead")
        firsts = _firsts([done[number].rows for number in range(chunks)])
        for chunk, rows in groupby(corrected, lambda each: bisect_right(firsts, each.row) - 1):
            with self._files.create(corrected_of(new_id, chunk)) as file:
                for each in rows:
                    file.write(b'{"row":%d,"input":%b}\n' % (each.row - firsts[chunk], each.input))


def _firsts(rows: Sequence[int]) -> list[int]:
    """The number of the first row of each chunk."""
    return [0, *accumulate(rows)][:-1]


def _again(
    old: BatchRecord, new_id: str, options: BatchOptions, key: IdempotencyKey | None, reads: tuple[str, ...]
) -> NewBatch:
    return NewBatch(
        id=new_id,
        model=old.model,
        sha256=old.sha256,
        owner=old.owner,
        options=options,
        size=old.size,
        metadata=old.metadata,
        idempotency=key,
        webhook=old.webhook,
        retry_of=old.id,
        reads=reads,
    )
