"""Whatever consumers, callers and the sweeper do: no task is lost, and each chunk counts once."""

from dataclasses import replace
from typing import Any, cast

import pytest
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from hypothesis.stateful import invariant, precondition, rule

from jobs import ids
from jobs.batches.consumer import BatchConsumer, ExpiredBatch
from jobs.batches.inputs import JoinedFile
from jobs.batches.record import BatchOptions, BatchRecord, NewBatch
from jobs.batches.retry import RETRYABLE, BatchRetries
from jobs.batches.status import BatchStatus
from jobs.batches.store import BatchStore
from jobs.batches.tasks import CORRECT, JOIN, PLAN, PREVIEW, BatchTask, ChunkDone
from jobs.errors import NotRetryable
from jobs.files.store import FileStore
from jobs.files.tables import Format
from jobs.queues.idempotency import IdempotencyKey
from jobs.queues.names import BATCHES, GROUP
from jobs.queues.queue import Entry
from jobs.settings import Settings
from tests.unit.conftest import SHA, living
from tests.unit.jobs.batches.conftest import FILES, checkpoint, of_file
from tests.unit.jobs.life import JobLife

pytestmark = pytest.mark.timeout(600)

CONSUMERS = st.sampled_from(["anna", "ben", "cleo"])
OWNERS = ("ada", "bob", "cleo")
PLANNED_ROWS = 10
ERROR = b'{"type":"invalid_table"}'
BODY = b"years\n1\n"
STARTED = (BatchStatus.QUEUED, BatchStatus.RUNNING)
NOT_CHUNKS = (PLAN, PREVIEW, CORRECT, JOIN)


class AllFiles:
    """Every file is there, and has a byte."""

    def size(self, name: str) -> int:
        return 1


class BatchLife(JobLife):
    """A consumer is lost by never completing its task; a slow one completes what others have by now."""

    def __init__(self) -> None:
        super().__init__()
        settings = Settings(attempts=1)
        self.store = BatchStore(self.redis, settings)
        self.consumer = BatchConsumer(self.redis, settings)
        self.retries = BatchRetries(self.store, cast(FileStore, AllFiles()))
        self.batches: list[NewBatch] = []
        self.tasks: list[tuple[str, BatchTask]] = []
        self.read: list[tuple[str, Entry]] = []
        self.seen: dict[str, BatchRecord] = {}
        self.counted: dict[tuple[str, str], ChunkDone] = {}

    # Callers

    @rule(
        owner=st.sampled_from(OWNERS),
        dry_run=st.booleans(),
        within=st.sampled_from([None, None, 4, 20]),
        keyed=st.booleans(),
        files=st.sampled_from([0, FILES]),
    )
    def add(self, owner: str, dry_run: bool, within: int | None, keyed: bool, files: int = 0) -> None:
        batch = new_batch(owner, dry_run, within, files)
        if keyed:
            key = IdempotencyKey.of("/v1/batches", batch.id, BODY)
            batch = replace(batch, idempotency=key)
            assert self.store.reserve_key(owner, key.key, batch.id) is None
            assert self.store.reserve_key(owner, key.key, "batch_other") == ("", b"")
        self.batches.append(batch)
        self.store.add(batch)

    @rule(owner=st.sampled_from(OWNERS))
    def flood(self, owner: str) -> None:
        for _ in range(4):
            self.add(owner, dry_run=False, within=None, keyed=False)

    @precondition(lambda self: self.retryable())
    @rule(data=st.data(), corrected=st.booleans())
    def retry(self, data: st.DataObject, corrected: bool) -> None:
        failed = data.draw(st.sampled_from(self.retryable()))
        try:
            batch = self.retries.prepare(failed, ids.new_id(ids.BATCH), corrected)
        except NotRetryable:
            return
        self.batches.append(batch)
        self.store.add(batch)

    @precondition(lambda self: self.batches)
    @rule(data=st.data())
    def add_again(self, data: st.DataObject) -> None:
        self.store.add(data.draw(st.sampled_from(self.batches)))

    @precondition(lambda self: self.batches)
    @rule(data=st.data())
    def cancel(self, data: st.DataObject) -> None:
        job_id = data.draw(st.sampled_from(self.batches)).id
        before = self.record(job_id).status
        after = self.store.cancel(job_id)
        assert after is self.record(job_id).status
        if before in (BatchStatus.VALIDATING, BatchStatus.QUEUED, BatchStatus.FINALIZING):
            assert after is BatchStatus.CANCELED
        else:
            assert after is (BatchStatus.CANCELING if before is BatchStatus.RUNNING else before)

    @precondition(lambda self: self.batches)
    @rule(data=st.data())
    def delete(self, data: st.DataObject) -> None:
        batch = data.draw(st.sampled_from(self.batches))
        before = self.record(batch.id).status
        assert self.store.delete(batch.id) is before
        if before.ended:
            self.batches.remove(batch)
            if batch.idempotency:
                assert self.store.reserve_key(batch.owner, batch.idempotency.key, batch.id) is None

    # Consumers

    @rule(consumer=CONSUMERS)
    def claim(self, consumer: str) -> None:
        self.hold(consumer, self.consumer.claim(consumer, "wake_up"))

    @rule(consumer=CONSUMERS)
    def wait(self, consumer: str) -> None:
        if entry := self.consumer.wait(consumer, 1):
            self.read.append((consumer, entry))

    @precondition(lambda self: self.read)
    @rule(data=st.data())
    def claim_what_was_read(self, data: st.DataObject) -> None:
        consumer, entry = data.draw(st.sampled_from(self.read))
        self.hold(consumer, self.consumer.claim(consumer, "wake_up", entry))

    @precondition(lambda self: self.held(PLAN))
    @rule(data=st.data(), chunks=st.integers(0, 4), over=st.sampled_from(["", "slot", "plan"]))
    def plan(self, data: st.DataObject, chunks: int, over: str) -> None:
        task = data.draw(st.sampled_from(self.held(PLAN)))
        least = 0 if over != "plan" or task.chunks or task.options.files else 1
        self.plan_into(task, max(chunks, least), over)

    @precondition(lambda self: self.held(CORRECT))
    @rule(data=st.data())
    def correct(self, data: st.DataObject) -> None:
        self.consumer.corrected(data.draw(st.sampled_from(self.held(CORRECT))))

    @precondition(lambda self: self.held("chunk"))
    @rule(data=st.data(), rows=st.integers(1, 12))
    def score(self, data: st.DataObject, rows: int) -> None:
        failed = data.draw(st.integers(0, rows))
        self.complete_chunk(data.draw(st.sampled_from(self.held("chunk"))), rows, failed)

    @precondition(lambda self: self.held("chunk"))
    @rule(data=st.data(), last=st.booleans())
    def fail_a_chunk(self, data: st.DataObject, last: bool) -> None:
        self.consumer.fail(data.draw(st.sampled_from(self.held("chunk"))), ERROR, last)

    @precondition(lambda self: self.held("chunk"))
    @rule(data=st.data(), rows=st.sampled_from([None, range(5), range(5, 6)]))
    def note_slice(self, data: st.DataObject, rows: range | None) -> None:
        self.consumer.note_slice(data.draw(st.sampled_from(self.held("chunk"))), rows)

    @precondition(lambda self: self.held(JOIN))
    @rule(data=st.data())
    def join_a_part(self, data: st.DataObject) -> None:
        task = data.draw(st.sampled_from(self.held(JOIN)))
        joined = dict.fromkeys(task.files, JoinedFile(7, "tag"))
        self.consumer.joined(task, b"{}", joined)

    @precondition(lambda self: self.held(JOIN))
    @rule(data=st.data())
    def find_a_part_damaged(self, data: st.DataObject) -> None:
        task = data.draw(st.sampled_from(self.held(JOIN)))
        chunk = data.draw(st.integers(0, 3))
        before = self.record(task.id) if task.id in {batch.id for batch in self.batches} else None
        self.consumer.redo(task, [chunk], ERROR)
        if before and self.record(task.id).rows < before.rows:
            del self.counted[task.id, str(chunk)]
            del self.seen[task.id]

    @precondition(lambda self: self.held(*NOT_CHUNKS, "chunk"))
    @rule(data=st.data(), reason=st.sampled_from(["files_unavailable", "not_finished"]))
    def put_off(self, data: st.DataObject, reason: str) -> None:
        self.consumer.put_off(data.draw(st.sampled_from(self.held(*NOT_CHUNKS, "chunk"))), reason)

    @rule(consumer=CONSUMERS)
    def lose_an_answer(self, consumer: str) -> None:
        self.consumer.release_claims(consumer)

    @precondition(lambda self: self.held(PREVIEW, JOIN))
    @rule(data=st.data())
    def finish(self, data: st.DataObject) -> None:
        self.end(data.draw(st.sampled_from(self.held(PREVIEW, JOIN))), BatchStatus.SUCCEEDED)

    @precondition(lambda self: self.held(*NOT_CHUNKS))
    @rule(data=st.data())
    def fail(self, data: st.DataObject) -> None:
        self.end(data.draw(st.sampled_from(self.held(*NOT_CHUNKS))), BatchStatus.FAILED, ERROR)

    @precondition(lambda self: self.held(*NOT_CHUNKS, "chunk"))
    @rule(data=st.data())
    def release(self, data: st.DataObject) -> None:
        self.consumer.release(data.draw(st.sampled_from(self.held(*NOT_CHUNKS, "chunk"))))

    @precondition(lambda self: self.tasks)
    @rule(data=st.data())
    def renew(self, data: st.DataObject) -> None:
        consumer, task = data.draw(st.sampled_from(self.tasks))
        status = self.consumer.renew(consumer, "wake_up", task).status
        assert status in (None, *(record.status for record in self.records() if record.id == task.id))

    @rule(consumer=CONSUMERS)
    def say_alive(self, consumer: str) -> None:
        self.consumer.report_alive(living(consumer))

    @rule(seconds=st.sampled_from([1, 5, 16]))
    def sweep(self, seconds: float) -> None:
        self.clock.forward(seconds)
        for expired in self.consumer.sweep(most_wake_ups=1).removable:
            batch = ExpiredBatch.read(expired)
            assert batch
            assert batch.id not in {batch.id for batch in self.batches}
            self.consumer.files_removed(expired)

    # What holds after every step

    @invariant()
    def everything_holds(self) -> None:
        records = self.records()
        self.counts_grow_up_to_the_total_until_the_end(records)
        self.each_chunk_that_is_done_counts_once(records)
        self.no_task_of_an_open_batch_is_lost(records)
        self.open_batches_and_their_chunks_are_counted(records)
        self.tasks_that_wait_behind_are_counted()
        self.an_ended_batch_leaves_its_record_only(records)
        self.each_file_that_failed_counts_once(records)

    @invariant()
    def an_owner_lists_all_batches_but_dry_runs(self) -> None:
        records = [record for record in self.records()[::-1] if not record.options.dry_run]
        for owner in OWNERS:
            expected = [record for record in records if record.owner == owner]
            assert self.store.list_jobs(owner, None, None, 100) == (expected, None)

    def counts_grow_up_to_the_total_until_the_end(self, records: list[BatchRecord]) -> None:
        for record in records:
            before = self.seen.get(record.id, record)
            assert record == before or not before.status.ended
            assert record.rows >= before.rows
            assert record.failed >= before.failed
            assert record.failed <= record.rows
            assert record.total is None or record.rows <= record.total
            self.seen[record.id] = record

    def each_chunk_that_is_done_counts_once(self, records: list[BatchRecord]) -> None:
        for record in records:
            done = [each for (job_id, _), each in self.counted.items() if job_id == record.id]
            assert record.rows == sum(each.rows for each in done)
            assert record.failed == sum(each.failed for each in done)

    def each_file_that_failed_counts_once(self, records: list[BatchRecord]) -> None:
        for record in records:
            if not record.status.ended:
                assert record.failed_files == self.redis.hlen(f"job:{record.id}:file_errors")
            assert record.failed_files <= record.options.files

    def no_task_of_an_open_batch_is_lost(self, records: list[BatchRecord]) -> None:
        queued, corrected = self.queued(), {batch.id for batch in self.batches if batch.corrected}
        for record in records:
            tasks = {task for job_id, task in queued if job_id == record.id}
            out = {number.decode() for number in self.members(f"job:{record.id}:in_queue")}
            if record.status is BatchStatus.VALIDATING:
                first = CORRECT if record.id in corrected else PLAN
                assert tasks == {PREVIEW if record.options.dry_run else first}
            elif record.status in STARTED:
                assert out or PLAN in tasks
                assert out <= tasks
                assert PLAN in tasks or record.total is not None or self.is_cut_short(record.id)
            elif record.status is BatchStatus.CANCELING:
                assert out <= tasks if out else JOIN in tasks
            elif record.status is BatchStatus.FINALIZING:
                assert JOIN in tasks

    def open_batches_and_their_chunks_are_counted(self, records: list[BatchRecord]) -> None:
        unfinished = {record.id for record in records if not record.status.ended}
        assert {job_id.decode() for job_id in self.members("batches:open")} == unfinished
        of_owners: Any = [self.redis.zrange(f"batches:open:{owner}", 0, -1) for owner in OWNERS]
        assert {job_id.decode() for of_owner in of_owners for job_id in of_owner} == unfinished
        assert int(self.redis.get("batches:unqueued") or 0) == sum(map(self.unqueued, unfinished))

    def tasks_that_wait_behind_are_counted(self) -> None:
        behind = {owner for owner in OWNERS if self.redis.exists(own_stream(owner))}
        with_turns: Any = self.redis.zrange("queue:batches:turns", 0, -1)
        assert {owner.decode() for owner in with_turns} == behind
        waiting = sum(self.redis.xlen(own_stream(owner)) for owner in behind)
        assert int(self.redis.get("queue:batches:behind") or 0) == waiting

    def an_ended_batch_leaves_its_record_only(self, records: list[BatchRecord]) -> None:
        """And, as long as the record, what a retry needs."""
        unfinished = {record.id for record in records if not record.status.ended}
        retryable = {record.id for record in records if record.status in RETRYABLE}
        for key in self.redis.scan_iter("job:*:*"):
            _, job_id, name = key.decode().split(":")
            kept = job_id in retryable and name in ("plan", "done", "files") and self.redis.pttl(key) > 0
            assert job_id in unfinished or kept

    def everything_ends_when_all_consumers_are_alive(self) -> None:
        for _ in range(3):
            self.sweep(16)
            self.everything_holds()
            while task := self.consumer.claim("anna", "wake_up"):
                self.complete(task)
                self.everything_holds()
        assert all(record.status.ended for record in self.records())
        self.sweep(16)
        assert self.redis.xlen(BATCHES.stream) == 0
        assert self.redis.xpending(BATCHES.stream, GROUP)["pending"] == 0
        assert not self.redis.exists(
            BATCHES.rows, "batches:unqueued", "batches:open", "queue:batches:deadlines"
        )

    # How consumers work

    def hold(self, consumer: str, task: BatchTask | None) -> None:
        if task:
            self.tasks.append((consumer, task))

    def held(self, *names: str) -> list[BatchTask]:
        """Tasks that a consumer has claimed at some time, by name; "chunk" stands for every chunk."""
        return [task for _, task in self.tasks if ("chunk" if task.chunk else task.task) in names]

    def complete(self, task: BatchTask) -> None:
        if task.task == PLAN:
            self.plan_into(task, chunks=2, over="plan")
        elif task.task == CORRECT:
            self.consumer.corrected(task)
        elif task.chunk:
            self.complete_chunk(task, rows=10, failed=1)
        else:
            self.end(task, BatchStatus.SUCCEEDED)

    def plan_into(self, task: BatchTask, chunks: int, over: str) -> None:
        planned = checkpoint(chunks, task.chunks, over, position="7")
        self.consumer.planned(task, of_file(planned) if task.options.files else planned)

    def complete_chunk(self, task: BatchTask, rows: int, failed: int) -> None:
        done = ChunkDone(rows, failed, size=70, errors_size=7, expected=PLANNED_ROWS, bytes=5)
        if self.consumer.done(task, done):
            assert (task.id, task.task) not in self.counted
            self.counted[task.id, task.task] = done

    def end(self, task: BatchTask, status: BatchStatus, error: bytes = b"") -> None:
        ended = self.consumer.finish(task, status, error)
        if ended:
            assert self.record(task.id).status is ended

    # What there is

    def record(self, job_id: str) -> BatchRecord:
        [record] = self.store.read([job_id])
        assert isinstance(record, BatchRecord)
        return record

    def retryable(self) -> list[BatchRecord]:
        records = self.records()
        return [each for each in records if each.status in RETRYABLE and not each.options.dry_run]

    def records(self) -> list[BatchRecord]:
        records = self.store.read([batch.id for batch in self.batches])
        return [record for record in records if isinstance(record, BatchRecord)]

    def queued(self) -> set[tuple[str, str]]:
        """The job and the task of each entry, claimed or not."""
        streams = (BATCHES.stream, *map(own_stream, OWNERS))
        found: Any = [self.redis.xrange(stream) for stream in streams]
        entries = [entry for some in found for entry in some]
        return {(fields[b"id"].decode(), fields[b"task"].decode()) for _, fields in entries}

    def members(self, key: str) -> set[bytes]:
        found: Any = self.redis.smembers(key)
        return set(found)

    def is_cut_short(self, job_id: str) -> bool:
        return bool(self.redis.hget(f"job:{job_id}", "planning") == b"cut short")

    def unqueued(self, job_id: str) -> int:
        chunks, next_chunk = self.redis.hmget(f"job:{job_id}", "chunks", "next")
        return int(chunks or 0) - int(next_chunk or 0)


def own_stream(owner: str) -> str:
    return f"queue:batches:of:{owner}"


def new_batch(owner: str, dry_run: bool, within: int | None, files: int) -> NewBatch:
    return NewBatch(
        ids.new_id(ids.BATCH),
        "salary@1",
        SHA,
        owner,
        BatchOptions(Format.CSV, Format.CSV, dry_run=dry_run, files=files),
        size=100,
        start_within_ms=None if within is None else within * 1000,
    )


TestBatchLife = BatchLife.TestCase
TestBatchLife.settings = hypothesis_settings(
    max_examples=hypothesis_settings().max_examples // 8, stateful_step_count=40
)
