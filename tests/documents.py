"""The documents as tests see them: which there are, and the examples in them."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).parents[1]
ECS_GUIDE = ROOT / "docs" / "guides" / "ecs.md"
"""Its commands need AWS: tests/integration/ecs runs them."""
DOCUMENTS = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").rglob("*.md"))]

ANYTHING = "…"
"""Stands in an example for output that differs from run to run."""

_BLOCK = re.compile(r"^```(console|python|javascript|r)\n(.*?)^```$", re.DOTALL | re.MULTILINE)
_FILE = re.compile(r"(?:#|//) (\w+\.(?:py|mjs|R))\n")
_COMMAND = re.compile(r"((?:[^\n]*\\\n)*[^\n]*)\n(.*)", re.DOTALL)


class Example(NamedTuple):
    """A command of a console block with what it prints, or a Python block, which prints nothing.

    A block that begins with the name of a `file`, in a comment, is such a file, for a later command.
    """

    command: str
    printed: str
    python: bool = False
    file: str = ""


def name_of(document: Path) -> str:
    return str(document.relative_to(ROOT))


def examples(text: str) -> Iterator[Example]:
    """The examples of a document, in its order."""
    for language, block in _BLOCK.findall(text):
        if named := _FILE.match(block):
            yield Example(block, "", file=named[1])
            continue
        assert language in ("console", "python"), f"name the file of this block: {block[:40]}"
        if language == "python":
            yield Example(block, "", python=True)
            continue
        for part in re.split(r"^\$ ", block, flags=re.MULTILINE)[1:]:
            match = _COMMAND.fullmatch(part)
            assert match, part
            yield Example(match[1], match[2].strip())


def docker_examples(text: str) -> list[Example]:
    return [example for example in examples(text) if example.command.startswith("docker ")]


def prints_as_documented(printed: str, documented: str) -> bool:
    pattern = ".*".join(re.escape(part.strip()) for part in documented.split(ANYTHING))
    return re.fullmatch(pattern, printed, re.DOTALL) is not None


def first_cells(document: Path, heading: str = "") -> list[str]:
    """The code in the first cell of each table row, below a heading or in the whole page."""
    text = document.read_text()
    if heading:
        text = text.partition(f"\n## {heading}\n")[2].partition("\n## ")[0]
    return re.findall(r"^\| `([^`|]+)` \|", text, re.MULTILINE)
