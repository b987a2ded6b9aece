"""The pages over a Paygrade in one process. What a browser makes of them is in tests/browser."""

import re
import shutil
from io import BytesIO
from pathlib import Path
from urllib.parse import unquote

import pytest

from model.description.files import REPORT_FILE
from tests.unit.model.conftest import rewrite
from tests.unit.web.conftest import NewSite
from tests.unit.web.site import BUNDLES, Site, problem
from web.keys import PAGES, digest
from web.own_api import Api, segment
from web.page.render import Templates

KEYS = f"ann:{digest('key of ann')},op:{digest('key of op')}:operate"
ANN = {"Authorization": "Bearer key of ann"}
READABLE = sorted(set(PAGES) - {"/check", "/page/<version>/<file>"})
HOSTILE = "<script>alert(1)</script>\"'><img src=x onerror=alert(1)>{{7777777*7}}"


@pytest.mark.parametrize("path", READABLE)
def test_every_page_is_html_with_a_strict_policy(site: Site, path: str) -> None:
    page = site.client.get(path)
    assert (page.status_code, page.mimetype) == (200, "text/html")
    policy = page.headers["Content-Security-Policy"]
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy
    assert "//" not in re.sub(r"<svg.*?</svg>", "", page.text), "another host is named"
    assert not re.search(r"\sstyle=|\son\w+=|<style|<script(?! type=\"module\" src)", page.text)


@pytest.mark.parametrize("path", READABLE)
def test_with_keys_a_page_asks_for_one_before_it_shows_anything(new_site: NewSite, path: str) -> None:
    site = new_site(keys=KEYS)
    page = site.client.get(path)
    assert "This service asks for a key" in page.text
    assert "salary" not in page.text
    assert "This key is not valid" in site.client.get(path, headers={"X-API-Key": "wrong"}).text


@pytest.mark.parametrize("path", ["/", "/check", "/score", "/job", "/service"])
def test_without_its_key_no_form_is_read(new_site: NewSite, path: str) -> None:
    site = new_site(keys=KEYS)
    unread = BytesIO(b"x" * 1_000_000)
    answered = site.client.post(path, input_stream=unread, content_type="application/x-www-form-urlencoded")
    assert "This service asks for a key" in answered.text
    assert unread.tell() == 0


def test_a_page_shows_what_the_key_of_its_visitor_may_see(new_site: NewSite) -> None:
    site = new_site(keys=KEYS)
    posted = site.post_years(Authorization="Bearer key of ann")
    assert posted in site.client.get("/jobs", headers=ANN).text
    others = site.client.get(f"/job?id={posted}", headers={"Authorization": "Bearer key of op"})
    assert "This did not work" in others.text
    assert "All owners" not in site.client.get("/service", headers=ANN).text
    operator = site.client.get("/service", headers={"Authorization": "Bearer key of op"}).text
    assert "No dead letter" in operator
    assert "ann" in operator


def test_a_form_posts_one_prediction_and_shows_its_faults_at_their_fields(site: Site) -> None:
    faulty = site.client.post("/", data={"model": "salary@1", "f0": "many"})
    assert "must be a number" in faulty.text
    assert 'aria-invalid="true"' in faulty.text
    assert site.list_jobs()["data"] == []
    site.client.post("/", data={"model": "salary@1", "f0": "2.5"})
    assert len(site.list_jobs()["data"]) == 1


def test_a_long_form_is_read_too(site: Site) -> None:
    answered = site.client.post("/", data={"model": "salary@1", "f0": "2.5", "more": "x" * 10_000})
    assert answered.status_code == 200
    assert len(site.list_jobs()["data"]) == 1


def test_looking_again_posts_nothing_new(site: Site) -> None:
    site.client.post("/", data={"model": "salary@1", "f0": "2.5"})
    [job] = site.list_jobs()["data"]
    site.client.post("/", data={"model": "salary@1", "f0": "2.5", "id": job["id"]})
    assert len(site.list_jobs()["data"]) == 1


def test_a_file_goes_from_the_form_to_its_results_without_javascript(site: Site) -> None:
    form = {"results": "csv", "error_inputs": "true", "file": file(b"years\n2.5\nmany\n")}
    posted = site.client.post("/score", data=form)
    assert posted.status_code == 303
    assert "refresh" in site.client.get(f"/{posted.location}").text
    site.score_batches()
    shown = site.client.get(f"/{posted.location}").text
    assert "260.00012" in shown
    assert "years must be a number" in shown
    job_id = posted.location.partition("=")[2]
    retried = site.client.post("/job", data={"id": job_id, "action": "retry", "r1.years": "4.5"})
    site.score_batches()
    results = site.client.get(f"/v1/batches/{retried.location.partition('=')[2]}/results").text
    assert results.splitlines()[1:] == ["260.00012,,", "374.99866,,"]


def file(content: bytes) -> tuple[BytesIO, str]:
    return BytesIO(content), "people.csv"


def test_a_file_that_is_no_table_is_refused_where_it_was_chosen(site: Site) -> None:
    page = site.client.post("/score", data={"file": file(b"name,Yearz\na,1\n")})
    assert page.status_code == 200
    assert "there is no column years" in page.text


def test_a_form_of_another_site_is_refused(site: Site) -> None:
    for headers in ({"Sec-Fetch-Site": "cross-site"}, {"Origin": "https://evil.example"}):
        problem(site.client.post("/", data={"model": "salary@1", "f0": "2.5"}, headers=headers), 403)
    assert site.is_untouched()


def test_texts_of_bundles_are_never_markup(new_site: NewSite, tmp_path: Path) -> None:
    shutil.copytree(BUNDLES, tmp_path / "bundles")
    features = [{"name": "years", "type": "number", "description": HOSTILE}]
    rewrite(
        tmp_path / "bundles" / "salary" / "1",
        features=features,
        target=HOSTILE,
        unit=HOSTILE,
        metrics={HOSTILE: HOSTILE},
    )
    site = new_site(bundles=tmp_path / "bundles")
    for path in (
        "/",
        "/models",
        "/model?name=salary",
        "/compare?first=salary&second=wages",
        f"/?model={HOSTILE}",
    ):
        page = site.client.get(path).text
        assert "<script>" not in page
        assert "<img" not in page
        assert "54444439" not in page


def test_a_model_leads_to_its_report_if_it_has_one(new_site: NewSite, tmp_path: Path) -> None:
    shutil.copytree(BUNDLES, tmp_path / "bundles")
    (tmp_path / "bundles" / "wages" / "1" / REPORT_FILE).write_text("<style></style>fair")
    (tmp_path / "bundles" / "salary" / "1" / REPORT_FILE).unlink()
    site = new_site(bundles=tmp_path / "bundles")
    page = site.client.get("/model?name=wages").text
    [report] = re.findall(r'href="(v1/models/[^"]+)"', page)
    assert "fair" in site.client.get(f"/{report}").text
    assert "How good it is" not in site.client.get("/model?name=salary").text


@pytest.mark.parametrize("with_guide", [True, False])
def test_the_page_leads_to_the_guide_where_it_is_built(with_guide: bool) -> None:
    page = Templates(with_guide).render("no_model", {"has_key": False, "live": False}).decode()
    assert ('href="guide"' in page) == with_guide


def test_files_are_kept_for_ever_under_the_address_of_their_version(site: Site) -> None:
    [style] = re.findall(r'href="(page/\w+/page.css)"', site.client.get("/").text)
    file = site.client.get(f"/{style}")
    assert (file.mimetype, "immutable" in file.headers["Cache-Control"]) == ("text/css", True)
    older = site.client.get(re.sub(r"page/\w+/", "page/old/", f"/{style}"))
    assert (older.status_code, older.headers["Cache-Control"]) == (200, "no-store")
    problem(site.client.get(style.replace("page.css", "..%2frender.py")), 404)


def test_the_page_asks_with_the_key_of_its_visitor_and_passes_on_nothing_else(site: Site) -> None:
    asked = []

    def app(environ: dict[str, str], start: object) -> list[bytes]:
        asked.append(environ)
        start("200 OK", [])  # type: ignore[operator]
        return [b"{}"]

    visitor = {
        "HTTP_AUTHORIZATION": "Bearer k",
        "HTTP_COOKIE": "c",
        "QUERY_STRING": "a=b",
        "HTTP_RANGE": "bytes=1-",
    }
    Api(app, visitor, "an-id").get("/v1/models")
    [environ] = asked
    headers = {name for name in environ if name.startswith("HTTP_")}
    assert headers == {"HTTP_AUTHORIZATION", "HTTP_X_REQUEST_ID"}
    assert environ["QUERY_STRING"] == ""


@pytest.mark.parametrize("text", ["../dead", "a/b", "", "/"])
def test_what_a_visitor_names_stays_one_part_of_a_path(text: str) -> None:
    assert segment(text)
    assert not set(unquote(segment(text))) & set("/")
