"""The parts of a page: sections, tables, figures with the table behind them, and the page itself."""

import base64
import hashlib
from collections.abc import Container, Iterable, Iterator, Sequence
from importlib.resources import files
from xml.etree.ElementTree import Element

from model.description.palette import PALETTE
from model.report.markup import Content, add, element, write

LANGUAGE = "en"


def page(title: str, header: Sequence[Content], sections: Sequence[Element], footer: str) -> bytes:
    """Write a page that needs nothing but itself. Its policy lets browsers load nothing, and run nothing."""
    style = "".join(file.read_text(encoding="utf-8") for file in (PALETTE, files(__package__) / "style.css"))
    head = element(
        "head",
        element("meta", charset="utf-8"),
        element("meta", http_equiv="Content-Security-Policy", content=_policy(style)),
        element("meta", name="viewport", content="width=device-width, initial-scale=1"),
        element("meta", name="color-scheme", content="light dark"),
        element("meta", name="referrer", content="no-referrer"),
        element("title", title),
        element("style", style),
    )
    links = [element("li", element("a", _heading(each), href=f"#{each.get('id')}")) for each in sections]
    contents = element("nav", element("ul", *links), aria_label="Contents")
    body = element(
        "body",
        element("header", *header, contents),
        element("main", *sections),
        element("footer", element("p", footer)),
    )
    return b"<!DOCTYPE html>\n" + write(element("html", head, body, lang=LANGUAGE)) + b"\n"


def section(heading: str, about: str, *content: Content) -> Element:
    """Make a part of the page with a heading, and a sentence on what it shows."""
    sentence = element("p", about, class_="about") if about else None
    return element("section", element("h2", heading), sentence, *content, id=_id(heading))


def figure(heading: str, picture: Element, caption: str, behind: Element, alone: bool = False) -> Element:
    """Make a picture with its numbers behind it."""
    numbers = element("details", element("summary", "The numbers"), behind)
    return element(
        "figure",
        element("h3", named(heading)),
        picture,
        element("figcaption", caption),
        numbers,
        class_="alone" if alone else None,
    )


def figures(made: Iterable[Element]) -> Element:
    """Lay figures out beside each other."""
    return element("div", *made, class_="figures")


def table(
    heads: Sequence[str], rows: Iterable[Sequence[Content]], caption: str = "", words: Container[int] = ()
) -> Element:
    """Make a table; the first cell of a row names it, the others are numbers, or `words` by position."""
    head = element("thead", element("tr", *_heads(heads, words)))
    lines = [
        element(
            "tr",
            element("th", named(row[0]) if isinstance(row[0], str) else row[0], scope="row"),
            *(_cell(content, position in words) for position, content in enumerate(row[1:], 1)),
        )
        for row in rows
    ]
    said = element("caption", caption) if caption else None
    return element(
        "div",
        element("table", said, head, element("tbody", *lines)),
        class_="wide",
        tabindex="0",
        role="group",
        aria_label=caption or heads[0],
    )


def facts(pairs: Iterable[tuple[str, Content]]) -> Element:
    """Make a list of names and values."""
    found = element("dl", class_="facts")
    for name, value in pairs:
        add(found, [element("dt", name), element("dd", value)])
    return found


def warning_box(heading: str, sentences: Iterable[str]) -> Element:
    """Make a box of what a reader should not miss."""
    listed = element("ul", *(element("li", each) for each in sentences))
    return element("div", element("h3", heading), listed, class_="warning")


def named(text: str) -> Element:
    """Keep the direction of a name's letters from changing the words around it."""
    return element("bdi", text)


def _heads(heads: Sequence[str], words: Container[int]) -> Iterator[Element]:
    for position, text in enumerate(heads):
        is_figure = position and position not in words
        yield element("th", text, scope="col", class_="figure" if is_figure else None)


def _cell(content: Content, is_words: bool) -> Element:
    """Make a cell, unless it is one already."""
    if isinstance(content, Element) and content.tag == "td":
        return content
    return element("td", content, class_=None if is_words else "figure")


def _policy(style: str) -> str:
    digest = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
    return f"default-src 'none'; style-src 'sha256-{digest}'; base-uri 'none'; form-action 'none'"


def _heading(made: Element) -> str:
    found = made.find("h2")
    return "" if found is None else found.text or ""


def _id(heading: str) -> str:
    return heading.lower().replace(" ", "-")
