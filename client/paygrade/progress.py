"""How far a file is: a line on a terminal or in a notebook, and nothing anywhere else."""

import sys
import time
from collections.abc import Callable, Mapping
from typing import Any, TextIO

EVERY_SECONDS = 0.1
WIDTH = 24
NOTEBOOK_SHELL = "ZMQInteractiveShell"


class ProgressLine:
    """A context manager that removes the line at its end. Without a screen nothing is shown."""

    def __init__(self, screen: TextIO | None, now: Callable[[], float] = time.monotonic) -> None:
        self._screen = screen
        self._now = now
        self._shown_at = -EVERY_SECONDS
        self._started = now()
        self._received = 0
        self._longest = 0

    def __enter__(self) -> "ProgressLine":
        return self

    def __exit__(self, *_: object) -> None:
        if self._screen and self._longest:
            self._print("")

    def sent(self, sent: int, size: int | None) -> None:
        self.show("uploading", sent / size if size else None, f"{sent:,} bytes")

    def received(self, piece: bytes) -> None:
        self._received += len(piece)
        self.show("downloading", None, f"{self._received:,} bytes")

    def batch(self, batch: Mapping[str, Any]) -> None:
        counts = batch["counts"]
        rows = counts["succeeded"] + counts["failed"]
        rate = rows / max(self._now() - self._started, 0.1)
        text = f"{rows:,} rows, {rate:,.0f}/s, {counts['failed']:,} failed {time_left(batch['eta_seconds'])}"
        self.show(batch["status"], batch["progress"], text)

    def show(self, what: str, share: float | None, text: str = "") -> None:
        """`share` is from 0 to 1, None if it is not known."""
        if self._screen is None or self._now() - self._shown_at < EVERY_SECONDS:
            return
        self._shown_at = self._now()
        full = round(WIDTH * (share or 0))
        bar = f"[{'#' * full}{'.' * (WIDTH - full)}] {share:4.0%} " if share is not None else ""
        self._print(f"{what} {bar}{text}")

    def _print(self, text: str) -> None:
        """Prints over the line before. A notebook knows no escape that clears a line, so blanks do."""
        self._longest = max(self._longest, len(text))
        clear = "\x1b[K" if self._screen and self._screen.isatty() else " " * self._longest + "\r"
        print(f"\r{clear}{text}", end="", file=self._screen, flush=True)


def progress_line(wanted: bool | None = None) -> ProgressLine:
    """Shows a line on a terminal or in a notebook, unless it is not `wanted`."""
    return ProgressLine(None if wanted is False else _screen())


def _screen() -> TextIO | None:
    if sys.stderr and sys.stderr.isatty():
        return sys.stderr
    return sys.stdout if _in_notebook() else None


def _in_notebook() -> bool:
    """Whether IPython runs this for a notebook; whoever runs it has imported it."""
    ipython = sys.modules.get("IPython")
    shell = ipython.get_ipython() if ipython is not None else None
    return type(shell).__name__ == NOTEBOOK_SHELL


def time_left(seconds: float | None) -> str:
    """The time left, in words; empty if it is not known."""
    if seconds is None:
        return ""
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes} min {rest:02} s left" if minutes else f"{rest} s left"
