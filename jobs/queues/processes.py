"""What web processes and consumers report about themselves while they are alive."""

from collections.abc import Sequence
from typing import NamedTuple


class Process(NamedTuple):
    """A web process, HOST:PROCESS, or a child of a worker, HOST:WORKER:CHILD; with process ids."""

    name: str
    release: str
    pace: int = 0
    """Rows per second while it has work; 0 before its first."""

    @property
    def report(self) -> str:
        return f"{self.release} {self.pace}"

    @classmethod
    def read_all(cls, reports: Sequence[bytes]) -> "tuple[Process, ...]":
        """`reports` alternates the name of a process and its report."""
        return tuple(map(cls._read, reports[::2], reports[1::2]))

    @classmethod
    def _read(cls, name: bytes, report: bytes) -> "Process":
        release, _, pace = report.decode(errors="replace").partition(" ")
        return cls(name.decode(errors="replace"), release, int(pace) if pace.isdecimal() else 0)
