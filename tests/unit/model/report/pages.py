"""Reads a report as a browser does: headings, tables, figures and everything that markup could smuggle in."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from html.parser import HTMLParser

VOID = {"meta"}


@dataclass
class Node:
    tag: str
    attributes: dict[str, str]
    children: list["Node | str"] = field(default_factory=list)

    @property
    def text(self) -> str:
        return "".join(each if isinstance(each, str) else each.text for each in self.children)

    def find(self, *tags: str) -> Iterator["Node"]:
        for each in self.children:
            if isinstance(each, Node):
                if each.tag in tags:
                    yield each
                yield from each.find(*tags)


class _Reader(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.root = Node("", {})
        self._open = [self.root]

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        node = Node(tag, {name: value or "" for name, value in attrs})
        self._open[-1].children.append(node)
        if tag not in VOID:
            self._open.append(node)

    def handle_endtag(self, tag: str) -> None:
        assert self._open.pop().tag == tag, f"{tag} is closed where another element is open"

    def handle_data(self, data: str) -> None:
        self._open[-1].children.append(data)


def read_page(content: bytes) -> Node:
    reader = _Reader()
    reader.feed(content.decode())
    reader.close()
    return reader.root


def outline(page: Node) -> dict[str, list[str]]:
    """The parts of the page by their headings, with the headings within."""
    return {
        next(part.find("h2")).text: [each.text for each in part.find("h3")] for part in page.find("section")
    }


def part_of(page: Node, heading: str) -> Node:
    return next(
        each for each in page.find("section", "figure") if next(each.find("h2", "h3")).text == heading
    )


def rows_of(part: Node) -> list[list[str]]:
    """The rows of the first table, with the head."""
    table = next(part.find("table"))
    return [[cell.text for cell in row.find("th", "td")] for row in table.find("tr")]


def values_of(part: Node) -> dict[str, list[str]]:
    """The first text of each cell, by the name of its row."""
    table = next(part.find("table"))
    rows = {}
    for row in list(table.find("tr"))[1:]:
        name, *cells = row.find("th", "td")
        firsts = [cell.children[0] if cell.children else "" for cell in cells]
        rows[name.text] = [each if isinstance(each, str) else each.text for each in firsts]
    return rows
