"""The page while the queue is long: the last of these tests, since what it posts stays with the service."""

from playwright.sync_api import Page, expect

from jobs import ids
from jobs.predictions.record import NewPrediction
from jobs.predictions.store import PredictionStore
from jobs.settings import Settings
from model.description.catalog import Catalog
from tests.browser.conftest import KEY, Site, frozen_worker
from tests.browser.test_file import GOOD, choose
from tests.browser.test_other_pages import enter

WAITING = 100_000


def test_it_works_while_many_jobs_wait(tab: Page, site: Site) -> None:
    store = PredictionStore(site.stack.records, Settings(api_keys="flood:" + "0" * 64, rows_per_minute=0))  # type: ignore[arg-type]
    manifest = Catalog(site.stack.settings["PAYGRADE_BUNDLES"], "salary").find()
    with frozen_worker(site):
        for _ in range(0, WAITING, 2_000):
            store.add([job_of(manifest.ref, manifest.sha256) for _ in range(2_000)])
        enter(tab, site, "/service", KEY)
        expect(tab.locator("dt", has_text="Waiting").first.locator("+ dd")).to_have_text("100,000")
        tab.get_by_role("link", name="Predict").click()
        tab.get_by_role("button", name="Predict", exact=True).click()
        expect(tab.get_by_role("heading", name="Waiting to be scored")).to_be_visible()
        tab.get_by_role("link", name="Jobs", exact=True).click()
        mine = tab.get_by_role("region", name="Your jobs").locator("tbody tr")
        expect(mine).to_contain_text(["before it"])
        mine.first.get_by_role("link").click()
        expect(tab.locator("dt", has_text="Rows before it is done")).to_be_visible()
    expect(tab.get_by_role("region", name="Predictions")).to_contain_text("260.00012")
    tab.get_by_role("link", name="Score a file").click()
    choose(tab, GOOD)
    tab.locator("[data-score]").click()
    expect(tab.locator(".status")).to_have_text("succeeded")


def job_of(model: str, sha256: str) -> NewPrediction:
    return NewPrediction(
        id=ids.new_id(ids.PREDICTION), model=model, sha256=sha256, owner="flood", inputs=b"[2.5]", rows=1
    )
