"""A long file goes straight from the page to S3, and its results come from there."""

import random
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Browser, Page, expect

from ecs.bucket import let_page_upload
from tests.browser.conftest import DESKTOP, KEY, PATIENCE_MS, Watched
from tests.browser.test_file import choose, parquet
from tests.integration.signed_s3 import SignedS3, stack_with_direct_files
from tests.integration.stack import Stack

LONG = b"name,years\n" + (b"n" * 990 + b",2.5\n") * 9_500
NOISE = random.Random(1)  # noqa: S311 (no secret)
NOISY = b"name,years\n" + b"".join(NOISE.randbytes(450).hex().encode() + b",2.5\n" for _ in range(12_000))
"""What no Parquet file has in less than 8 MiB."""


class Place(NamedTuple):
    stack: Stack
    s3: SignedS3


class PlayedAws(NamedTuple):
    s3: SignedS3

    def client(self, _: str) -> object:
        return self.s3.client


@pytest.fixture(scope="module")
def place(browser: Browser, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    """Its bucket lets the page in as `up` has it."""
    with stack_with_direct_files(tmp_path_factory.mktemp("long"), {"ann": KEY}) as (stack, s3):
        let_page_upload(PlayedAws(s3), "files", stack.address, {"Front": "api"})  # type: ignore[arg-type]
        stack.start_web()
        stack.ready(stack.start_worker(), children=2)
        yield Place(stack, s3)


@pytest.fixture
def page(browser: Browser, place: Place) -> Iterator[Page]:
    """Of a visitor with a key; it asks nobody but the service and S3."""
    context = browser.new_context(viewport=DESKTOP, base_url=place.stack.address, accept_downloads=True)  # type: ignore[arg-type]
    context.set_default_timeout(PATIENCE_MS)
    watched = Watched(context, {urlsplit(each).netloc for each in (place.stack.address, place.s3.origin)})
    place.s3.direct.clear()
    tab = context.new_page()
    tab.goto("/score")
    tab.get_by_label("Key").fill(KEY)
    tab.keyboard.press("Enter")
    expect(tab.get_by_label("Drop a file here, or choose one")).to_be_visible()
    yield tab
    context.close()
    assert watched.faults == []


def put_sizes(place: Place) -> list[int]:
    return [each.size for each in place.s3.direct if each.method == "PUT"]


def test_a_long_file_goes_to_s3_and_its_results_come_from_there(
    page: Page, place: Place, tmp_path: Path
) -> None:
    choose(page, LONG)
    page.locator("[data-score]").click()
    expect(page.get_by_role("heading", name="Your scored file")).to_be_visible()
    assert put_sizes(place) == [len(LONG)]
    with page.expect_download() as download:
        page.get_by_role("link", name="Download").first.click()
    download.value.save_as(tmp_path / "scored.csv")
    assert (tmp_path / "scored.csv").read_text().count("260.00012") == 9_500
    got = [each for each in place.s3.direct if each.method == "GET"]
    assert got
    assert not any("authorization" in each.headers for each in place.s3.direct)
    assert place.s3.refused == []


def test_what_must_be_checked_as_a_whole_is_uploaded_once(page: Page, place: Place) -> None:
    packed = parquet(NOISY)
    choose(page, packed, "people.parquet")
    expect(page.get_by_role("heading", name="The file can be scored")).to_be_visible()
    page.locator("[data-score]").click()
    expect(page.get_by_role("heading", name="Your scored file")).to_be_visible()
    assert sum(put_sizes(place)) == len(packed) > 8 * 1024 * 1024


def test_the_page_may_ask_the_bucket_and_no_other_host(page: Page, place: Place) -> None:
    policy = page.request.get("/score").headers["content-security-policy"]
    assert f"connect-src 'self' {place.s3.origin};" in policy


def test_pages_of_other_sites_may_not(place: Place) -> None:
    assert place.s3.lets(place.stack.address, "PUT", "files")
    assert not place.s3.lets("https://elsewhere.example", "PUT", "files")
    assert not place.s3.lets(place.stack.address, "DELETE", "files")
