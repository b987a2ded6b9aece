"""The guide is built without a warning, from every document, and keeps to the policy of its pages."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.integration.service import ROOT

DOCS = ROOT / "docs"
INLINE = re.compile(r"<script>|<style|\sstyle=|\son[a-z]+=|javascript:")
"""What the policy of the pages forbids."""
ELSEWHERE = re.compile(r"<(?:script|link|img)\b[^>]*(?:src|href)=\"(?:https?:)?//")


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A warning, such as a link that leads nowhere, fails the build."""
    folder = tmp_path_factory.mktemp("guide")
    sphinx = [sys.executable, "-m", "sphinx", "-q", "-W", "--keep-going", "-b", "html"]
    folders = [str(each) for each in ("-d", folder / "state", "-c", DOCS / "site", DOCS, folder / "site")]
    built = subprocess.run([*sphinx, *folders], capture_output=True, text=True)
    assert built.returncode == 0, built.stderr
    return folder / "site"


def test_every_document_has_a_page_that_the_navigation_names(site: Path) -> None:
    first = (site / "README.html").read_text()
    for document in DOCS.rglob("*.md"):
        page = document.relative_to(DOCS).with_suffix(".html")
        assert (site / page).is_file()
        if page.name != "README.html":
            assert f'class="reference internal" href="{page}"' in first, page


def test_no_page_has_scripts_or_styles_inline_or_from_elsewhere(site: Path) -> None:
    for page in site.rglob("*.html"):
        text = page.read_text()
        assert not INLINE.search(text), page
        assert not ELSEWHERE.search(text), page


def test_the_search_knows_the_words_of_the_documents(site: Path) -> None:
    index = (site / "searchindex.js").read_text()
    for word in ("idempot", "webhook", "retent"):
        assert word in index
