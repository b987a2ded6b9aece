"""The pictures in README and the documents: each run takes them, and `make pictures` keeps them."""

import os
from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.browser.conftest import PATIENCE_MS, Site
from tests.browser.test_file import choose
from tests.browser.test_predict import answer
from tests.documents import DOCUMENTS, ROOT

PICTURES = ROOT / "docs" / "guides" / "pictures"
PEOPLE = (
    b"name,years\n"
    + b"".join(b"person %d,%.1f\n" % (i, 1 + i * 7 % 110 / 10) for i in range(400))
    + b"x,many\n"
)


def predict(tab: Page) -> None:
    answer(tab, "/?model=wages&example=1")
    expect(tab.locator("[data-curve]")).to_be_visible()


def score(tab: Page) -> None:
    tab.goto("/score")
    choose(tab, PEOPLE)
    tab.locator("[data-score]").click()
    expect(tab.get_by_role("heading", name="How they are distributed")).to_be_visible()


@pytest.mark.parametrize("take", [predict, score], ids=lambda take: take.__name__)
def test_a_picture_is_taken(
    browser: Browser, site: Site, tmp_path: Path, take: Callable[[Page], None]
) -> None:
    context = browser.new_context(
        base_url=site.open, viewport={"width": 1200, "height": 800}, color_scheme="light"
    )
    context.set_default_timeout(PATIENCE_MS)
    tab = context.new_page()
    take(tab)
    name = f"{take.__name__}.png"
    folder = PICTURES if os.environ.get("PICTURES") == "keep" else tmp_path
    tab.screenshot(path=folder / name, full_page=True)
    context.close()
    assert (folder / name).stat().st_size > 20_000
    assert any(f"pictures/{name}" in document.read_text() for document in DOCUMENTS)
