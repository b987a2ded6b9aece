"""The Lua scripts: read from their files, linked with what they include, and called with named arguments.

The comment at the top of a script is its interface:

    -- @include queues/turns kind     the files with definitions that it uses, which include others likewise;
                                      `kind`: the caller's own
    -- @args id retention_ms:number   its arguments, which become local variables
    -- @item id rows:number           the members of each item: `for number, item in items() do`; `item` is
                                      the same table every time, filled anew
    -- @returns verdicts wake_ups     its results; `each: id rows` stands for a list

The loader writes the Lua that reads the arguments and checks the Python that passes them, so the two cannot
drift apart.
"""

import re
from collections.abc import Iterator, Sequence
from functools import cache
from pathlib import Path
from typing import NamedTuple

from jobs.queues.names import Kind

ROOT = Path(__file__).parent.parent
ACCEPTING = "add"
"""Scripts of this name accept jobs. All others run when Redis is full, so that jobs can leave it."""

_DIRECTIVE = re.compile(r"^-- @(\w+) ?(.*)$", re.MULTILINE)
_NAMES = re.compile(r"local (?:function )?(\w+(?:, \w+)*)")
_WORD = re.compile(r"\w+")


class Argument(NamedTuple):
    name: str
    is_number: bool

    @classmethod
    def parse(cls, text: str) -> "Argument":
        name, _, kind = text.partition(":")
        return cls(name, kind == "number")

    def lua(self, index: str) -> str:
        return f"tonumber(ARGV[{index}])" if self.is_number else f"ARGV[{index}]"


class Source(NamedTuple):
    """A script as it is sent to Redis, and its interface."""

    name: str
    text: str
    arguments: tuple[str, ...]
    item: tuple[str, ...]
    returns: tuple[str, ...]
    returns_list: bool


@cache
def load(name: str, kind: Kind | None = None) -> Source:
    """The script `name`, such as `predictions/claim`. Those of `queues` that include `kind` need one."""
    folder, _, stem = name.partition("/")
    script = (ROOT / folder / "scripts" / f"{stem}.lua").read_text()
    directives = dict(_DIRECTIVE.findall(script))
    arguments = [Argument.parse(text) for text in directives["args"].split()]
    item = [Argument.parse(text) for text in directives.get("item", "").split()]
    definitions = "".join(_included(directives, kind).values())
    flags = "" if stem == ACCEPTING else "#!lua flags=allow-oom\n"
    body = _prologue(arguments, item) + script
    returns = directives["returns"]
    return Source(
        name,
        flags + linked(definitions, body),
        tuple(argument.name for argument in arguments),
        tuple(member.name for member in item),
        tuple(returns.removeprefix("each: ").split()),
        returns.startswith("each: "),
    )


def names() -> Iterator[str]:
    """The names of all scripts."""
    for file in sorted(ROOT.glob("*/scripts/*.lua")):
        yield f"{file.parent.parent.name}/{file.stem}"


def _included(directives: dict[str, str], kind: Kind | None) -> dict[str, str]:
    """The files that are included, directly or by others, each after those that it includes itself."""
    texts: dict[str, str] = {}
    for part in directives.get("include", "").split():
        file = kind.definitions if part == "kind" and kind else part
        text = (ROOT / f"{file}.lua").read_text()
        texts |= _included(dict(_DIRECTIVE.findall(text)), kind) | {file: text}
    return texts


def linked(definitions: str, script: str) -> str:
    """The script, after the definitions that it uses, directly or through others.

    A definition uses only those above it. To send them all would cost each call more than most scripts take.
    """
    needed = set(_WORD.findall(_without_comments(script)))
    kept: list[str] = []
    for defined, text in reversed(list(_split(definitions))):
        if needed & defined:
            kept.append(text)
            needed.update(_WORD.findall(_without_comments(text)))
    return "".join(reversed(kept)) + script


def _split(definitions: str) -> Iterator[tuple[set[str], str]]:
    """Each definition, which begins with `local` at the start of a line, and the names that it defines."""
    for text in re.split(r"^(?=local )", definitions, flags=re.MULTILINE):
        if match := _NAMES.match(text):
            yield set(match[1].split(", ")), text


def _without_comments(text: str) -> str:
    return re.sub(r"--.*", "", text)


def _prologue(arguments: Sequence[Argument], item: Sequence[Argument]) -> str:
    """Lua that gives the arguments their names."""
    lines = []
    if arguments:
        values = ", ".join(argument.lua(str(index)) for index, argument in enumerate(arguments, 1))
        lines.append(f"local {', '.join(argument.name for argument in arguments)} = {values}\n")
    if item:
        members = "".join(
            f"    reused.{member.name} = {member.lua(f'at + {index}')}\n" for index, member in enumerate(item)
        )
        lines.append(
            "local arguments, reused = #ARGV, {}\n"
            "local function next_item(_, number)\n"
            f"  local at = {len(arguments) + 1} + number * {len(item)}\n"
            "  if at <= arguments then\n"
            f"{members}"
            "    return number + 1, reused\n"
            "  end\n"
            "end\n"
            "local function items() return next_item, nil, 0 end\n"
        )
    return "".join(lines)
