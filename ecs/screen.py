"""Output and questions. With --json, standard output carries only JSON, and text goes to standard error."""

import json
import sys
from collections.abc import Sequence
from typing import Any, TextIO

from rich.console import Console

from ecs.errors import ConfirmationDeclined, InvalidUsage


class Screen:
    def __init__(self, as_json: bool = False, yes: bool = False) -> None:
        self.as_json = as_json
        self._yes = yes
        self._stream: TextIO = sys.stderr if as_json else sys.stdout
        self.console = Console(file=self._stream)

    @property
    def is_terminal(self) -> bool:
        """Whether a shown table can be redrawn."""
        return self.console.is_interactive

    def print(self, text: str = "") -> None:
        print(text, file=self._stream, flush=True)

    def table(self, head: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
        """Prints each row on one line, neither wrapped nor cut, so that grep finds whole rows."""
        widths = [max(map(len, column)) for column in zip(head, *rows, strict=True)]
        for row in (head, *rows):
            self.print("  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip())

    def result(self, value: Any) -> None:
        """Prints the value as JSON if --json was given."""
        if self.as_json:
            print(json.dumps(value, default=str), flush=True)

    def require_answerable(self, if_not: str) -> None:
        """Raises InvalidUsage if a question could not be answered. Call it before long work."""
        # Questions go to standard error: standard output may be a pipe or a file.
        can_ask = sys.stdin and sys.stdin.isatty() and sys.stderr.isatty()
        if not (self._yes or can_ask):
            raise InvalidUsage(
                f"this needs confirmation, and there is no terminal to ask at; {if_not}",
                "pass --yes to confirm",
            )

    def confirm(self, question: str, if_not: str, expected: str = "y") -> None:
        """Raises ConfirmationDeclined with the message `if_not` unless the answer is as expected.

        Raises InvalidUsage if nobody can be asked.
        """
        self.require_answerable(if_not)
        if self._yes:
            return
        print(f"{question} ", end="", file=sys.stderr, flush=True)
        if sys.stdin.readline().strip().lower() != expected:
            raise ConfirmationDeclined(if_not)
