"""Logs: one JSON line for each event, to standard error. Ids, counts and times, but never data of callers."""

import logging
import os
import time
from collections import deque
from collections.abc import Callable, Iterable, Mapping
from typing import Any

import orjson

from jobs.ids import rfc3339

OURS = ("jobs", "model", "web", "worker", "__main__")
LONGEST_WRITE = 4096
"""Bytes that Linux writes to a pipe in one piece, so that lines of several processes are not mixed up."""
_STANDARD_FIELDS = {*logging.makeLogRecord({}).__dict__, "message", "asctime", "taskName"}


class JsonLines(logging.Formatter):
    """Formats a log record as JSON. In our own, the message is the event, and `extra` has its fields."""

    def format(self, record: logging.LogRecord) -> str:
        ours = record.name.partition(".")[0] in OURS
        line = {
            "time": rfc3339(int(record.created * 1000)),
            "level": record.levelname.lower(),
            "event": record.msg if ours else "library",
            **{name: value for name, value in record.__dict__.items() if name not in _STANDARD_FIELDS},
        }
        if not ours:
            line |= {"logger": record.name, "message": record.getMessage()}
        return orjson.dumps(line, default=str).decode()


class Journal:
    """Logs events of jobs at a tenth of the cost of a logger: it collects them and writes many at a time."""

    def __init__(self, level: str, write: Callable[[bytes], object]) -> None:
        self._is_enabled = logging.getLevelNamesMapping()[level] <= logging.INFO
        self._write = write
        self._noted: deque[tuple[int, str, Iterable[Mapping[str, Any]]]] = deque()

    def note(self, event: str, entries: Iterable[Mapping[str, Any]]) -> None:
        """Collects one line for each entry, with the current time unless the entry has a time."""
        if self._is_enabled:
            self._noted.append((time.time_ns() // 1_000_000, event, entries))

    def flush(self) -> None:
        """Writes the collected lines, many at a time. Call it every second or more often, and at the end."""
        lines = b""
        while self._noted:
            at, event, entries = self._noted.popleft()
            shared = {"time": rfc3339(at), "level": "info", "event": event}
            for entry in entries:
                line = orjson.dumps({**shared, **entry}, option=orjson.OPT_APPEND_NEWLINE)
                if len(lines) + len(line) > LONGEST_WRITE:
                    self._write(lines)
                    lines = b""
                lines += line
        if lines:
            self._write(lines)


def log_to_stderr(level: str) -> Journal:
    """Sets up the logging of this process, and returns a journal that also writes to standard error."""
    handler = logging.StreamHandler()
    handler.setFormatter(JsonLines())
    logging.basicConfig(level=level, handlers=[handler])
    for library in ("celery", "kombu", "gunicorn"):
        logging.getLogger(library).setLevel(logging.WARNING)
    return Journal(level, lambda lines: os.write(2, lines))
