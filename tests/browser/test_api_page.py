"""/docs: short, grouped and closed at first; what is opened has a real example, and can be tried."""

import re

from playwright.sync_api import Page, expect

TALLEST = 1_800
"""Pixels of a page with nothing opened; it had 7,900."""
GROUPS = [
    "predictions",
    "batches",
    "uploads",
    "models",
    "Open Inference Protocol",
    "service",
    "operators",
]


def opened(tab: Page) -> None:
    tab.goto("/docs")
    expect(tab.locator("h3.opblock-tag")).to_have_count(len(GROUPS))


def test_it_is_short_grouped_and_closed(tab: Page) -> None:
    opened(tab)
    assert [text.split("\n")[0] for text in tab.locator("h3.opblock-tag").all_inner_texts()] == GROUPS
    expect(tab.locator(".opblock")).to_have_count(0)
    assert tab.evaluate("document.documentElement.scrollHeight") < TALLEST


def test_a_row_is_shown_as_it_is_sent_and_can_be_tried(tab: Page) -> None:
    opened(tab)
    tab.locator("h3.opblock-tag", has_text="predictions").click()
    operation = tab.locator("#operations-predictions-createPrediction")
    operation.locator(".opblock-summary-control").click()
    body = operation.locator(".body-param textarea")
    expect(body).to_have_value(re.compile(r'"years": 2.5'))
    operation.get_by_role("button", name="Execute").click()
    expect(operation.locator(".live-responses-table")).to_contain_text("pred_")


def test_answers_have_real_examples(tab: Page) -> None:
    opened(tab)
    tab.locator("h3.opblock-tag", has_text="predictions").click()
    operation = tab.locator("#operations-predictions-showPrediction")
    operation.locator(".opblock-summary-control").click()
    expect(operation.locator(".responses-table").first).to_contain_text("260.00012")
    assert "additionalProp1" not in operation.inner_text()
