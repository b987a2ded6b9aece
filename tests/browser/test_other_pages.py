"""Jobs, Models and Service; keys and operators."""

import re

import pytest
import requests
from playwright.sync_api import Page, expect

from jobs.predictions.consumer import Outcome, PredictionConsumer
from jobs.predictions.status import PredictionStatus
from jobs.settings import Settings
from tests.browser.conftest import KEY, OPERATORS_KEY, Site, frozen_worker
from tests.browser.test_predict import answer


def post(site: Site, **members: object) -> str:
    sent = requests.post(
        f"{site.open}/v1/predictions", json={"inputs": {"years": 2.5}, **members}, timeout=30
    )
    job_id: str = sent.json()["id"]
    return job_id


def enter(tab: Page, site: Site, path: str = "/", key: str = KEY) -> None:
    tab.goto(site.keyed + path)
    tab.get_by_label("Key").fill(key)
    tab.get_by_role("button", name="Use this key").click()
    expect(tab.get_by_role("button", name="Forget the key")).to_be_visible()


def test_jobs_are_listed_as_they_come(tab: Page, site: Site) -> None:
    tab.goto("/jobs")
    job_id = post(site)
    expect(tab.locator(f"[id='{job_id}']")).to_be_visible()
    tab.get_by_label("Show").select_option("files")
    expect(tab.locator(f"[id='{job_id}']")).to_have_count(0)
    tab.get_by_label("Show").select_option("predictions")
    tab.locator(f"[id='{job_id}']").click()
    expect(tab.get_by_role("heading", level=1)).to_have_text("Prediction")
    expect(tab.get_by_role("region", name="Predictions")).to_contain_text("260.00012")
    tab.get_by_role("button", name="Delete it and its data").click()
    expect(tab.get_by_role("heading", level=1)).to_have_text("Your jobs")
    assert requests.get(f"{site.open}/v1/predictions/{job_id}", timeout=30).status_code == 404


def test_older_jobs_are_on_further_pages(tab: Page, site: Site) -> None:
    first = post(site)
    for _ in range(20):
        post(site)
    tab.goto("/jobs?kind=predictions")
    tab.get_by_role("link", name="Older").click()
    expect(tab.locator(f"[id='{first}']")).to_be_visible()
    tab.go_back()
    expect(tab.locator(f"[id='{first}']")).to_have_count(0)


def test_models_have_versions_aliases_features_and_metrics(tab: Page) -> None:
    tab.goto("/models")
    card = tab.locator("li.card", has_text="Predicts salary")
    expect(card).to_contain_text("Versions: 2, 1")
    expect(card).to_contain_text("champion is version 1")
    card.get_by_role("link", name="champion").click()
    expect(tab.get_by_role("heading", level=1)).to_have_text("salary@1")
    expect(tab.get_by_role("region", name="Features")).to_contain_text("Years of experience")
    expect(tab.get_by_role("row", name="training mean absolute error")).to_contain_text("0.000867")


def test_two_models_are_compared(tab: Page) -> None:
    tab.goto("/models")
    tab.get_by_label("One", exact=True).select_option("salary@1")
    tab.get_by_label("The other").select_option("wages@1")
    tab.get_by_role("button", name="Compare").click()
    expect(tab.get_by_role("heading", level=1)).to_have_text("salary@1 and wages@1")
    metrics = tab.get_by_role("region", name="Metrics")
    expect(metrics.get_by_role("row", name="model: r2")).to_contain_text("0.251455 ± 0.027961")
    expect(tab.get_by_role("region", name="Features")).to_contain_text("training saw 1 to 12")


def test_the_service_says_what_waits_and_who_works(tab: Page) -> None:
    tab.goto("/service")
    facts = dict(zip(tab.locator("dt").all_inner_texts(), tab.locator("dd").all_inner_texts(), strict=True))
    assert facts["Workers"] == "1"
    assert {"Waiting", "Oldest has waited", "Oldest part has waited"} <= facts.keys()


def test_a_key_is_asked_for_and_kept_in_memory_only(tab: Page, site: Site) -> None:
    enter(tab, site)
    answer_with_key(tab)
    tab.get_by_role("link", name="Jobs").click()
    expect(tab.get_by_role("region", name="Your jobs")).to_be_visible()
    stored = tab.evaluate("[localStorage.length, sessionStorage.length, document.cookie, location.href]")
    assert stored[:3] == [0, 0, ""]
    assert KEY not in stored[3]
    assert tab.context.cookies() == []
    tab.reload()
    expect(tab.get_by_role("heading", name="This service asks for a key")).to_be_visible()


def answer_with_key(tab: Page) -> None:
    tab.get_by_role("button", name="Predict", exact=True).click()
    expect(tab.locator("#headline")).to_have_text("260.00012")


def test_a_key_can_be_forgotten_and_a_wrong_one_is_refused(tab: Page, site: Site) -> None:
    enter(tab, site)
    tab.get_by_role("button", name="Forget the key").click()
    tab.get_by_label("Key").fill("wrong")
    tab.keyboard.press("Enter")
    expect(tab.get_by_role("alert")).to_contain_text("This key is not valid")


def test_without_javascript_the_page_says_why_it_cannot_take_a_key(plain: Page, site: Site) -> None:
    plain.goto(site.keyed)
    expect(plain.locator("noscript .box")).to_be_visible()
    expect(plain.get_by_label("Key")).to_be_hidden()


def test_a_file_is_scored_and_downloaded_with_a_key(tab: Page, site: Site) -> None:
    enter(tab, site, "/score")
    file = {"name": "a.csv", "mimeType": "text/csv", "buffer": b"years\n2.5\n"}
    tab.get_by_label("Drop a file here, or choose one").set_input_files(file)  # type: ignore[arg-type]
    tab.locator("[data-score]").click()
    with tab.expect_download() as download:
        tab.get_by_role("link", name=re.compile("Download the results")).click()
    assert download.value.path().read_text().splitlines()[1] == "260.00012,,"


def test_the_jobs_of_others_are_not_there(tab: Page, site: Site) -> None:
    others = post(site)
    enter(tab, site, f"/job?id={others}")
    expect(tab.get_by_role("alert")).to_contain_text("Not Found")


def test_an_operator_sees_all_owners_and_what_was_given_up(tab: Page, site: Site) -> None:
    enter(tab, site, "/service", OPERATORS_KEY)
    owners = tab.get_by_role("region", name="All owners")
    expect(owners.get_by_role("row", name="ann")).to_be_visible()
    expect(tab.get_by_text("No dead letter: nothing was given up.")).to_be_visible()


def test_an_operator_replays_and_drops_what_was_given_up(tab: Page, site: Site) -> None:
    given_up = [give_up(site), give_up(site)]
    enter(tab, site, "/service", OPERATORS_KEY)
    letters = tab.get_by_role("region", name="Dead letters")
    for job_id in given_up:
        row = letters.get_by_role("row", name=job_id)
        expect(row).to_contain_text("anonymous")
        expect(row).to_contain_text("no worker could load salary@1")
    tab.get_by_role("button", name=f"Replay {given_up[0]}").click()
    expect(letters.get_by_role("row", name=given_up[0])).to_have_count(0)
    tab.get_by_role("button", name=f"Drop {given_up[1]}").click()
    expect(tab.get_by_text("No dead letter: nothing was given up.")).to_be_visible()
    newest = requests.get(f"{site.open}/v1/predictions?limit=1", timeout=30).json()["data"]
    assert newest[0]["retry_of"] == given_up[0]


def give_up(site: Site) -> str:
    """A job that the service gives up."""
    consumer = PredictionConsumer(site.stack.records, Settings())
    error = b'{"type":"model_unavailable","detail":"no worker could load salary@1"}'
    while True:
        with frozen_worker(site):  # which may be about to claim the job
            job_id = post(site)
            claims = consumer.claim("test", "wake-up", 1_000)
            consumer.record([Outcome(claim, PredictionStatus.FAILED, error=error) for claim in claims])
        if job_id in (claim.id for claim in claims):
            return job_id


def test_a_caller_does_not(tab: Page, site: Site) -> None:
    enter(tab, site, "/service")
    expect(tab.get_by_text("Workers")).to_be_visible()
    expect(tab.get_by_text("All owners")).to_have_count(0)
    expect(tab.get_by_text("Given up")).to_have_count(0)


@pytest.mark.parametrize(
    "path", ["/", "/models", "/model?name=hostile", "/compare?first=hostile&second=hostile"]
)
def test_markup_in_names_is_harmless(tab: Page, path: str) -> None:
    tab.goto(path)
    if path == "/":
        answer(tab, "/?model=hostile")
        expect(tab.locator("[data-curve]")).to_be_visible()
    assert tab.locator("main img").count() == 0
    assert "54444439" not in tab.content()
