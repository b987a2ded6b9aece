"""How things stand: what waits, what is claimed, and how fast it is worked off."""

import math
from collections.abc import Sequence
from typing import Any, NamedTuple

from jobs import ids
from jobs.predictions.record import JOB_BYTES

UNKNOWN_SECONDS = 5
"""When to ask again where nobody can tell how long it will take."""
MOST_SECONDS = 60
LAPSES_MS = 5_000
"""A process that has not said for this long that it lives counts as dead."""


class Process(NamedTuple):
    """A web process, HOST:PROCESS, or a child of a worker, HOST:WORKER:CHILD; with process ids."""

    name: str
    release: str
    pace: int = 0
    """Rows a second while it has work; 0 before its first."""

    @property
    def says(self) -> str:
        return f"{self.release} {self.pace}"

    @classmethod
    def heard(cls, name: bytes, said: bytes) -> "Process":
        release, _, pace = said.decode().partition(" ")
        return cls(name.decode(), release, int(pace or 0))


class BatchCapacity(NamedTuple):
    """To plan a batch, and to join its parts, count as a chunk each."""

    open: int = 0
    """Batches that have not ended."""
    waiting: int = 0
    """Chunks that nobody has claimed, in the line or still to come into it."""
    claimed: int = 0
    oldest_seconds: float = 0.0
    """Since the chunk came into the line that is next."""
    children: tuple[Process, ...] = ()

    @classmethod
    def decode(cls, values: Sequence[Any]) -> "BatchCapacity":
        """`values` as scripts/batches/capacity.lua gives them."""
        unfinished, waiting, claimed, waited_ms, children = values
        return cls(unfinished, waiting, claimed, waited_ms / 1000, _living(children))

    @property
    def rows_per_second(self) -> int:
        """What all children for batches together score while they have work."""
        return sum(child.pace for child in self.children)


class Capacity(NamedTuple):
    waiting: int = 0
    rows: int = 0
    """Of the jobs that wait."""
    claimed: int = 0
    oldest_seconds: float = 0.0
    """Since the job was made that has waited longest."""
    webs: tuple[Process, ...] = ()
    children: tuple[Process, ...] = ()
    rows_per_second: int = 0
    """What all children together score while they have work."""
    explained_per_second: int = 0
    """Rows that their threads that explain score together while they have work."""
    batches: BatchCapacity = BatchCapacity()

    @classmethod
    def decode(cls, values: Sequence[Any], batches: Sequence[Any]) -> "Capacity":
        """`values` and `batches` as the scripts capacity.lua and batches/capacity.lua give them."""
        now, waiting, rows, claimed, *oldest, webs, children, explainers = values
        made = [ids.created_ms(job_id.decode()) for job_id in oldest if job_id]
        living = _living(children)
        return cls(
            waiting=max(waiting, 0),
            rows=max(int(rows), 0),
            claimed=claimed,
            oldest_seconds=max(int(now) - min(made), 0) / 1000 if made else 0.0,
            webs=_living(webs),
            children=living,
            rows_per_second=sum(child.pace for child in living),
            explained_per_second=sum(thread.pace for thread in _living(explainers)),
            batches=BatchCapacity.decode(batches),
        )

    @property
    def workers(self) -> int:
        return len({child.name.rpartition(":")[0] for child in self.children})

    def accepting(self, room: float, most_waiting: int) -> bool:
        """Whether a small job would be taken in now; `room` is what PredictionStore.room gives."""
        return room > JOB_BYTES and self.waiting + self.claimed < most_waiting

    def seconds_for(self, rows: int, explained: bool = False) -> float | None:
        """How long so many rows take; None where nobody can tell."""
        pace = self.explained_per_second if explained else self.rows_per_second
        return rows / pace if pace else None

    def retry_after(self, rows: int, explained: bool = False) -> int:
        """Whole seconds, at most MOST_SECONDS, after which so many rows should be done."""
        seconds = self.seconds_for(rows, explained)
        if seconds is None:
            return 1 if self.children else UNKNOWN_SECONDS
        return min(max(math.ceil(seconds), 1), MOST_SECONDS)


def _living(said: Sequence[bytes]) -> tuple[Process, ...]:
    """Names, and what each says of itself, by turns."""
    return tuple(map(Process.heard, said[::2], said[1::2]))
