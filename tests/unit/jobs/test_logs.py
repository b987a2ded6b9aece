"""Each event is one JSON line, and lines are never mixed up."""

import logging
from typing import Any

import orjson
import pytest

from jobs.logs import LONGEST_WRITE, Journal, JsonLines


def formatted(name: str, message: str, *arguments: object, **extra: object) -> Any:
    record = logging.getLogger(name).makeRecord(
        name, logging.WARNING, "file", 1, message, arguments, None, extra=extra
    )
    return orjson.loads(JsonLines().format(record))


def test_the_message_of_our_own_record_is_the_event() -> None:
    line = formatted("worker.sweeper", "swept", requeued=3)
    assert line.pop("time").endswith("Z")
    assert line == {"level": "warning", "event": "swept", "requeued": 3}


def test_a_record_of_a_library_is_marked() -> None:
    line = formatted("kombu.connection", "cannot %s", "connect")
    assert (line["event"], line["logger"], line["message"]) == (
        "library",
        "kombu.connection",
        "cannot connect",
    )


def test_a_journal_writes_many_whole_lines_at_once() -> None:
    written: list[bytes] = []
    journal = Journal("INFO", written.append)
    journal.note("accepted", ({"number": number} for number in range(1_000)))
    assert written == []
    journal.flush()
    assert 10 < len(written) < 100
    assert all(len(part) <= LONGEST_WRITE and part.endswith(b"\n") for part in written)
    lines = [orjson.loads(line) for line in b"".join(written).splitlines()]
    assert [line["number"] for line in lines] == list(range(1_000))
    assert {line["event"] for line in lines} == {"accepted"}


@pytest.mark.parametrize(("level", "writes"), [("DEBUG", True), ("INFO", True), ("WARNING", False)])
def test_a_journal_writes_at_level_info(level: str, writes: bool) -> None:
    written: list[bytes] = []
    journal = Journal(level, written.append)
    journal.note("accepted", [{}])
    journal.flush()
    assert bool(written) is writes
