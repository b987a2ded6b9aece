"""A colour stands in one place, whoever shows it: the page, a report or the guide."""

import re

from tests.documents import ROOT

PALETTE = ROOT / "model" / "description" / "palette.css"
COLOUR = re.compile(r"#[0-9a-f]{3,8}\b|\b(?:rgb|hsl)a?\(", re.IGNORECASE)
STYLES = [
    file
    for part in ("web", "model", "docs")
    for file in (ROOT / part).rglob("*.css")
    if "guide/site" not in str(file)
]


def names_in(text: str) -> set[str]:
    return set(re.findall(r"^ +(--[\w-]+):", text, re.MULTILINE))


def test_only_the_palette_has_colours() -> None:
    assert PALETTE in STYLES
    assert [file.name for file in STYLES if file != PALETTE and COLOUR.search(file.read_text())] == []


def test_each_colour_is_known_in_the_light_in_the_dark_and_on_paper() -> None:
    light, dark, paper = (names_in(part) for part in PALETTE.read_text().split("@media"))
    assert light == dark == paper


def test_what_the_styles_use_is_in_the_palette() -> None:
    for file in STYLES:
        used = set(re.findall(r"var\((--[\w-]+)\)", file.read_text()))
        assert used <= names_in(PALETTE.read_text()) | names_in(file.read_text()), file.name
