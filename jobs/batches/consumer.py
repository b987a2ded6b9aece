"""The line of batches as workers see it: take a task, say that it is under way, record what became of it."""

from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import Any, NamedTuple, TypeVar
from uuid import uuid4

import orjson
from redis import Redis
from redis.exceptions import ResponseError

from jobs.batches.record import BatchOptions
from jobs.batches.status import BatchStatus
from jobs.connection import script, talking
from jobs.queues.capacity import LAPSES_MS, Process
from jobs.queues.names import BATCH_CHILDREN, BATCH_LINE, BELLS, GROUP
from jobs.settings import Settings

T = TypeVar("T")

PLAN, JOIN, LOOK = "plan", "join", "look"

LOST_PER_ATTEMPT = 3
"""A chunk takes seconds, and so is often lost with workers that end for reasons of their own."""

LOST = orjson.dumps({"type": "worker_lost", "detail": "every worker that took a part of this batch was lost"})


class Task(NamedTuple):
    """A step of a batch: to PLAN it, to score the chunk of this number, to JOIN its parts, to LOOK at it."""

    entry: bytes
    id: str
    task: str
    tries: int
    model: str
    sha256: str
    asked: BatchOptions
    size: int
    layout: bytes
    chunk: str
    lost: tuple[range, ...] = ()
    """Slices of the chunk, by rows, that children were lost with."""


class Renewed(NamedTuple):
    """The status is None if another child has the task meanwhile, or the batch is gone."""

    status: BatchStatus | None
    beside_predictions: bool
    """Whether children of workers are scoring such now."""


class Done(NamedTuple):
    """A chunk that is done; `expected` is how many rows the plan took it to have."""

    rows: int
    failed: int
    size: int
    expected: int


class Parts(NamedTuple):
    """All chunks, in order; and of those that are done, by number, the rows and failed rows."""

    chunks: list[str]
    done: dict[int, tuple[int, int]]


class BatchSweep(NamedTuple):
    taken_back: int
    given_up: int
    wake_ups: list[str]
    removable: list[str]
    """Batches whose files are to be removed."""


class BatchConsumer:
    """Every method raises StoreUnavailable if Redis does not answer in time."""

    def __init__(self, redis: Redis, settings: Settings) -> None:
        self._redis = redis
        self._settings = settings
        of_tasks = ("take", "renew", "planned", "try_slice", "done", "fail", "parts", "finish", "give_back")
        of_all = ("sweep", "ring", "withdraw", "removed")
        self._scripts = {name: script(redis, f"batches/{name}") for name in (*of_tasks, *of_all)}
        self._live = script(redis, "live")

    def take(self, child: str, wake_up: str) -> Task | None:
        taken = self._call("take", child, wake_up, self._settings.retention_ms)
        if not taken:
            return None
        entry, job_id, task, tries, model, sha, asked, size, layout, chunk, lost = taken
        return Task(
            entry=entry,
            id=job_id.decode(),
            task=task.decode(),
            tries=tries,
            model=model.decode(),
            sha256=sha.hex(),
            asked=BatchOptions.from_json(asked),
            size=int(size),
            layout=layout,
            chunk=chunk.decode(),
            lost=tuple(_slice(text) for text in lost.decode().split()),
        )

    def renew(self, child: str, wake_up: str, task: Task) -> Renewed:
        """Its lease begins anew."""
        status, beside = self._call("renew", child, wake_up, task.entry, task.id, BELLS) or (None, 0)
        return Renewed(BatchStatus(status.decode()) if status else None, bool(beside))

    def planned(
        self, task: Task, layout: bytes, total: int, size: int, chunks: Sequence[str], wake_ups: int
    ) -> list[str]:
        """The batch is cut into chunks of so many rows and bytes in all; returns the wake_ups to ring."""
        names = _names(wake_ups)
        return _texts(
            self._call("planned", task.entry, task.id, layout, total, size, wake_ups, *names, *chunks)
        )

    def done(self, task: Task, done: Done, wake_ups: int) -> tuple[bool, list[str]]:
        """A chunk is done; returns whether it counts, which it does once, and the wake_ups to ring."""
        chunk = (task.entry, task.id, task.task)
        counts, rung = self._call(
            "done", *chunk, done.rows, done.failed, done.size, done.expected, *_names(wake_ups)
        )
        return bool(counts), _texts(rung)

    def try_slice(self, task: Task, rows: range | None) -> None:
        """Notes which rows of the chunk are tried now: if this child is lost, it is with them."""
        self._call("try_slice", task.entry, task.id, task.task, f"{rows.start}:{rows.stop}" if rows else "")

    def fail(self, task: Task, error: bytes, last: bool, wake_ups: int) -> list[str]:
        """A chunk cannot be scored; `last` if no other is to be begun. Returns the wake_ups to ring.

        IdempotencyKey the other chunks are out of hands, what was scored is joined, and the batch has failed.
        """
        return _texts(self._call("fail", task.entry, task.id, task.task, error, int(last), *_names(wake_ups)))

    def parts(self, task: Task) -> Parts | None:
        """None if the batch has ended."""
        found = self._call("parts", task.id)
        if found is None:
            return None
        chunks, done = found
        said = {int(number): counts.split() for number, counts in zip(done[::2], done[1::2], strict=True)}
        return Parts(_texts(chunks), {number: (int(rows), int(bad)) for number, (rows, bad) in said.items()})

    def finish(self, task: Task, status: BatchStatus, error: bytes = b"") -> BatchStatus | None:
        """The batch ends; returns how, None if it had ended before."""
        retention = self._settings.retention_ms
        ended = self._call("finish", task.entry, task.id, status, retention, error)
        return BatchStatus(ended.decode()) if ended else None

    def give_back(self, task: Task) -> None:
        """Leaves the task to another child: this one is to stop."""
        self._call("give_back", task.entry, task.id, task.task)

    def withdraw(self, wake_up: str) -> None:
        """The wake_up has been answered."""
        self._call("withdraw", wake_up)

    def live(self, child: Process) -> None:
        """Says that the child lives, for LAPSES_MS."""
        with talking():
            self._live(args=[BATCH_CHILDREN, child.name, LAPSES_MS, child.says])

    def wake_ups(self, most: int) -> list[str]:
        """The wake_ups that are to be rung now."""
        return _texts(self._call("ring", *_names(most)))

    def sweep(self, wake_ups: int) -> BatchSweep:
        """Takes back what was taken longer ago than its lease; one worker at a time does so."""
        settings = self._settings
        most_lost = settings.attempts * LOST_PER_ATTEMPT
        arguments = (settings.lease_seconds * 1000, most_lost, settings.retention_ms, LOST)
        back, given_up, rung, removable = self._call("sweep", *arguments, *_names(wake_ups))
        return BatchSweep(back, given_up, _texts(rung), _texts(removable))

    def unknown(self, job_ids: Sequence[str]) -> list[str]:
        """Those of the batches that have no record."""
        with talking():
            pipeline = self._redis.pipeline(transaction=False)
            for job_id in job_ids:
                pipeline.exists(f"job:{job_id}")
            return [job_id for job_id, known in zip(job_ids, pipeline.execute(), strict=True) if not known]

    def removed(self, job_id: str) -> None:
        """The files of a batch have been removed."""
        self._call("removed", job_id)

    def _call(self, name: str, *arguments: str | bytes | int) -> Any:
        with talking():
            return self._in_group(lambda: self._scripts[name](args=list(arguments)))

    def _in_group(self, call: Callable[[], T]) -> T:
        """Calls, and makes the line's consumer group first if it turns out that there is none."""
        try:
            return call()
        except ResponseError as error:
            if "NOGROUP" not in str(error):
                raise
        with suppress(ResponseError):  # another worker was first
            self._redis.xgroup_create(BATCH_LINE, GROUP, id="0", mkstream=True)
        return call()


def _names(wake_ups: int) -> list[str]:
    return [uuid4().hex for _ in range(wake_ups)]


def _slice(text: str) -> range:
    start, _, stop = text.partition(":")
    return range(int(start), int(stop))


def _texts(values: Sequence[bytes]) -> list[str]:
    return [value.decode() for value in values]
