"""A line on the terminal that tells how far it is; nothing where there is no terminal."""

import sys
import time
from typing import TextIO

EVERY_SECONDS = 0.1
WIDTH = 24


class Progress:
    """`with` it: the line is removed at the end."""

    def __init__(self, screen: TextIO = sys.stderr) -> None:
        self._screen = screen if screen.isatty() else None
        self._started = time.monotonic()
        self._shown_at = 0.0

    def __enter__(self) -> "Progress":
        return self

    def __exit__(self, *_: object) -> None:
        if self._screen:
            print("\r\x1b[K", end="", file=self._screen, flush=True)

    def show(self, what: str, share: float | None, said: str = "") -> None:
        """`share` is from 0 to 1, None where it is not known."""
        now = time.monotonic()
        if self._screen is None or now - self._shown_at < EVERY_SECONDS:
            return
        self._shown_at = now
        full = round(WIDTH * (share or 0))
        bar = f"[{'#' * full}{'.' * (WIDTH - full)}] {share:4.0%} " if share is not None else ""
        print(f"\r\x1b[K{what} {bar}{said}", end="", file=self._screen, flush=True)


def seconds(value: float | None) -> str:
    """As people say it; empty if it is not known."""
    if value is None:
        return ""
    minutes, rest = divmod(round(value), 60)
    return f"{minutes} min {rest:02} s left" if minutes else f"{rest} s left"
