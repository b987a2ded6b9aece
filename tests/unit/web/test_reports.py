"""The report of a bundle is a page that web shows, and that can do nothing there."""

import base64
import hashlib
import re
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from model.description.files import LARGEST_REPORT, REPORT_FILE
from model.description.manifest import Manifest
from tests.unit.web.conftest import NewSite
from tests.unit.web.site import BUNDLES, Site, problem
from web.keys import digest
from web.reports import policy_of

REPORT = "<!DOCTYPE html><html><head><style>p { color: red }</style></head><body>good</body></html>"
MOST_BYTES = 200_000
PATH = "/v1/models/salary@3/report"


@pytest.fixture
def reported(rent_bundles: Path) -> Iterator[Path]:
    file = rent_bundles / "salary/3/report.html"
    file.write_text(REPORT)
    yield rent_bundles
    file.unlink(missing_ok=True)


@pytest.fixture
def site(new_site: NewSite, reported: Path) -> Site:
    return new_site(bundles=reported, default_model="salary")


@pytest.fixture
def bare(tmp_path: Path) -> Path:
    """The shipped bundles, without their reports."""
    shutil.copytree(BUNDLES, tmp_path / "bare", ignore=shutil.ignore_patterns(REPORT_FILE))
    return tmp_path / "bare"


@pytest.mark.parametrize("name", ["salary", "salary@3"])
def test_the_report_is_shown_as_it_was_written(site: Site, name: str) -> None:
    shown = site.client.get(f"/v1/models/{name}/report")
    assert (shown.status_code, shown.mimetype, shown.text) == (200, "text/html", REPORT)


def test_its_policy_allows_its_own_style_only(site: Site) -> None:
    policy = site.client.get(PATH).headers["Content-Security-Policy"]
    digest_of_style = base64.b64encode(hashlib.sha256(b"p { color: red }").digest()).decode()
    assert policy.split("; ") == [
        "default-src 'none'",
        f"style-src 'sha256-{digest_of_style}'",
        "base-uri 'none'",
        "form-action 'none'",
        "frame-ancestors 'none'",
        "sandbox",
    ]


def test_a_page_without_a_style_gets_none() -> None:
    assert "style-src 'none'" in policy_of(b"<p>plain</p><script>alert(1)</script>")


def test_the_model_says_where_its_report_is(site: Site, new_site: NewSite, bare: Path) -> None:
    assert site.client.get("/v1/models/salary").get_json()["urls"]["report"] == PATH
    other = new_site(bundles=bare)
    assert other.client.get("/v1/models/salary").get_json()["urls"]["report"] is None
    detail = problem(other.client.get("/v1/models/salary/report"), 404)["detail"]
    assert detail == "salary@1 has no report; python -m model report makes one"


def test_the_report_of_an_unknown_model_is_not_found(site: Site) -> None:
    problem(site.client.get("/v1/models/rent/report"), 404)


def test_a_report_that_cannot_be_read_now_is_unavailable(site: Site, reported: Path) -> None:
    (reported / "salary/3/report.html").unlink()
    assert re.search("cannot be read now", problem(site.client.get(PATH), 503)["detail"])


def test_a_report_that_is_too_large_is_none(new_site: NewSite, reported: Path) -> None:
    (reported / "salary/3/report.html").write_bytes(b" " * (LARGEST_REPORT + 1))
    problem(new_site(bundles=reported, default_model="salary").client.get(PATH), 404)


def test_a_report_needs_a_key_where_keys_are_set(new_site: NewSite, reported: Path) -> None:
    site = new_site(keys=f"ann:{digest('key of ann')}", bundles=reported, default_model="salary")
    problem(site.client.get(PATH), 401)
    assert site.client.get(PATH, headers={"X-API-Key": "key of ann"}).status_code == 200


def test_the_page_of_the_model_leads_to_its_report(site: Site, new_site: NewSite, bare: Path) -> None:
    assert 'href="v1/models/salary@3/report"' in site.client.get("/model?name=salary").text
    assert "report" not in new_site(bundles=bare).client.get("/model?name=salary").text


@pytest.mark.parametrize("name", ["salary", "wages"])
def test_each_shipped_model_has_a_report(new_site: NewSite, name: str) -> None:
    site = new_site()
    path = site.client.get(f"/v1/models/{name}").get_json()["urls"]["report"]
    report = site.client.get(path)
    assert f"{name}@1: report" in report.text
    assert Manifest.read(BUNDLES / name / "1").sha256 in report.text
    assert len(report.data) < MOST_BYTES, "it is in every image"
