"""A task of a batch as it is claimed, and what is recorded of a chunk that is done."""

from collections.abc import Sequence
from typing import Any, NamedTuple

from jobs.batches.inputs import JoinedFile, PlannedFile
from jobs.batches.record import BatchOptions
from jobs.queues.script_calls import decode_all

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

    `attempts` are the consumers that were lost with it since its last checkpoint, and this one. `chunks` is
    how many are planned so far; `planning` and `joining` are the positions that the last checkpoint recorded,
    empty before.
    """

    entry: bytes
    id: str
    task: str
    attempts: int
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
    """To JOIN the parts: all chunks, in order."""
    done: dict[int, ChunkDone] = {}  # noqa: RUF012 (never changed)
    """To JOIN the parts: what is recorded of each chunk that is done; to CORRECT: of each that is kept."""
    kept: ChunkDone | None = None
    """What the batch that is tried again has recorded of this chunk."""
    file: PlannedFile | None = None
    """Of several files: that of the chunk, whose options the task has, or that in which planning goes on."""
    files: dict[int, PlannedFile] = {}  # noqa: RUF012 (never changed)
    """To JOIN the parts of several files: all of these files."""
    file_errors: dict[int, bytes] = {}  # noqa: RUF012 (never changed)
    """To JOIN the parts of several files: why chunks of some could not be scored."""
    joined: dict[int, JoinedFile] = {}  # noqa: RUF012 (never changed)
    """To JOIN the parts of several files: those that are joined already."""
    traceparent: str = ""

    @classmethod
    def decode(cls, claimed: Any) -> "BatchTask":
        """As claim.lua returns it."""
        number, chunk = file_and_chunk(claimed.chunk.decode())
        task = cls(
            entry=claimed.entry,
            id=claimed.id.decode(),
            task=claimed.task.decode(),
            attempts=claimed.attempts,
            model=claimed.model.decode(),
            sha256=claimed.sha.hex(),
            options=BatchOptions.from_json(claimed.options),
            layout=claimed.layout,
            chunks=int(claimed.chunks),
            total=int(claimed.total),
            cut_short=bool(claimed.cut_short),
            planning=claimed.planning.decode(),
            joining=claimed.joining,
            chunk=chunk,
            lost=tuple(_slice(text) for text in claimed.lost.decode().split()),
            plan=tuple(decode_all(claimed.plan)),
            done=ChunkDone.read_all(claimed.done),
            kept=ChunkDone.read(claimed.kept) if claimed.kept else None,
            files={each: PlannedFile.from_json(text) for each, text in by_number(claimed.files).items()},
            file_errors=by_number(claimed.file_errors),
            joined={each: JoinedFile.from_json(text) for each, text in by_number(claimed.joined).items()},
            traceparent=claimed.traceparent.decode(),
        )
        file = PlannedFile.from_json(claimed.file) if claimed.file else None
        return task._replace(file=file) if file is None or number is None else task.of_file(number, file)

    def of_file(self, number: int, file: PlannedFile, layout: bytes = b"") -> "BatchTask":
        """The task as it is for one of several files."""
        return self._replace(file=file, options=file.options(self.options, number), layout=layout)


def _slice(text: str) -> range:
    start, _, stop = text.partition(":")
    return range(int(start), int(stop))


def with_file(number: int | None, chunk: str) -> str:
    """The chunk as it is in the plan."""
    return chunk if number is None else f"{number}/{chunk}"


def file_and_chunk(planned: str) -> tuple[int | None, str]:
    number, _, chunk = planned.rpartition("/")
    return (int(number) if number else None), chunk


def by_number(alternating: list[Any]) -> dict[int, bytes]:
    """The values of a hash that Redis returned, by the numbers that are its names."""
    return {int(number): value for number, value in zip(alternating[::2], alternating[1::2], strict=True)}
