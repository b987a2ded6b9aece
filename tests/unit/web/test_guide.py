"""/guide serves the built documentation, and nothing else."""

from pathlib import Path

import pytest
from flask import Flask

from tests.unit.web.conftest import NewSite
from web.guide.routes import NOT_BUILT, GuideRoutes
from web.problems import ProblemResponses


@pytest.fixture
def site_folder(tmp_path: Path) -> Path:
    site = tmp_path / "site"
    (site / "_static").mkdir(parents=True)
    (site / "README.html").write_text("<h1>Documentation</h1>")
    (site / "_static" / "guide.css").write_text("body {}")
    (tmp_path / "secret").write_text("secret")
    return site


@pytest.fixture
def guide(site_folder: Path) -> Flask:
    app = Flask("guide", static_folder=None)
    ProblemResponses(app, extensions={})
    guide = GuideRoutes(site_folder)
    app.add_url_rule("/guide/<path:file>", "file", lambda file: guide.file(None, file))  # type: ignore[arg-type]
    return app


@pytest.mark.parametrize(
    ("file", "media_type"), [("README.html", "text/html"), ("_static/guide.css", "text/css")]
)
def test_a_file_of_the_guide_is_served_under_a_strict_policy(
    guide: Flask, site_folder: Path, file: str, media_type: str
) -> None:
    answer = guide.test_client().get(f"/guide/{file}")
    assert answer.mimetype == media_type
    assert answer.data == (site_folder / file).read_bytes()
    policy = answer.headers["Content-Security-Policy"]
    assert policy.startswith("default-src 'none'")
    assert "unsafe-inline" not in policy


@pytest.mark.parametrize("file", ["../secret", "..%2fsecret", "_static", "_static/", "x.html"])
def test_no_other_file_is_served(guide: Flask, file: str) -> None:
    answer = guide.test_client().get(f"/guide/{file}")
    assert answer.status_code == 404
    assert b"secret" not in answer.data


def test_where_it_is_not_built_the_answer_says_how(tmp_path: Path) -> None:
    with pytest.raises(Exception, match=NOT_BUILT):
        GuideRoutes(tmp_path / "nothing").file(None, "README.html")  # type: ignore[arg-type]


def test_it_needs_no_key(new_site: NewSite) -> None:
    answer = new_site(keys="ada:" + "0" * 64).client.get("/guide")
    assert (answer.status_code, answer.headers["Location"]) == (302, "/guide/README.html")
