"""Score a file: dropped, checked, scored, followed, looked at, downloaded, and corrected."""

import base64
import gzip
import io
import re
import zipfile
from collections.abc import Callable
from pathlib import Path

import pyarrow
import pyarrow.csv
import pyarrow.parquet
import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import Site, frozen_worker

CSV = b"name,years\nada,2.5\nbob,many\ncid,12.5\n"
GOOD = b"name,years\nada,2.5\ncid,12.5\n"


NOTE_SIZES = """
window.sizes = [];
const { send } = XMLHttpRequest.prototype;
XMLHttpRequest.prototype.send = function (body) {
  window.sizes.push(body?.get("file").size);
  return send.call(this, body);
};
"""


def parquet(text: bytes) -> bytes:
    written = io.BytesIO()
    pyarrow.parquet.write_table(pyarrow.csv.read_csv(io.BytesIO(text)), written)
    return written.getvalue()


def zipped(text: bytes) -> bytes:
    written = io.BytesIO()
    with zipfile.ZipFile(written, "w") as archive:
        archive.writestr("people.csv", text)
    return written.getvalue()


FILES: dict[str, Callable[[bytes], bytes]] = {
    "people.csv": bytes,
    "people.parquet": parquet,
    "people.ndjson": lambda _: b'{"name":"ada","years":2.5}\n{"name":"cid","years":12.5}\n',
    "people.csv.gz": gzip.compress,
    "people.zip": zipped,
}


def choose(tab: Page, content: bytes, name: str = "people.csv") -> None:
    tab.get_by_label("Drop a file here, or choose one").set_input_files(
        {"name": name, "mimeType": "", "buffer": content}
    )


def scored(tab: Page, content: bytes, name: str = "people.csv") -> None:
    """Chooses a file, and scores it once it is checked."""
    tab.goto("/score")
    choose(tab, content, name)
    tab.locator("[data-score]").click()
    expect(tab.get_by_role("heading", name="Your scored file")).to_be_visible()


@pytest.mark.parametrize("name", FILES)
def test_each_kind_of_file_is_checked_and_scored(tab: Page, name: str) -> None:
    scored(tab, FILES[name](GOOD), name)
    expect(tab.locator(".status")).to_have_text("succeeded")
    expect(tab.get_by_role("region", name="The first 2 rows of the results")).to_contain_text("260.00012")


def test_a_file_can_be_dropped(tab: Page) -> None:
    tab.goto("/score")
    dropped = tab.evaluate_handle(
        """text => { const held = new DataTransfer();
        held.items.add(new File([atob(text)], "people.csv")); return held; }""",
        base64.b64encode(GOOD).decode(),
    )
    tab.dispatch_event("[data-drop]", "drop", {"dataTransfer": dropped})
    expect(tab.get_by_role("heading", name="The file can be scored")).to_be_visible()


def test_the_check_comes_first_and_scores_nothing(tab: Page) -> None:
    tab.goto("/score?model=wages")
    row = "12,7,New England,true,false,11,9"
    choose(
        tab, f"education,experience,region,city,student,mother_education,note\n{row}\n99{row[2:]}\n".encode()
    )
    found = tab.locator("#check")
    expect(found).to_contain_text("Matched: education, experience, region, city, student")
    expect(found).to_contain_text("the file has mother_education, the model knows mothers_education")
    expect(found).to_contain_text("Not in the file: knowledge, mothers_education")
    expect(found).to_contain_text("Kept as they are: mother_education, note")
    expect(found).to_contain_text("Row 2: education must be at most 30")
    expect(found.locator(".facts")).to_contain_text("1 of 2")


def test_a_column_that_is_missing_is_named_with_what_is_near(tab: Page) -> None:
    tab.goto("/score")
    choose(tab, b"name,Yeers\nada,2.5\n")
    expect(tab.get_by_role("alert")).to_contain_text("there is no column years; there is Yeers")


def test_a_file_that_can_be_read_in_two_ways_is_read_as_its_owner_says(tab: Page) -> None:
    tab.goto("/score")
    choose(tab, b"name;years\nada;1,234\n")
    expect(tab.get_by_role("alert")).to_contain_text("decimal")
    tab.get_by_text("If the file is not read as it should be").click()
    tab.get_by_label("Decimal sign").select_option("comma: 2,5")
    expect(tab.get_by_role("heading", name="The file can be scored")).to_be_visible()


def test_of_a_long_file_only_the_start_is_sent_to_be_checked(tab: Page) -> None:
    tab.add_init_script(NOTE_SIZES)
    tab.goto("/score")
    choose(tab, b"years\n" + b"2.5\n" * 1_000_000)
    expect(tab.get_by_role("heading", name="The file can be scored")).to_be_visible()
    expect(tab.get_by_role("button", name="Score the file")).to_be_visible()
    [size] = tab.evaluate("window.sizes")
    assert 1_000_000 < size <= 1024 * 1024


def test_progress_rate_time_left_and_counts_are_followed_and_it_can_be_canceled(
    tab: Page, site: Site
) -> None:
    tab.goto("/score")
    choose(tab, b"years\n" + b"2.5\n" * 100)
    expect(tab.locator("[data-score]")).to_be_visible()
    with frozen_worker(site):
        tab.locator("[data-score]").click()
        expect(tab.get_by_role("heading", name="Your file is being scored")).to_be_visible()
        expect(tab.get_by_role("progressbar")).to_be_visible()
        assert tab.locator("dt").all_inner_texts() == ["Scored", "Failed", "Rows a second", "Time left"]
        tab.get_by_role("button", name="Cancel").click()
        expect(tab.locator(".status")).to_have_text(re.compile("cancel"))
    expect(tab.locator(".status")).to_have_text("canceled")


def test_first_results_and_their_distribution_are_shown(tab: Page) -> None:
    scored(tab, b"name,years\n" + b"".join(b"n%d,%f\n" % (i, i % 13) for i in range(60)))
    expect(
        tab.get_by_role("region", name="The first 10 rows of the results").locator("tbody tr")
    ).to_have_count(10)
    chart = tab.locator("figure.chart")
    expect(chart.locator("figcaption")).to_have_text("All 60 rows by their prediction")
    chart.locator("summary").click()
    counts = [int(text) for text in chart.locator("td.figure").all_inner_texts()]
    assert sum(counts) == 60
    assert chart.locator("svg rect").count() == len(counts)


@pytest.mark.parametrize(("words", "ending"), [("CSV", "csv"), ("NDJSON", "ndjson"), ("Parquet", "parquet")])
def test_results_are_downloaded_in_any_format(tab: Page, tmp_path: Path, words: str, ending: str) -> None:
    tab.goto("/score")
    tab.get_by_label("Results as").select_option(words)
    choose(tab, GOOD)
    tab.locator("[data-score]").click()
    with tab.expect_download() as download:
        tab.get_by_role("link", name=f"Download the results ({words})").click()
    saved = tmp_path / download.value.suggested_filename
    download.value.save_as(saved)
    assert saved.suffix == f".{ending}"
    content = saved.read_bytes()
    if ending == "parquet":
        found = pyarrow.parquet.read_table(saved).column("name").to_pylist()
        assert found == ["ada", "cid"]
    else:
        assert b"260.00012" in content


def test_failed_rows_have_their_reasons_and_are_scored_again_once_corrected(tab: Page) -> None:
    scored(tab, CSV)
    expect(tab.locator(".status")).to_have_text("partially succeeded")
    failed = tab.get_by_role("region", name="Failed rows")
    expect(failed).to_contain_text("years must be a number")
    wrong = failed.get_by_label("years of row 2")
    expect(wrong).to_have_value("many")
    wrong.fill("4.5")
    tab.get_by_role("button", name="Retry corrected rows").click()
    expect(tab.locator(".status")).to_have_text("succeeded")
    results = tab.get_by_role("region", name="The first 3 rows of the results")
    assert results.locator("tbody tr").all_inner_texts()[1].split("\t")[:2] == ["bob", "374.99866"]


def test_it_works_without_javascript(plain: Page) -> None:
    plain.goto("/score")
    choose(plain, CSV)
    plain.get_by_role("button", name="Check it first").click()
    expect(plain.get_by_role("heading", name="The file can be scored")).to_be_visible()
    choose(plain, CSV)
    plain.get_by_role("button", name="Score the file").click()
    expect(plain.get_by_role("heading", name="Your scored file")).to_be_visible()
    plain.get_by_label("years of row 2").fill("4.5")
    plain.get_by_role("button", name="Retry corrected rows").click()
    expect(plain.get_by_role("cell", name="374.99866")).to_be_visible()
