"""What the doctor finds."""

from collections.abc import Iterable, Iterator
from enum import StrEnum
from typing import NamedTuple


class State(StrEnum):
    OK = "ok"
    WARNING = "warning"
    """It works, but not as it should, or not for long."""
    FAULT = "fault"
    """It does not work, or may lose what was accepted."""


class Finding(NamedTuple):
    state: State
    about: str
    said: str


def ok(about: str, said: str) -> Finding:
    return Finding(State.OK, about, said)


def warning(about: str, said: str) -> Finding:
    return Finding(State.WARNING, about, said)


def fault(about: str, said: str) -> Finding:
    return Finding(State.FAULT, about, said)


def or_else(troubles: Iterable[Finding], well: Finding) -> Iterator[Finding]:
    """The troubles; that all is well only if there are none."""
    found = list(troubles)
    yield from found or [well]
