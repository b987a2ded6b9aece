"""What doctor finds."""

from collections.abc import Iterable, Iterator
from enum import StrEnum
from typing import NamedTuple


class Severity(StrEnum):
    OK = "ok"
    WARNING = "warning"
    """It works, but not as well as it should, or not for long."""
    FAULT = "fault"
    """It does not work, or accepted jobs may be lost."""


class Finding(NamedTuple):
    state: Severity
    about: str
    found: str


def ok(about: str, found: str) -> Finding:
    return Finding(Severity.OK, about, found)


def warning(about: str, found: str) -> Finding:
    return Finding(Severity.WARNING, about, found)


def fault(about: str, found: str) -> Finding:
    return Finding(Severity.FAULT, about, found)


def or_else(problems: Iterable[Finding], otherwise: Finding) -> Iterator[Finding]:
    """The problems, or the other finding if there are none."""
    yield from list(problems) or [otherwise]
