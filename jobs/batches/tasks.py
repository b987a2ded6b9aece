"""A task of a batch as it is claimed, and what is recorded of a chunk that is done."""

from collections.abc import Sequence
from typing import Any, NamedTuple

from jobs.batches.record import BatchOptions
from jobs.queues.queue import decode_all

PLAN, PREVIEW, CORRECT, JOIN = "plan", "preview", "correct", "join"


class ChunkDone(NamedTuple):
    """What is recorded of a chunk that is done: its rows, how many failed, and the bytes of its parts.

    `expected` is the number of rows that planning counted in it, `bytes` its size in the input.
    """

    rows: int
    failed: int
    size: int
    errors_size: int
    expected: int
    bytes: int

    @classmethod
    def read(cls, recorded: Any) -> "ChunkDone":
        """As done.lua has recorded it."""
        return cls._make(map(int, recorded.split()))

    @classmethod
    def read_all(cls, recorded: Sequence[Any]) -> "dict[int, ChunkDone]":
        """By the number of the chunk, with which `recorded` alternates."""
        return {
            int(number): cls.read(done) for number, done in zip(recorded[::2], recorded[1::2], strict=True)
        }


class BatchTask(NamedTuple):
    """A task of a batch: to PLAN it, to PREVIEW it, to sort by chunk the rows that CORRECT it, to score the
    chunk of this number, to JOIN the parts.

    `tries` are the consumers that were lost with it since its last step, and this one. `chunks` is how many
    are planned so far; `planning` and `joining` are the positions that the last step recorded, empty before.
    """

    entry: bytes
    id: str
    task: str
    tries: int
    model: str
    sha256: str
    options: BatchOptions
    layout: bytes
    chunks: int = 0
    total: int = 0
    cut_short: bool = False
    """Whether the rest of the file could not be planned."""
    planning: str = ""
    joining: bytes = b""
    chunk: str = ""
    lost: tuple[range, ...] = ()
    """Ranges of rows of the chunk that were being scored when a consumer was lost."""
    plan: tuple[str, ...] = ()
    """To JOIN the parts: all chunks, in order ..."""
    done: dict[int, ChunkDone] = {}  # noqa: RUF012 (never changed)
    """... and what is recorded of those that are done, by number; to CORRECT it, of those that are kept."""
    kept: ChunkDone | None = None
    """What the batch that is tried again has recorded of this chunk."""

    @classmethod
    def decode(cls, claimed: Any) -> "BatchTask":
        """As claim.lua returns it."""
        return cls(
            entry=claimed.entry,
            id=claimed.id.decode(),
            task=claimed.task.decode(),
            tries=claimed.tries,
            model=claimed.model.decode(),
            sha256=claimed.sha.hex(),
            options=BatchOptions.from_json(claimed.options),
            layout=claimed.layout,
            chunks=int(claimed.chunks),
            total=int(claimed.total),
            cut_short=bool(claimed.cut_short),
            planning=claimed.planning.decode(),
            joining=claimed.joining,
            chunk=claimed.chunk.decode(),
            lost=tuple(_slice(text) for text in claimed.lost.decode().split()),
            plan=tuple(decode_all(claimed.plan)),
            done=ChunkDone.read_all(claimed.done),
            kept=ChunkDone.read(claimed.kept) if claimed.kept else None,
        )


def _slice(text: str) -> range:
    start, _, stop = text.partition(":")
    return range(int(start), int(stop))
