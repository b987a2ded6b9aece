"""The report of a model is for everyone: it opens from a disk, on a phone, in the dark, and runs nothing."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, expect

from tests.browser.conftest import PATIENCE_MS
from tests.browser.test_everyone import LOOKS
from tests.unit.model.command import made, run, write_csv

NASTY = "<script>document.title = 'ran'</script>"


@pytest.fixture(scope="module")
def reports(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Of numbers with an interval, of classes, and of two versions; by what they are about."""
    folder = tmp_path_factory.mktemp("reports")
    random = np.random.default_rng(1)
    a, b = random.normal(size=(2, 200)).round(3)
    kinds = random.choice(["x", "y", NASTY], 200).tolist()
    rows = list(zip(a.tolist(), kinds, (a + b).round(3).tolist(), strict=True))
    table = write_csv(folder / "t.csv", ["a", NASTY, "y"], rows)
    where = ("--rounds", "9", "--output", folder)
    numbers = [
        made("train", table, "--target", "y", "--quantiles", "0.1,0.9", *where, "--depth", depth).directory
        for depth in ("2", "3")
    ]
    classes = made("train", table, "--target", NASTY, "--classify", "--name", "c", *where).directory
    both = folder / "both.html"
    assert run("compare", *numbers, "--data", table, "--report", both).status == 0
    return {"numbers": numbers[0] / "report.html", "classes": classes / "report.html", "versions": both}


@pytest.fixture(params=LOOKS)
def look(request: pytest.FixtureRequest, browser: Browser) -> Iterator[Page]:
    context = browser.new_context(**LOOKS[request.param])
    context.set_default_timeout(PATIENCE_MS)
    faults: list[str] = []
    context.on("console", lambda message: faults.append(message.text))
    context.on("request", lambda sent: faults.append(sent.url) if not sent.url.startswith("file:") else None)
    yield context.new_page()
    context.close()
    assert faults == []


@pytest.mark.parametrize("about", ["numbers", "classes", "versions"])
def test_axe_finds_no_violation_in_a_report(look: Page, reports: dict[str, Path], about: str) -> None:
    look.goto(reports[about].as_uri())
    look.evaluate("document.querySelectorAll('details').forEach(each => each.open = true)")
    found = Axe().run(look)
    assert found.violations_count == 0, found.generate_report()
    wider = look.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
    assert wider <= 0, f"{wider} pixels wider"
    assert look.title() != "ran"


def test_the_numbers_behind_a_picture_open_without_scripts(
    browser: Browser, reports: dict[str, Path]
) -> None:
    context = browser.new_context(java_script_enabled=False)
    context.set_default_timeout(PATIENCE_MS)
    tab = context.new_page()
    tab.goto(reports["numbers"].as_uri())
    figure = tab.locator("figure", has_text="Coverage of the interval")
    expect(figure.get_by_text("pinball loss")).to_be_hidden()
    figure.get_by_text("The numbers").press("Enter")
    expect(figure.get_by_text("pinball loss")).to_be_visible()
    context.close()
