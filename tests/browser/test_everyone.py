"""The page is for everyone: by keyboard, with a screen reader, on a phone, in the dark, and at once."""

import json
from collections.abc import Callable
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, expect

from tests.browser.conftest import DESKTOP, PATIENCE_MS, Site
from tests.browser.test_file import CSV, choose, scored
from tests.browser.test_predict import answer

PHONE = {"width": 360, "height": 740}
MOST_BYTES = 100_000


def checked(tab: Page) -> None:
    tab.goto("/score")
    choose(tab, CSV)
    expect(tab.get_by_role("heading", name="The file can be scored")).to_be_visible()


def faulty(tab: Page) -> None:
    tab.goto("/?model=wages")
    tab.get_by_label("Years of schooling education").fill("99")
    tab.keyboard.press("Enter")
    expect(tab.locator(".fault")).to_be_visible()


def opened(path: str) -> Callable[[Page], object]:
    return lambda tab: tab.goto(path)


VIEWS: dict[str, Callable[[Page], object]] = {
    "predict": opened("/"),
    "answer": lambda tab: answer(tab, "/?model=wages"),
    "faults": faulty,
    "score": opened("/score"),
    "check": checked,
    "file": lambda tab: scored(tab, CSV),
    "jobs": opened("/jobs"),
    "models": opened("/models"),
    "model": opened("/model?name=wages"),
    "compare": opened("/compare?first=salary&second=wages"),
    "service": opened("/service"),
    "problem": opened("/job?id=pred_x"),
}
LOOKS: dict[str, dict[str, Any]] = {
    "desktop": {"viewport": DESKTOP},
    "phone in the dark": {"viewport": PHONE, "color_scheme": "dark"},
}


@pytest.mark.parametrize("look", LOOKS)
@pytest.mark.parametrize("view", VIEWS)
def test_axe_finds_no_violation_and_nothing_is_wider_than_the_screen(
    browser: Browser, site: Site, view: str, look: str
) -> None:
    context = browser.new_context(base_url=site.open, **LOOKS[look])
    context.set_default_timeout(PATIENCE_MS)
    tab = context.new_page()
    VIEWS[view](tab)
    found = Axe().run(tab)
    wider = tab.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
    context.close()
    assert found.violations_count == 0, found.generate_report()
    assert wider <= 0, f"{wider} pixels wider"


def test_axe_finds_no_violation_where_a_key_is_asked_for(tab: Page, site: Site) -> None:
    tab.goto(f"{site.keyed}/")
    found = Axe().run(tab)
    assert found.violations_count == 0, found.generate_report()


def test_the_keyboard_alone_is_enough(tab: Page) -> None:
    tab.goto("/")
    tab.keyboard.press("Tab")
    expect(tab.get_by_role("link", name="Skip to the content")).to_be_focused()
    tab.keyboard.press("Enter")
    expect(tab.get_by_role("main")).to_be_focused()
    for _ in range(2):
        tab.keyboard.press("Tab")
    expect(tab.get_by_label("Years of experience years")).to_be_focused()
    tab.keyboard.press("Control+A")
    tab.keyboard.type("4.5")
    tab.keyboard.press("Enter")
    expect(tab.locator("#headline")).to_have_text("374.99866")
    expect(tab.get_by_label("Years of experience years")).to_be_focused()


def test_the_link_to_the_content_leaves_what_was_typed(tab: Page) -> None:
    tab.goto("/")
    tab.get_by_label("Years of experience years").fill("7")
    asked: list[str] = []
    tab.on("request", lambda request: asked.append(request.url))
    tab.get_by_role("link", name="Skip to the content").focus()
    tab.keyboard.press("Enter")
    expect(tab.get_by_role("main")).to_be_focused()
    tab.evaluate("new Promise(done => setTimeout(done))")  # whoever asks, does so in an event
    assert not [address for address in asked if not address.endswith("icon.svg")]
    expect(tab.get_by_label("Years of experience years")).to_have_value("7")


def test_on_a_phone_the_answer_comes_into_view(tab: Page) -> None:
    tab.set_viewport_size(PHONE)  # type: ignore[arg-type]  # Playwright's own type has the same members
    answer(tab, "/?model=wages")
    expect(tab.locator("#headline")).to_be_in_viewport()


def test_a_new_page_is_announced_by_its_focus_and_its_title(tab: Page) -> None:
    tab.goto("/")
    tab.get_by_role("link", name="Models").press("Enter")
    expect(tab).to_have_title("Models · Paygrade")
    expect(tab.locator("main")).to_be_focused()
    expect(tab.get_by_role("link", name="Models")).to_have_attribute("aria-current", "page")


def test_the_first_view_is_small_and_nothing_in_it_moves(tab: Page) -> None:
    devtools = tab.context.new_cdp_session(tab)
    devtools.send("Network.enable")
    sizes: list[float] = []
    devtools.on("Network.loadingFinished", lambda event: sizes.append(event["encodedDataLength"]))
    tab.goto("/", wait_until="networkidle")
    moved = tab.evaluate(
        """() => new Promise(resolve => { let sum = 0;
        new PerformanceObserver(list => list.getEntries().forEach(entry => sum += entry.value))
          .observe({type: "layout-shift", buffered: true});
        setTimeout(() => resolve(sum), 200); })"""
    )
    assert len(sizes) >= 4
    assert sum(sizes) < MOST_BYTES
    assert moved == 0


TREE = """
- banner:
  - link "Paygrade"
  - navigation "Pages":
    - link "Predict"
    - link "Score a file"
    - link "Jobs"
    - link "Models"
    - link "Service"
- main:
  - region "Predict salary":
    - heading "Predict salary" [level=1]
    - combobox "Model"
    - spinbutton "Years of experience years": "2.5"
    - button "Predict"
  - region "Answer"
- contentinfo
"""
ANSWER_TREE = """
- main:
  - region "Answer":
    - heading "What each feature added" [level=2]
    - table /From the base/
    - heading "How it moves" [level=2]
    - combobox "with"
    - figure "All other features are held.":
      - img /salary as years moves; the table below has the numbers/
      - slider "Move years"
      - group: The same as a table
"""


def test_a_screen_reader_meets_names_roles_and_values_in_their_order(tab: Page) -> None:
    tab.goto("/")
    expect(tab.locator("body")).to_match_aria_snapshot(TREE)
    answer(tab)
    expect(tab.locator("[data-curve]")).to_be_visible()
    expect(tab.locator("body")).to_match_aria_snapshot(ANSWER_TREE)
    assert "years 2.5: 260.00012" in (tab.get_by_label("Move years").get_attribute("aria-valuetext") or "")


def test_every_chart_has_its_numbers_beside_it(tab: Page) -> None:
    answer(tab, "/?model=wages")
    expect(tab.locator("[data-curve]")).to_be_visible()
    points = len(json.loads(tab.locator("[data-curve]").get_attribute("data-curve") or ""))
    assert tab.locator("[data-curve] table tbody tr").count() == points
    assert tab.locator("svg").count() == tab.locator("table svg, [data-curve] svg").count()
    scored(tab, CSV)
    assert tab.locator("figure.chart").count() == tab.locator("figure.chart table").count() == 1
