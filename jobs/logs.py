"""Logs: one JSON line an event, to standard error. Ids, counts and times; never what a caller sent."""

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
"""Bytes that several processes may write to one pipe without their lines getting mixed up."""
_USUAL = {*logging.makeLogRecord({}).__dict__, "message", "asctime", "taskName"}


class JsonLines(logging.Formatter):
    """Of ours the message is the event, a fixed word, and `extra` what belongs to it."""

    def format(self, record: logging.LogRecord) -> str:
        ours = record.name.partition(".")[0] in OURS
        line = {
            "time": rfc3339(int(record.created * 1000)),
            "level": record.levelname.lower(),
            "event": record.msg if ours else "library",
            **{name: value for name, value in record.__dict__.items() if name not in _USUAL},
        }
        if not ours:
            line |= {"logger": record.name, "message": record.getMessage()}
        return orjson.dumps(line, default=str).decode()


class Journal:
    """What becomes of jobs, at a tenth of the cost of a logger: noted at once, written a little later."""

    def __init__(self, level: str, write: Callable[[bytes], object]) -> None:
        self._is_kept = logging.getLevelNamesMapping()[level] <= logging.INFO
        self._write = write
        self._noted: deque[tuple[int, str, Iterable[Mapping[str, Any]]]] = deque()

    def note(self, event: str, entries: Iterable[Mapping[str, Any]]) -> None:
        """One line for each entry, with the time of now unless it has its own."""
        if self._is_kept:
            self._noted.append((time.time_ns() // 1_000_000, event, entries))

    def flush(self) -> None:
        """Writes what has been noted, many lines at once: to be called some times a second, and last."""
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
    handler = logging.StreamHandler()
    handler.setFormatter(JsonLines())
    logging.basicConfig(level=level, handlers=[handler])
    for chatty in ("celery", "kombu", "gunicorn"):
        logging.getLogger(chatty).setLevel(logging.WARNING)
    return Journal(level, lambda lines: os.write(2, lines))
