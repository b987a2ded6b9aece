"""The reference names what the code has, neither more nor less; links lead somewhere; README stays short."""

import re
from collections.abc import Iterator
from itertools import chain
from pathlib import Path

import pytest

from jobs.metrics import FAMILIES, Family
from jobs.settings import Settings
from tests.documents import DOCUMENTS, ROOT, first_cells, name_of
from tests.unit.test_settings_are_documented import documented as settings_of_the_example
from tests.unit.web.documented import path_of
from tests.unit.web.site import Site
from web.keys import ACCESS, PAGES, Access

REFERENCE = ROOT / "docs" / "reference"
LINKED = [*DOCUMENTS, ROOT / "CHANGELOG.md", ROOT / "benchmarks" / "README.md"]
MOST_LINES_OF_README = 250
EVENT = r'(?:\blog\.(?:debug|info|warning|error)|\.note)\(\s*"(\w+)"'


@pytest.fixture
def site() -> Iterator[Site]:
    site = Site()
    yield site
    site.close()


def test_the_readme_can_be_read_in_one_sitting() -> None:
    assert len((ROOT / "README.md").read_text().splitlines()) <= MOST_LINES_OF_README


@pytest.mark.parametrize("document", LINKED, ids=name_of)
def test_every_link_leads_to_a_file_and_a_heading_that_are_there(document: Path) -> None:
    for path, anchor in re.findall(r"\]\((?!https?:)([^)#\s]*)(?:#([^)\s]+))?\)", document.read_text()):
        target = (document.parent / path).resolve() if path else document
        assert target.exists(), path
        assert not anchor or anchor in anchors_of(target), f"{path}#{anchor}"


@pytest.mark.parametrize("document", DOCUMENTS, ids=name_of)
def test_the_index_leads_to_every_page(document: Path) -> None:
    index = ROOT / "docs" / "README.md"
    if index.parent in document.parents and document != index:
        assert f"]({document.relative_to(index.parent)})" in index.read_text()


@pytest.mark.parametrize("document", DOCUMENTS, ids=name_of)
def test_every_command_stands_in_a_block_that_is_run(document: Path) -> None:
    blocks = re.findall(r"^```(\w*)\n", document.read_text(), re.MULTILINE)
    assert not set(blocks) & {"sh", "bash", "shell", "zsh"}


def test_the_settings_are_those_of_the_code() -> None:
    page = REFERENCE / "settings.md"
    assert sorted(first_cells(page)) == sorted(settings_of_the_example())


SETTING = re.compile(r"\b(?:PAYGRADE_[A-Z0-9_]*[A-Z0-9]|REDIS_URL)\b")
OF_CALLERS = {"PAYGRADE_URL", "PAYGRADE_API_KEY"}
WRONG_ON_PURPOSE = {ROOT / "docs" / "guides" / "installing.md": {"PAYGRADE_RETENTION"}}
"""What a message says of a setting that does not exist."""


@pytest.mark.parametrize("document", LINKED, ids=name_of)
def test_a_document_names_only_settings_that_exist(document: Path) -> None:
    known = settings_of_the_example().keys() | OF_CALLERS | WRONG_ON_PURPOSE.get(document, set())
    assert set(SETTING.findall(document.read_text())) - known == set()


def test_the_defaults_are_those_of_the_code() -> None:
    rows = re.findall(
        r"^\| `([^`]+)` \| (?:`([^`]*)`)?", (REFERENCE / "settings.md").read_text(), re.MULTILINE
    )
    assert dict(rows) == settings_of_the_example()


LIMIT = re.compile(r"^\|[^|\n]+\| ([\d,]+) ?(\w*)[^|\n]*\|(?:[^|\n]*\|)? `PAYGRADE_(\w+)` \|$", re.MULTILINE)
UNITS = {"s": 1, "minutes": 60, "hours": 3600, "MiB": 2**20, "GiB": 2**30}


def test_the_limits_are_the_defaults_of_the_settings() -> None:
    found = LIMIT.findall((REFERENCE / "limits.md").read_text())
    settings = Settings(api_keys="ann:" + "0" * 64)  # type: ignore[arg-type]
    documented = {name: int(number.replace(",", "")) * UNITS.get(unit, 1) for number, unit, name in found}
    assert documented == {name: getattr(settings, name.lower()) for name in documented}
    of_the_code = first_cells(REFERENCE / "settings.md", "Limits") + first_cells(
        REFERENCE / "settings.md", "Jobs"
    )
    assert {f"PAYGRADE_{name}" for name in documented} >= set(of_the_code)


def test_the_metrics_are_those_that_are_exposed(site: Site) -> None:
    exposed = dict(re.findall(r"^# TYPE (\w+) (\w+)$", site.client.get("/metrics").text, re.MULTILINE))
    page = (REFERENCE / "metrics.md").read_text()
    assert dict(re.findall(r"^\| `(\w+)` \| (\w+) \|", page, re.MULTILINE)) == exposed


@pytest.mark.parametrize("family", FAMILIES, ids=lambda family: family.name)
def test_the_labels_of_a_metric_are_documented(family: Family) -> None:
    row = rf"^\| `paygrade_{family.name}(?:_total)?` \| \w+ \|([^|]*)\|"
    [labels] = re.findall(row, (REFERENCE / "metrics.md").read_text(), re.MULTILINE)
    assert tuple(re.findall(r"`(\w+)`", labels)) == family.labels


def test_the_routes_are_those_of_web(site: Site) -> None:
    """Those of the page are its own affair."""
    routes = {
        f"{method} {path_of(rule.rule)}"
        for rule in site.web.app.url_map.iter_rules()
        for method in (rule.methods or set()) - {"HEAD", "OPTIONS"}
        if rule.rule not in PAGES
    }
    assert set(first_cells(REFERENCE / "http.md", "Routes")) == routes


def operators_routes() -> set[str]:
    return {path_of(route) for route, access in ACCESS.items() if access is Access.OPERATE}


def test_the_routes_of_operators_are_marked_in_the_reference() -> None:
    marked = set()
    for section in (REFERENCE / "http.md").read_text().split("\n### "):
        for row in re.findall(r"^\| `[A-Z]+ .*$", section, re.MULTILINE):
            if "the scope `operate`" in section.partition("|")[0] + row:
                marked.add(row.split("`")[1].split(" ")[1])
    assert marked == operators_routes()


LISTS_FOR_OPERATORS = [
    (ROOT / "docs" / "guides" / "keys.md", r"^\| `predict` \|.*$"),
    (ROOT / "docs" / "guides" / "keys.md", r"^\| `operate` \|.*$"),
    (REFERENCE / "http.md", r"^\| 403 \|.*$"),
    (ROOT / ".env.example", r"\boperate\s+# \(for [^)]*\)"),
]


@pytest.mark.parametrize(("document", "pattern"), LISTS_FOR_OPERATORS)
def test_each_list_of_what_operators_may_call_is_whole(document: Path, pattern: str) -> None:
    """A route stands for those below it."""
    [listing] = re.findall(pattern, document.read_text(), re.MULTILINE)
    routes = operators_routes()
    tops = {route for route in routes if not any(route.startswith(f"{other}/") for other in routes)}
    assert set(re.findall(r"/[a-z0-9/]+", listing)) == tops


def test_the_events_are_those_that_are_logged() -> None:
    sources = chain.from_iterable((ROOT / part).rglob("*.py") for part in ("jobs", "model", "web", "worker"))
    logged = {event for source in sources for event in re.findall(EVENT, source.read_text())}
    assert set(first_cells(REFERENCE / "logs.md", "Events")) == logged


def anchors_of(document: Path) -> set[str]:
    """As GitHub names them."""
    headings = re.findall(r"^#+ (.*)$", document.read_text(), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}
