"""A line on the terminal that shows how far a file is; nothing where there is no terminal."""

import sys
import time
from typing import TextIO

EVERY_SECONDS = 0.1
WIDTH = 24


class ProgressLine:
    """A context manager that removes the line at its end."""

    def __init__(self, screen: TextIO = sys.stderr) -> None:
        self._screen = screen if screen.isatty() else None
        self._shown_at = 0.0

    def __enter__(self) -> "ProgressLine":
        return self

    def __exit__(self, *_: object) -> None:
        if self._screen:
            print("\r\x1b[K", end="", file=self._screen, flush=True)

    def show(self, what: str, share: float | None, text: str = "") -> None:
        """`share` is from 0 to 1, None if it is not known."""
        now = time.monotonic()
        if self._screen is None or now - self._shown_at < EVERY_SECONDS:
            return
        self._shown_at = now
        full = round(WIDTH * (share or 0))
        bar = f"[{'#' * full}{'.' * (WIDTH - full)}] {share:4.0%} " if share is not None else ""
        print(f"\r\x1b[K{what} {bar}{text}", end="", file=self._screen, flush=True)


def time_left(seconds: float | None) -> str:
    """Empty if it is not known."""
    if seconds is None:
        return ""
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes} min {rest:02} s left" if minutes else f"{rest} s left"
