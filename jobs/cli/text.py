"""What is shown to people: aligned text, a row a line."""

import json
from collections.abc import Iterable, Sequence
from typing import Any


def table(head: Sequence[str], rows: Iterable[Sequence[Any]]) -> list[str]:
    cells = [list(head), *([cell(value) for value in row] for row in rows)]
    widths = [max(map(len, column)) for column in zip(*cells, strict=True)]
    return [
        "  ".join(text.ljust(width) for text, width in zip(row, widths, strict=True)).rstrip()
        for row in cells
    ]


def pairs(values: Iterable[tuple[str, Any]]) -> list[str]:
    """A line for each that has a value."""
    there = [(name, cell(value)) for name, value in values]
    width = max((len(name) for name, value in there if value), default=0)
    return [f"{name:{width}}  {value}" for name, value in there if value]


def as_json(value: Any) -> str:
    """On one line, and in ASCII: no terminal minds it."""
    return json.dumps(value, separators=(",", ":"))


def cell(value: Any) -> str:
    """Text as it is, but for what would move a terminal's cursor; nothing for None; else JSON."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "yes" if value else "no"
    text = value if isinstance(value, str) else json.dumps(value)
    return "".join(each if each.isprintable() else ascii(each)[1:-1] for each in text)
