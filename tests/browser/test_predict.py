"""Predict: a form made from the model, the answer, what each feature added, and how it moves."""

import json
import re
from typing import Any

import requests
from playwright.sync_api import Page, expect

from tests.browser.conftest import Site
from web.page.writing import MINUS


def answer(tab: Page, path: str = "/") -> None:
    """Opens the form, and predicts with what it is filled with."""
    tab.goto(path)
    tab.get_by_role("button", name="Predict", exact=True).click()
    expect(tab.locator("#headline")).to_be_visible()


def curve(tab: Page) -> list[Any]:
    expect(tab.locator("[data-curve]")).to_be_visible()
    return list(json.loads(tab.locator("[data-curve]").get_attribute("data-curve") or ""))


def curve_of(tab: Page, label: str, name: str) -> list[Any]:
    tab.get_by_label("with", exact=True).select_option(label)
    expect(tab.locator("[data-curve]")).to_have_attribute("data-name", name)
    return curve(tab)


def test_the_form_has_labels_units_ranges_choices_and_a_real_example(tab: Page) -> None:
    tab.goto("/?model=wages")
    schooling = tab.get_by_label("Years of schooling education")
    expect(schooling).to_have_value("7")
    expect(schooling).to_have_accessible_description("0 to 30; training saw 1 to 18")
    region = tab.get_by_label("Census division of the home in 1966")
    expect(region).to_have_value("New England")
    assert region.locator("option").count() == 9
    expect(tab.get_by_label("Lives in a metropolitan area")).to_have_value("true")


def test_missing_is_allowed_where_the_model_allows_it(tab: Page) -> None:
    tab.goto("/?model=wages")
    expect(tab.get_by_label("Her years of schooling")).to_have_accessible_description(
        re.compile("may be left empty")
    )
    card = tab.get_by_label("There was one in the home at the age of 14")
    assert card.locator("option").all_inner_texts() == ["not known", "yes", "no"]
    assert tab.get_by_label("Is enrolled in a school").locator("option").all_inner_texts() == ["yes", "no"]
    card.select_option("not known")
    tab.get_by_role("button", name="Predict", exact=True).click()
    expect(tab.locator("#headline")).to_be_visible()


def test_the_answer_is_large_and_has_its_unit_and_interval(tab: Page) -> None:
    answer(tab, "/?model=wages")
    expect(tab.locator("#headline")).to_have_text("3.9206624")
    expect(tab.locator(".unit")).to_have_text("dollars an hour")
    expect(tab.locator(".interval")).to_have_text("between 2.296 and 6.102 in 90 of 100 cases")
    large = tab.locator("#headline").evaluate("element => parseFloat(getComputedStyle(element).fontSize)")
    assert large >= 40
    expect(tab.locator("#said")).to_have_text(re.compile("3.9206624 dollars an hour"))


def test_bars_lead_from_the_base_to_the_prediction(tab: Page) -> None:
    answer(tab)
    rows = tab.locator("table.bars tbody tr")
    assert rows.locator("th").all_inner_texts()[::2] == ["Base", "Prediction"]
    base, added, prediction = (
        float(text.replace(MINUS, "-")) for text in rows.locator(".figure").all_inner_texts()
    )
    assert abs(base + added - prediction) < 0.01
    assert abs(prediction - 260.00012) < 0.01
    expect(rows.nth(1).locator("svg rect")).to_have_count(1)


def test_a_curve_is_one_list_prediction_with_the_rest_held(tab: Page, site: Site) -> None:
    answer(tab, "/?model=wages")
    points = curve_of(tab, "Years of schooling", "education")
    assert [points[0][2], points[-1][2]] == ["1", "18"]
    listed = requests.get(f"{site.open}/v1/predictions", timeout=30).json()["data"]
    newest = next(job for job in listed if job["metadata"] == {"page": "curve"})
    assert len(newest["outputs"]) == len(points)
    [here] = [point for point in points if point[2] == "7"]
    assert float(here[3]) == 3.9206624, "at the value of the form, the curve is the answer"


def test_a_point_is_dragged_along_the_curve_and_predicts_where_it_is_left(tab: Page) -> None:
    answer(tab)
    curve(tab)
    box = tab.locator("svg.plot").bounding_box()
    assert box
    before = tab.locator("#dragged").inner_text()
    tab.mouse.move(box["x"] + box["width"] * 0.1, box["y"] + box["height"] / 2)
    tab.mouse.down()
    tab.mouse.move(box["x"] + box["width"] * 0.8, box["y"] + box["height"] / 2, steps=5)
    expect(tab.locator("#dragged")).not_to_have_text(before)
    expect(tab.get_by_label("Years of experience years")).to_have_value("2.5")
    tab.mouse.up()
    expect(tab.get_by_label("Years of experience years")).not_to_have_value("2.5")
    expect(tab.locator("#headline")).to_have_text("749.99884")


def test_a_point_is_moved_by_keys(tab: Page) -> None:
    answer(tab)
    slider = tab.get_by_label("Move years")
    slider.focus()
    tab.keyboard.press("End")
    expect(tab.get_by_label("Years of experience years")).to_have_value("12")
    expect(tab.locator("#headline")).to_have_text("749.99884")
    expect(tab.get_by_label("Move years")).to_be_focused()


def test_choices_have_a_curve_too(tab: Page) -> None:
    answer(tab, "/?model=wages")
    points = curve_of(tab, "Census division of the home in 1966", "region")
    assert [point[2] for point in points][:2] == ["East North Central", "East South Central"]


def test_it_warns_of_what_training_did_not_see(tab: Page) -> None:
    tab.goto("/")
    tab.get_by_label("Years of experience years").fill("30")
    tab.keyboard.press("Enter")
    expect(tab.locator(".careful")).to_contain_text(
        "Unlike the training data: years is above what training saw"
    )
    expect(tab.locator("figcaption")).to_contain_text("The striped parts are outside what training saw")


def test_faults_stand_at_their_fields(tab: Page) -> None:
    tab.goto("/?model=wages")
    tab.get_by_label("Years of schooling education").fill("99")
    tab.get_by_label("Years since then, at most").fill("")
    tab.get_by_role("button", name="Predict", exact=True).click()
    expect(tab.get_by_label("Years of schooling education")).to_have_accessible_description(
        re.compile("must be at most 30")
    )
    expect(tab.get_by_label("Years since then, at most")).to_have_accessible_description(
        re.compile("is missing")
    )
    expect(tab.get_by_label("Years of schooling education")).to_have_attribute("aria-invalid", "true")


def test_another_model_and_another_example_are_chosen(tab: Page) -> None:
    tab.goto("/")
    tab.get_by_label("Model").select_option("wages")
    expect(tab.get_by_role("heading", level=1)).to_have_text("Predict wage")
    tab.get_by_role("link", name="Another example").click()
    expect(tab.get_by_label("Years of schooling education")).to_have_value("12")


def test_a_classifier_says_its_class_and_all_probabilities(tab: Page) -> None:
    answer(tab, "/?model=hostile")
    expect(tab.locator("#headline")).to_contain_text("no<img")
    expect(tab.locator("caption").first).to_have_text("All scores")


def test_it_works_without_javascript(plain: Page) -> None:
    answer(plain)
    expect(plain.locator("#headline")).to_have_text("260.00012")
    expect(plain.locator("svg polyline")).to_have_count(1)
    plain.get_by_label("Years of experience years").fill("4.5")
    plain.get_by_role("button", name="Predict", exact=True).click()
    expect(plain.locator("#headline")).to_have_text("374.99866")
