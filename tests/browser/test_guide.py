"""The guide answers a newcomer: from its first page, and by its search with the words that people type."""

import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe
from flask import Flask
from playwright.sync_api import Browser, Page, expect
from werkzeug.serving import make_server

from tests.browser.conftest import DESKTOP, PATIENCE_MS
from tests.browser.test_everyone import LOOKS
from tests.documents import ROOT
from web.guide.routes import GuideRoutes

DOCS = ROOT / "docs"
AMONG_THE_FIRST = 4
HREFS = "all => all.map(one => one.getAttribute('href'))"

TASKS = {
    "predict": ("guides/predictions.html", ["predict", "get a prediction", "score a row"]),
    "own model": ("guides/own-models.html", ["own model", "serve my model", "train a model"]),
    "pin": ("guides/tasks.html", ["pin version", "pin a model version"]),
    "roll back": ("guides/tasks.html", ["roll back", "rollback model"]),
    "retry": ("guides/batches.html", ["retry failed rows", "correct failed rows", "failed rows"]),
    "failed job": ("guides/tasks.html", ["failed job", "find a failed job", "why did my job fail"]),
    "rotate a key": ("guides/keys.html", ["rotate key", "new key", "revoke key", "api key"]),
    "back up": ("guides/backups.html", ["backup", "back up", "restore"]),
    "limits": (
        "reference/limits.html",
        ["limits", "max file size", "how long are results kept", "retention"],
    ),
    "dashboards": ("guides/operating.html", ["dashboard", "grafana", "prometheus", "monitoring"]),
}
"""By task: the page that has it, and what a newcomer types. The page of all ten tasks is an answer, too."""

PAGES = (
    "README",
    "guides/tasks",
    "reference/limits",
    "explanations/beside-other-services",
    "explanations/how-a-job-travels",
)


@pytest.fixture(scope="module")
def address(browser: Browser, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The guide of this checkout, served as web serves it."""
    folder = tmp_path_factory.mktemp("guide")
    folders = [str(each) for each in ("-d", folder / "state", "-c", DOCS / "site", DOCS, folder / "site")]
    subprocess.run([sys.executable, "-m", "sphinx", "-q", "-b", "html", *folders], check=True)
    with served(folder / "site") as server:
        yield server


@contextmanager
def served(site: Path) -> Iterator[str]:
    """A folder as web serves it, under /guide."""
    app = Flask("guide", static_folder=None)
    guide = GuideRoutes(site)
    app.add_url_rule("/guide/<path:file>", "file", lambda file: guide.file(None, file))  # type: ignore[arg-type]
    server = make_server("127.0.0.1", 0, app, threaded=True)
    threading.Thread(target=server.serve_forever).start()
    yield f"http://127.0.0.1:{server.port}"
    server.shutdown()


@pytest.fixture
def reader(browser: Browser, address: str) -> Iterator[Page]:
    context = browser.new_context(viewport=DESKTOP, base_url=address)  # type: ignore[arg-type]
    context.set_default_timeout(PATIENCE_MS)
    faults: list[str] = []
    context.on("console", lambda message: faults.append(message.text) if message.type == "error" else None)
    page = context.new_page()
    page.goto("/guide/README.html")
    yield page
    context.close()
    assert faults == []


@pytest.mark.parametrize("task", TASKS)
def test_the_first_page_leads_to_each_task(reader: Page, task: str) -> None:
    page, _ = TASKS[task]
    main = reader.locator("div.body")
    assert main.locator(f'a[href^="{page}"]').count() >= 1
    reader.locator('a[href^="guides/tasks.html#"]').filter(has_text=task).first.click()
    reader.locator("div.body section:target a.reference").first.wait_for()  # it leads to the rest


@pytest.mark.parametrize("task", TASKS)
def test_the_search_finds_each_task_by_the_words_that_people_type(reader: Page, task: str) -> None:
    page, asked = TASKS[task]
    for words in asked:
        reader.goto("/guide/README.html")
        reader.get_by_label("Search the guide").fill(words)
        reader.keyboard.press("Enter")
        expect(reader.locator("#search-results ul.search")).to_be_visible()
        expect(reader.locator("#search-results p.search-summary")).to_contain_text("found")
        links = reader.locator("#search-results li a")
        found = [link.partition("#")[0] for link in links.evaluate_all(HREFS)]
        first = list(dict.fromkeys(found))[:AMONG_THE_FIRST]
        assert {page, "guides/tasks.html"} & set(first), f"{words}: {first}"


@pytest.mark.parametrize("page", PAGES)
def test_a_page_of_the_guide_is_for_everyone(browser: Browser, address: str, page: str) -> None:
    for look in LOOKS.values():
        context = browser.new_context(base_url=address, **look)
        context.set_default_timeout(PATIENCE_MS)
        tab = context.new_page()
        tab.goto(f"/guide/{page}.html")
        found = Axe().run(tab)
        wider = tab.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
        broken = tab.locator("img").evaluate_all("all => all.filter(one => !one.naturalWidth).length")
        context.close()
        assert found.violations_count == 0, found.generate_report()
        assert (wider, broken) == (0, 0)
