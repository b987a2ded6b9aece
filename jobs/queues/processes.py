"""What web processes and consumers report about themselves while they are alive."""

from collections.abc import Sequence
from typing import NamedTuple

LAPSES_MS = 5_000
"""A process that has not reported for this long counts as dead."""


class Process(NamedTuple):
    """A web process, HOST:PROCESS, or a child of a worker, HOST:WORKER:CHILD; with process ids."""

    name: str
    release: str
    pace: int = 0
    """Rows per second while it has work; 0 before its first."""

    @property
    def says(self) -> str:
        return f"{self.release} {self.pace}"

    @classmethod
    def read_all(cls, said: Sequence[bytes]) -> "tuple[Process, ...]":
        """`said` alternates the name of a process and its report."""
        return tuple(map(cls._read, said[::2], said[1::2]))

    @classmethod
    def _read(cls, name: bytes, said: bytes) -> "Process":
        release, _, pace = said.decode().partition(" ")
        return cls(name.decode(), release, int(pace or 0))
