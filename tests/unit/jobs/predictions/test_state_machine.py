"""Whatever consumers, callers and the sweeper do: no job is lost, and an ended job stays as it is."""

from typing import Any

import orjson
import pytest
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from hypothesis.stateful import invariant, precondition, rule
from pydantic import SecretStr
from redis import Redis

from jobs.predictions.consumer import Claim, PredictionConsumer
from jobs.predictions.record import NewPrediction, PredictionRecord, Row
from jobs.predictions.status import TRANSITIONS, PredictionStatus
from jobs.predictions.store import PredictionStore, queued_record
from jobs.queues.names import GROUP, PREDICTIONS
from jobs.queues.queue import Entry
from jobs.settings import Settings
from tests.unit.conftest import MANY, job, outputs_for, refusals, scored
from tests.unit.jobs.life import JobLife

pytestmark = pytest.mark.timeout(600)

STREAMS = PREDICTIONS.streams
DROPPED_WHEN_CLAIMED = (PredictionStatus.CANCELED, PredictionStatus.EXPIRED)
CONSUMERS = st.sampled_from(["anna", "ben", "cleo"])
OWNERS = ("ada", "bob", "cleo")
KEYED = Settings(api_keys=SecretStr("ada:" + "0" * 64))
ERROR = b'{"type":"model_unavailable"}'


class PredictionLife(JobLife):
    """A consumer is lost by never recording its claim; a slow one records a claim that is stale by then."""

    def __init__(self) -> None:
        super().__init__()
        self.store = PredictionStore(self.redis, KEYED)
        self.consumer = PredictionConsumer(self.redis, KEYED)
        self.jobs: list[NewPrediction] = []
        self.claims: list[Claim] = []
        self.read: list[tuple[str, Entry]] = []
        self.seen: dict[str, PredictionRecord] = {}

    @rule(
        owner=st.sampled_from(OWNERS),
        jobs=st.sampled_from([1, 1, 8]),
        rows=st.integers(1, 3),
        start_within=st.sampled_from([None, None, 4, 20]),
    )
    def add(self, owner: str, jobs: int, rows: int, start_within: int | None) -> None:
        number = len(self.jobs)
        inputs = [[float(number), float(row)] for row in range(rows)]
        for _ in range(jobs):
            self.clock.forward(0.001)  # the list is in the order of the milliseconds
            self.jobs.append(job(*inputs, owner=owner, start_within=start_within))
        assert refusals(self.store, self.jobs[-jobs:]) == [None] * jobs

    @precondition(lambda self: self.jobs)
    @rule(data=st.data())
    def add_again(self, data: st.DataObject) -> None:
        assert refusals(self.store, [data.draw(st.sampled_from(self.jobs))]) == [None]

    @rule(name=CONSUMERS, rows=st.integers(1, 5))
    def claim(self, name: str, rows: int) -> None:
        self.claims += self.consumer.claim(name, "wake_up", rows)

    @rule(name=CONSUMERS)
    def claim_what_comes_first(self, name: str) -> None:
        self.claims += self.consumer.claim_first(name)

    @rule(name=CONSUMERS)
    def wait(self, name: str) -> None:
        if entry := self.consumer.wait(name, 1):
            self.read.append((name, entry))

    @rule(name=CONSUMERS, alone=st.booleans())
    def wait_and_claim(self, name: str, alone: bool) -> None:
        self.claims += self.consumer.wait_and_claim(name, "wake_up", 2, alone, 1)

    @precondition(lambda self: self.read)
    @rule(data=st.data())
    def claim_what_was_read(self, data: st.DataObject) -> None:
        name, entry = self.read.pop(data.draw(st.integers(0, len(self.read) - 1)))
        self.claims += self.consumer.claim(name, "wake_up", 1, [entry])

    @precondition(lambda self: self.claims)
    @rule(data=st.data())
    def record(self, data: st.DataObject) -> None:
        chosen = data.draw(st.lists(st.sampled_from(self.claims), min_size=1, max_size=4))
        counting = {claim.id for claim in chosen if self.is_current(claim)}
        assert len(self.consumer.record([scored(claim) for claim in chosen])) == len(counting)

    @precondition(lambda self: self.claims)
    @rule(data=st.data())
    def release(self, data: st.DataObject) -> None:
        self.consumer.release([data.draw(st.sampled_from(self.claims))], ERROR)

    @precondition(lambda self: any(claim.row_by_row for claim in self.claims))
    @rule(data=st.data())
    def note_row(self, data: st.DataObject) -> None:
        claim = data.draw(st.sampled_from([claim for claim in self.claims if claim.row_by_row]))
        self.consumer.note_row(claim, data.draw(st.integers(0, len(claim.rows) - 1)))

    @rule(seconds=st.sampled_from([1, 5, 16]))
    def sweep(self, seconds: float) -> None:
        self.clock.forward(seconds)
        self.consumer.sweep(most_wake_ups=1)

    @precondition(lambda self: self.jobs)
    @rule(data=st.data())
    def cancel(self, data: st.DataObject) -> None:
        job_id = data.draw(st.sampled_from(self.jobs)).id
        before = self.record_of(job_id).status
        expected = PredictionStatus.CANCELED if before is PredictionStatus.QUEUED else before
        assert self.store.cancel(job_id) is self.record_of(job_id).status is expected

    @precondition(lambda self: self.jobs)
    @rule(data=st.data())
    def delete(self, data: st.DataObject) -> None:
        chosen = data.draw(st.sampled_from(self.jobs))
        before = self.record_of(chosen.id).status
        assert self.store.delete(chosen.id) is before
        if before.ended:
            self.jobs.remove(chosen)

    @invariant()
    def an_owner_lists_all_jobs(self) -> None:
        for owner in OWNERS:
            listed, more = self.store.list_jobs(owner, None, None, MANY)
            assert listed == [record for record in self.records()[::-1] if record.owner == owner]
            assert more is None

    @invariant()
    def each_job_follows_the_table_until_it_ends(self) -> None:
        for each, now in zip(self.jobs, self.records(), strict=True):
            before = self.seen.get(each.id, queued_record(each))
            assert now == before if before.status.ended else now.attempt >= before.attempt
            assert now.attempt == 0 or now.status is not PredictionStatus.EXPIRED
            assert now.status in TRANSITIONS[before.status] | {before.status}
            assert now.outputs == (
                outputs_for(rows_of(each)) if now.status is PredictionStatus.SUCCEEDED else None
            )
            self.seen[each.id] = now

    @invariant()
    def a_job_is_queued_once_until_it_ends(self) -> None:
        entries = [entry_id for stream in self.streams() for entry_id in ids_in(self.redis, stream)]
        assert len(entries) == len(set(entries))
        records = self.records()
        dropped_when_claimed = {record.id for record in records if record.status in DROPPED_WHEN_CLAIMED}
        unended = {record.id for record in records if not record.status.ended}
        known = {record.id for record in records}
        assert set(entries) & known - dropped_when_claimed == unended

    @invariant()
    def what_waits_is_counted(self) -> None:
        behind = {owner: self.redis.xlen(own_stream(owner)) for owner in OWNERS}
        assert int(self.redis.get("queue:predictions:behind") or 0) == sum(behind.values())
        with_turns: Any = self.redis.zrange("queue:predictions:turns", 0, -1)
        assert {owner.decode() for owner in with_turns} == {owner for owner in OWNERS if behind[owner]}
        rows = sum(rows for owner in OWNERS for rows in rows_in(self.redis, own_stream(owner)))
        assert int(self.redis.get(PREDICTIONS.rows) or 0) >= rows

    def everything_ends_when_all_consumers_are_alive(self) -> None:
        for _ in range(3):
            self.sweep(16)
            self.each_job_follows_the_table_until_it_ends()
            while any(self.redis.xlen(stream) for stream in self.streams()):
                claims = self.consumer.claim("anna", "wake_up", MANY)
                self.each_job_follows_the_table_until_it_ends()
                assert len(self.consumer.record([scored(claim) for claim in claims])) == len(claims)
                self.each_job_follows_the_table_until_it_ends()
        assert all(record.status.ended for record in self.records())
        for stream in STREAMS:
            assert self.redis.xlen(stream) == self.redis.xpending(stream, GROUP)["pending"] == 0
        self.sweep(16)
        assert not self.redis.exists(
            PREDICTIONS.rows, "queue:predictions:turns", "queue:predictions:numbered"
        )
        assert not list(self.redis.scan_iter("queue:predictions:of:*"))

    def record_of(self, job_id: str) -> PredictionRecord:
        return next(record for record in self.records() if record.id == job_id)

    def records(self) -> list[PredictionRecord]:
        records = self.store.read([each.id for each in self.jobs])
        return [record for record in records if isinstance(record, PredictionRecord)]

    def streams(self) -> list[str]:
        return [*STREAMS, *map(own_stream, OWNERS)]

    def is_current(self, claim: Claim) -> bool:
        current = [(record.status, record.attempt) for record in self.records() if record.id == claim.id]
        if claim.read_at is not None and (PredictionStatus.QUEUED, 0) in current:
            return True
        return (PredictionStatus.RUNNING, claim.attempt) in current


def own_stream(owner: str) -> str:
    return f"queue:predictions:of:{owner}"


def rows_in(redis: Redis, stream: str) -> list[int]:
    entries: Any = redis.xrange(stream)
    return [int(fields[b"rows"]) for _, fields in entries]


def ids_in(redis: Redis, stream: str) -> list[str]:
    entries: Any = redis.xrange(stream)
    return [fields[b"id"].decode() for _, fields in entries]


def rows_of(a_job: NewPrediction) -> list[Row]:
    inputs: list[Any] = orjson.loads(a_job.inputs)
    return inputs if a_job.rows > 1 else [inputs]


TestPredictionLife = PredictionLife.TestCase
TestPredictionLife.settings = hypothesis_settings(
    max_examples=hypothesis_settings().max_examples // 6, stateful_step_count=40
)
