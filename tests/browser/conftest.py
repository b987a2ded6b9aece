"""One service for all tests of the page, a Chromium for each file, and tabs that forgive nothing."""

import os
import shutil
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from typing import NamedTuple
from urllib.parse import urlsplit

import pytest
import requests
from playwright.sync_api import Browser, BrowserContext, ConsoleMessage, Page, expect, sync_playwright

from tests.browser.bundles import make_bundles
from tests.integration.service import PYTHON, Service, clean_environment, free_port, wait_until
from tests.integration.stack import NoStore, Stack, store_binary
from web.keys import digest

CHROMIUMS = ("chromium", "chromium-browser", "google-chrome")
FLAGS = [
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
PATIENCE_MS = 30_000
"""A deadline against hanging, never a promise."""
KEY, OPERATORS_KEY = "key of ann", "key of the operator"
DESKTOP = {"width": 1280, "height": 900}


class NoBrowser(Exception):
    """There is no Chromium on this machine."""


class Site(NamedTuple):
    """The same service twice: for anybody, and for those with a key."""

    stack: Stack
    open: str
    keyed: str


@contextmanager
def frozen_worker(site: Site) -> Iterator[None]:
    """Nothing is scored meanwhile."""
    [worker] = site.stack.workers
    processes = [worker.pid, *worker.children()]
    try:
        for pid in processes:
            os.kill(pid, signal.SIGSTOP)
        yield
    finally:
        for pid in processes:
            os.kill(pid, signal.SIGCONT)


@pytest.fixture(scope="session")
def site(chromium: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """Without a browser none is started."""
    signal.signal(signal.SIGINT, signal.default_int_handler)
    data = tmp_path_factory.mktemp("browser")
    settings = {
        "PAYGRADE_QUEUES": "predictions,batches",
        "PAYGRADE_BATCH_CHILDREN": "1",
        "PAYGRADE_BUNDLES": str(make_bundles(data / "bundles")),
        "PAYGRADE_MAX_WAITING": "200000",
    }
    with Stack(data, settings) as stack:
        stack.start_web()
        keyed, port = keyed_web(stack)
        stack.ready(stack.start_worker(), children=2)
        yield Site(stack, stack.address, f"http://127.0.0.1:{port}")
        keyed.kill_group()


def keyed_web(stack: Stack) -> tuple[Service, int]:
    keys = f"ann:{digest(KEY)},operator:{digest(OPERATORS_KEY)}:predict+operate"
    port = free_port()
    environment = clean_environment(
        REDIS_URL=stack.redis_url, PAYGRADE_DATA=str(stack.data), PAYGRADE_API_KEYS=keys, **stack.settings
    )
    log = stack.data / "keyed-web.log"
    service = Service([PYTHON, "-m", "web", "--port", str(port)], log, environment)
    wait_until("web with keys answers", lambda: not service.alive or _answers(port))
    assert service.alive, service.says()
    return service, port


def _answers(port: int) -> bool:
    try:
        return requests.get(f"http://127.0.0.1:{port}/healthz", timeout=10).ok
    except requests.RequestException:
        return False


@pytest.fixture(scope="session")
def chromium() -> str:
    """Without Chromium or a store these tests skip at home; in CI they fail."""
    try:
        store_binary()
        path = next(filter(None, map(shutil.which, CHROMIUMS)), None)
        if not path:
            raise NoBrowser("no chromium: apt-get install chromium")
    except (NoStore, NoBrowser) as error:
        if os.environ.get("CI") == "true":
            raise
        pytest.skip(str(error))
    return path


@pytest.fixture(scope="module")
def browser(chromium: str) -> Iterator[Browser]:
    """One for each file: no test of another file could run an event loop beside that of Playwright."""
    expect.set_options(timeout=PATIENCE_MS)
    with sync_playwright() as playwright:
        started = playwright.chromium.launch(executable_path=chromium, args=FLAGS)
        yield started
        started.close()


class Watched:
    """What a page must never do: complain, fail, or ask another host."""

    def __init__(self, context: BrowserContext, hosts: set[str]) -> None:
        self.faults: list[str] = []
        self._hosts = hosts
        context.on("console", self._said)
        context.on("weberror", lambda failed: self.faults.append(f"error: {failed.error}"))
        context.on("request", lambda request: self._asked(request.url))

    def _said(self, message: ConsoleMessage) -> None:
        if message.type in ("error", "warning"):
            self.faults.append(f"console: {message.text}")

    def _asked(self, url: str) -> None:
        if urlsplit(url).scheme not in ("blob", "data") and urlsplit(url).netloc not in self._hosts:
            self.faults.append(f"another host: {url}")


@pytest.fixture
def context(browser: Browser, site: Site) -> Iterator[BrowserContext]:
    context = browser.new_context(viewport=DESKTOP, base_url=site.open, locale="en-GB", accept_downloads=True)  # type: ignore[arg-type]
    context.set_default_timeout(PATIENCE_MS)
    watched = Watched(context, {urlsplit(address).netloc for address in (site.open, site.keyed)})
    yield context
    context.close()
    assert watched.faults == []


@pytest.fixture
def tab(context: BrowserContext) -> Page:
    return context.new_page()


@pytest.fixture
def plain(browser: Browser, site: Site) -> Iterator[Page]:
    """A tab without JavaScript."""
    context = browser.new_context(viewport=DESKTOP, base_url=site.open, java_script_enabled=False)  # type: ignore[arg-type]
    context.set_default_timeout(PATIENCE_MS)
    yield context.new_page()
    context.close()
