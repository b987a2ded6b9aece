"""Elements of HTML and SVG. Texts are escaped when the page is written, whatever they hold."""

from collections.abc import Iterable
from typing import TypeAlias
from xml.etree.ElementTree import Element, tostring

Content: TypeAlias = Element | str | None


def element(tag: str, *content: Content, **attributes: object) -> Element:
    """Make an element. `class_` gives class, `stroke_width` stroke-width; what is None is left out."""
    made = Element(
        tag, {_name(name): _text(value) for name, value in attributes.items() if value is not None}
    )
    add(made, content)
    return made


def add(parent: Element, content: Iterable[Content]) -> None:
    """Append elements and texts to an element."""
    for each in content:
        if isinstance(each, Element):
            parent.append(each)
        elif each and len(parent):
            parent[-1].tail = (parent[-1].tail or "") + each
        elif each:
            parent.text = (parent.text or "") + each


def write(root: Element) -> bytes:
    """Write an element as HTML."""
    return tostring(root, encoding="unicode", method="html").encode(errors="replace")


def _name(name: str) -> str:
    return name.rstrip("_").replace("_", "-")


def _text(value: object) -> str:
    """Numbers are coordinates: a tenth of a pixel is enough."""
    return f"{value:.1f}".removesuffix(".0") if isinstance(value, float) else str(value)
