"""Output as text for people, or as JSON."""

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any


def as_json(value: Any) -> str:
    """On one line and in ASCII, which every terminal can show."""
    return json.dumps(value, separators=(",", ":"))


def members(resource: Mapping[str, Any]) -> list[str]:
    """One line for each member that has a value; the members of objects below it are named a.b."""
    flat = list(_flat(resource, ""))
    width = max((len(name) for name, _ in flat), default=0)
    return [f"{name:{width}}  {value}" for name, value in flat]


def table(head: Sequence[str], rows: Iterable[Sequence[Any]]) -> list[str]:
    cells = [list(head), *(list(map(cell, row)) for row in rows)]
    widths = [max(map(len, column)) for column in zip(*cells, strict=True)]
    return ["  ".join(map(str.ljust, row, widths)).rstrip() for row in cells]


def cell(value: Any) -> str:
    """Text with control characters escaped, nothing for None, else JSON."""
    text = "" if value is None else value if isinstance(value, str) else json.dumps(value)
    return "".join(each if each.isprintable() else ascii(each)[1:-1] for each in text)


def _flat(resource: Mapping[str, Any], path: str) -> Iterator[tuple[str, str]]:
    for name, value in resource.items():
        if isinstance(value, dict):
            yield from _flat(value, f"{path}{cell(name)}.")
        elif value is not None:
            yield f"{path}{cell(name)}", cell(value)
