"""What is shown: on standard output; with --json an object there, and the rest on standard error."""

import json
import sys
from collections.abc import Sequence
from typing import Any, TextIO

from rich.console import Console

from ecs.errors import BadInput, Declined


class Screen:
    def __init__(self, as_json: bool = False, yes: bool = False) -> None:
        self.as_json = as_json
        self._yes = yes
        self._stream: TextIO = sys.stderr if as_json else sys.stdout
        self.console = Console(file=self._stream)

    @property
    def live(self) -> bool:
        """Whether what was shown can be drawn over."""
        return self.console.is_interactive

    def say(self, text: str = "") -> None:
        print(text, file=self._stream, flush=True)

    def table(self, head: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
        """Never wrapped or cut: a line is a row, for grep."""
        widths = [max(map(len, column)) for column in zip(head, *rows, strict=True)]
        for row in (head, *rows):
            self.say("  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip())

    def result(self, value: Any) -> None:
        """What a program reads."""
        if self.as_json:
            print(json.dumps(value, default=str), flush=True)

    def must_be_answered(self, otherwise: str) -> None:
        """Raises BadInput where a question would find nobody: better before long work than after."""
        # A question is not for standard output: there, `| tee` or a file may be all that sees it.
        asked = sys.stdin and sys.stdin.isatty() and sys.stderr.isatty()
        if not (self._yes or asked):
            raise BadInput(f"nobody is here to be asked; {otherwise}", "pass --yes")

    def confirm(self, question: str, otherwise: str, wanted: str = "y") -> None:
        """Raises Declined, which says `otherwise`, and BadInput where nobody can be asked."""
        self.must_be_answered(otherwise)
        if self._yes:
            return
        print(f"{question} ", end="", file=sys.stderr, flush=True)
        if sys.stdin.readline().strip().lower() != wanted:
            raise Declined(otherwise)
