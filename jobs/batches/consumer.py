"""The queue of batches as workers see it: claim a task, renew its lease, record its result."""

import logging
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple
from uuid import uuid4

import orjson
from redis import Redis

from jobs import ids
from jobs.batches.inputs import JoinedFile
from jobs.batches.status import BatchStatus
from jobs.batches.tasks import BatchTask, ChunkDone, with_file
from jobs.ids import trace_fields
from jobs.queues.connection import store_errors
from jobs.queues.names import BATCHES, PREDICTIONS
from jobs.queues.queue import NO_ENTRY, Entry, QueueConsumer, SendWakeUp, try_wake_up
from jobs.queues.script_calls import Script, decode_all
from jobs.settings import Settings

log = logging.getLogger(__name__)

LOST_PER_ATTEMPT = 3
"""A chunk takes seconds, so it is often lost with a worker that dies for a reason unrelated to the chunk."""

MOST_REDONE = 3
"""So often a chunk is scored again because its part was damaged."""

WORKER_LOST = orjson.dumps(
    {"type": "worker_lost", "detail": "every worker that claimed a part of this batch was lost"}
)


class PlanCheckpoint(NamedTuple):
    """A checkpoint of planning: the next chunks, with rows and bytes, and the position from which to go on.

    `first` is the number of the first of them. `over` is "plan" at the last one, "slot" if other tasks of
    the queue come before the next one, and empty if this consumer goes on. Of several files, `file` is the
    number of the one with these chunks, and `file_planned` what was found of it.
    """

    first: int
    layout: bytes
    chunks: Sequence[str]
    rows: int
    bytes: int
    position: str
    over: str
    file: int | None = None
    file_planned: str = ""


class PutOff(NamedTuple):
    """How often a task was put off for one reason since its last checkpoint, and for how long so far."""

    times: int
    seconds: float


class Renewed(NamedTuple):
    """The status is None if another consumer has the task by now, or the batch was deleted."""

    status: BatchStatus | None
    beside_predictions: bool
    """Whether workers are scoring predictions."""


class BatchSweep(NamedTuple):
    requeued: int
    given_up: int
    unreadable: int
    wake_ups: list[str]
    removable: list[bytes]
    """Batches whose files are to be removed, as `ExpiredBatch.read` takes them."""


class ExpiredBatch(NamedTuple):
    id: str
    owner: str

    @classmethod
    def read(cls, expired: bytes) -> "ExpiredBatch | None":
        """None for what names no batch: Redis is not trusted with the names of folders."""
        job_id, _, owner = expired.decode(errors="replace").partition(" ")
        return cls(job_id, owner) if ids.is_id(job_id, ids.BATCH) else None


class BatchConsumer(QueueConsumer):
    """Every method raises StoreUnavailable if Redis does not answer in time.

    One that adds tasks to the queue sends the wake-ups for them, if it is told how.
    """

    def __init__(self, redis: Redis, settings: Settings, send_wake_up: SendWakeUp | None = None) -> None:
        super().__init__(redis, settings, BATCHES)
        self._send_wake_up = send_wake_up
        self._most_wake_ups = settings.batch_children if send_wake_up else 0
        self._renew = Script(redis, "batches/renew")
        self._planned = Script(redis, "batches/planned")
        self._corrected = Script(redis, "batches/corrected")
        self._done = Script(redis, "batches/done")
        self._fail = Script(redis, "batches/fail")
        self._finish = Script(redis, "batches/finish")
        self._joined = Script(redis, "batches/joined")
        self._redo = Script(redis, "batches/redo")
        self._put_off = Script(redis, "batches/put_off")
        self._release = Script(redis, "batches/release")
        self._release_claims = Script(redis, "batches/release_claims")
        self._note_slice = Script(redis, "batches/note_slice")
        self._files_removed = Script(redis, "batches/files_removed")

    def claim(
        self, consumer: str, wake_up: str, entry: Entry = NO_ENTRY, last: bool = False
    ) -> BatchTask | None:
        """`entry` is what `wait` returned. With `last`, a queue that is empty withdraws the wake-up."""
        claimed = self._claim(
            queue=self.queue.name,
            consumer=consumer,
            wake_up_name=wake_up,
            retention_ms=self._retention_ms,
            entry=entry.id,
            entry_id=entry.job_id,
            entry_task=entry.detail,
            last="1" if last else "",
        )
        try:
            return BatchTask.decode(claimed[0]) if claimed else None
        except Exception:  # Redis is not trusted
            self.give_up(self.queue.stream, claimed[0].entry, claimed[0].id)
            return None

    def renew(self, consumer: str, wake_up: str, task: BatchTask) -> Renewed:
        """Starts the lease anew, and reads the status of the batch."""
        status, busy = self._renew(
            queue=self.queue.name,
            consumer=consumer,
            wake_up_name=wake_up,
            entry=task.entry,
            id=task.id,
            beside=PREDICTIONS.name,
        )
        return Renewed(BatchStatus(status.decode()) if status else None, bool(busy))

    def planned(self, task: BatchTask, checkpoint: PlanCheckpoint) -> bool:
        """Records a checkpoint of planning. Returns whether it was recorded.

        One that was recorded before, by this consumer or another, changes nothing.
        """
        reply = self._planned(
            [(with_file(checkpoint.file, chunk),) for chunk in checkpoint.chunks],
            file="" if checkpoint.file is None else checkpoint.file,
            file_planned=checkpoint.file_planned,
            first=checkpoint.first,
            layout=checkpoint.layout,
            rows=checkpoint.rows,
            bytes=checkpoint.bytes,
            position=checkpoint.position,
            over=checkpoint.over,
            **self._adding(task),
        )
        self._wake_up(reply.wake_ups)
        return bool(reply.recorded)

    def corrected(self, task: BatchTask) -> bool:
        """Records that the corrected rows are sorted by chunk. Returns what `planned` returns."""
        reply = self._corrected(**self._adding(task))
        self._wake_up(reply.wake_ups)
        return bool(reply.recorded)

    def done(self, task: BatchTask, done: ChunkDone) -> bool:
        """Records that a chunk is done. Returns whether it is the first time."""
        reply = self._done(
            chunk=task.task,
            rows=done.rows,
            failed=done.failed,
            size=done.size,
            errors_size=done.errors_size,
            expected=done.expected,
            bytes=done.bytes,
            **self._adding(task),
        )
        self._wake_up(reply.wake_ups)
        return bool(reply.counts)

    def note_slice(self, task: BatchTask, rows: range | None) -> None:
        """Notes which rows of the chunk are scored now, in case this worker is lost; None for no rows."""
        text = f"{rows.start}:{rows.stop}" if rows else ""
        self._note_slice(entry=task.entry, id=task.id, chunk=task.task, slice=text)

    def fail(self, task: BatchTask, error: bytes, last: bool) -> None:
        """Records that a chunk cannot be scored. With `last`, no further chunk is added to the queue.

        When no chunk is being scored any more, the scored parts are joined, and the batch fails.
        """
        flag = "1" if last else ""
        self._wake_up(self._fail(chunk=task.task, error=error, last=flag, **self._adding(task)))

    def joined(self, task: BatchTask, position: bytes, files: Mapping[int, JoinedFile] | None = None) -> bool:
        """Records how far the parts are joined, and which files are joined since the last one.

        False if another consumer has the task by now.
        """
        joined = [(number, file.to_json()) for number, file in (files or {}).items()]
        return bool(self._joined(joined, entry=task.entry, id=task.id, position=position))

    def redo(self, task: BatchTask, chunks: Sequence[int], error: bytes) -> None:
        """Has chunks scored again whose parts are damaged, before the parts are joined.

        A chunk whose part was damaged MOST_REDONE times fails the batch with this error, and its rows are
        missing.
        """
        items = [(chunk,) for chunk in chunks]
        self._wake_up(self._redo(items, most=MOST_REDONE, error=error, **self._adding(task)))

    def put_off(self, task: BatchTask, reason: str) -> PutOff:
        """Leaves the task to whoever claims it once its lease is over; this claim does not count."""
        put_off = self._put_off(entry=task.entry, id=task.id, task=task.task, reason=reason)
        return PutOff(put_off.times, put_off.waited_ms / 1000)

    def finish(self, task: BatchTask, status: BatchStatus, error: bytes = b"") -> BatchStatus | None:
        """Ends the batch. Returns its final status; None if the task was stale or another consumer has it.

        A plan that FAILED while chunks are being scored ends the batch once these are done: None, too.
        """
        ended = self._finish(
            entry=task.entry,
            id=task.id,
            task=task.task,
            status=status,
            retention_ms=self._retention_ms,
            error=error,
        )
        if ended is None:
            return None
        final = BatchStatus(ended.status.decode())
        log.info("ended", extra=_line(task, final, ended))
        return final

    def release(self, task: BatchTask) -> None:
        """Returns the task to the queue, because this consumer does not go on with it."""
        self._release(entry=task.entry, id=task.id, task=task.task)

    def release_claims(self, consumer: str) -> None:
        """Returns to the queue what the consumer has claimed without knowing, as it got no answer."""
        self._release_claims(queue=self.queue.name, consumer=consumer)

    def sweep(self, most_wake_ups: int) -> BatchSweep:
        """Requeues tasks that were claimed longer ago than the lease. Only one worker sweeps at a time."""
        swept = self._sweep_queue(self._settings.attempts * LOST_PER_ATTEMPT, WORKER_LOST, most_wake_ups)
        return BatchSweep(
            swept.requeued, swept.given_up, swept.unreadable, decode_all(swept.wake_ups), swept.removable
        )

    def unknown(self, job_ids: Sequence[str]) -> list[str]:
        """The ids among these that have no record."""
        with store_errors():
            pipeline = self._redis.pipeline(transaction=False)
            for job_id in job_ids:
                pipeline.exists(f"job:{job_id}", f"batches:readers:{job_id}")
            return [job_id for job_id, known in zip(job_ids, pipeline.execute(), strict=True) if not known]

    def files_removed(self, expired: bytes) -> None:
        batch = ExpiredBatch.read(expired)
        self._files_removed(
            expired=expired, owner=batch.owner if batch else "", raw=ids.raw(batch.id) if batch else b""
        )

    def _adding(self, task: BatchTask) -> dict[str, Any]:
        """The arguments of every script that may add tasks."""
        return {
            "entry": task.entry,
            "id": task.id,
            "wake_up_name": uuid4().hex,
            "most_wake_ups": self._most_wake_ups,
        }

    def _wake_up(self, names: Sequence[bytes]) -> None:
        if self._send_wake_up:
            for name in decode_all(names):
                try_wake_up(self._send_wake_up, name)


def _line(task: BatchTask, status: BatchStatus, ended: Any) -> dict[str, Any]:
    """What the log says of a batch that has ended; one that ended before it was started did not run."""
    created, finished = ids.created_ms(task.id), int(ended.finished)
    started = int(ended.started or finished)
    return {
        "job_id": task.id,
        "owner": ended.owner.decode(),
        "model": task.model,
        "status": status,
        "rows": int(ended.rows),
        "failed": int(ended.failed),
        "waited_ms": max(started - created, 0),
        "ran_ms": max(finished - started, 0),
        **trace_fields((ended.traceparent or b"").decode()),
    }
