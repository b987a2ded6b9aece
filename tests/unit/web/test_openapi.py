"""/openapi.json describes every route; documented.py checks the responses of all tests against it."""

import re
import shutil
from pathlib import Path
from typing import Any

import pytest
import schemathesis

from model.description.catalog import Catalog
from model.description.manifest import Manifest
from tests.unit.model.conftest import rewrite
from tests.unit.web.conftest import NewSite
from tests.unit.web.documented import parsed
from tests.unit.web.site import BUNDLES, Site, problem
from web.keys import PAGES, digest
from web.openapi.document import Document
from web.wiring import ROUTE_CLASSES

KEYS = f"ann:{digest('key of ann')}"
OPEN = {"health", "readiness", "oipLive", "oipReady"}
OPEN |= {"openapi", "docs", "docsFile", "guide", "guideFile"}


def operations(document: Any) -> dict[str, Any]:
    """By METHOD PATH."""
    return {
        f"{method.upper()} {path}": operation
        for path, methods in document["paths"].items()
        for method, operation in methods.items()
    }


def document(site: Site) -> Any:
    return site.client.get("/openapi.json").get_json()


def test_every_route_is_documented_and_no_other(site: Site) -> None:
    routes = {
        f"{method} {rule.rule}"
        for rule in site.web.app.url_map.iter_rules()
        for method in (rule.methods or set()) - {"HEAD", "OPTIONS"}
    }
    documented = {route_of(site, *operation.split()) for operation in operations(document(site))}
    pages = {route for route in routes if route.partition(" ")[2] in PAGES}
    assert routes - documented == pages, "describe the others with @route"


def route_of(site: Site, method: str, path: str) -> str:
    """Fails if no route matches. A path may be documented separately for each model."""
    rule, _ = site.web.app.url_map.bind("").match(re.sub(r"[{}]", "", path), method, return_rule=True)
    return f"{method} {rule.rule}"


@pytest.mark.parametrize("keys", ["", KEYS])
def test_the_document_is_openapi(new_site: NewSite, keys: str) -> None:
    schemathesis.openapi.from_dict(document(new_site(keys=keys))).validate()


def test_a_catalog_without_the_articles_model_has_a_document_too(
    new_site: NewSite, rent_bundles: Path, tmp_path: Path
) -> None:
    for bundles in (rent_bundles, tmp_path):
        schemathesis.openapi.from_dict(document(new_site(bundles=bundles))).validate()


def test_each_example_has_its_golden_score(site: Site) -> None:
    site.hire()
    golden = Manifest.read(BUNDLES / "salary" / "1").golden.predictions
    [content] = operations(document(site))["POST /v1/predictions"]["requestBody"]["content"].values()
    one, rows = (content["examples"][name]["value"] for name in ("salary", "salary-rows"))
    answers = [site.post(body, Prefer="wait=5").get_json() for body in (one, rows)]
    assert answers[0]["output"]["prediction"] == golden[0]
    assert [output["prediction"] for output in answers[1]["outputs"]] == golden[:3]


def test_rows_are_those_of_each_model(new_site: NewSite, rent_bundles: Path) -> None:
    site = new_site(bundles=rent_bundles)
    schemas = document(site)["components"]["schemas"]
    assert schemas["Row.salary.3"]["properties"]["city"] == {"enum": ["Bern", "Basel", None]}
    body = schemas["Request.salary.3"]
    assert body["properties"]["model"] == {"enum": ["salary", "salary@3", None]}
    assert body["required"] == ["inputs"]


def test_only_the_default_model_may_be_left_out(new_site: NewSite, rent_bundles: Path) -> None:
    body = document(new_site(bundles=rent_bundles, default_model="other"))
    request = body["components"]["schemas"]["Request.salary.3"]
    assert request["properties"]["model"] == {"enum": ["salary", "salary@3"]}
    assert request["required"] == ["model", "inputs"]


def test_the_document_is_generated_again_only_for_a_new_version(rent_bundles: Path, tmp_path: Path) -> None:
    shutil.copytree(BUNDLES, tmp_path / "bundles")
    catalog = Catalog(tmp_path / "bundles", "salary", refresh_seconds=0)
    made = Document(catalog, keyed=False, route_classes=ROUTE_CLASSES)
    before = made.text()
    assert made.text() is before
    shutil.copytree(rent_bundles / "salary" / "3", tmp_path / "bundles" / "salary" / "3")
    names = parsed(made.text())["components"]["schemas"].keys()
    assert {"Row.salary.1", "Row.salary.3"} <= names
    [newest, older] = (parsed(made.text())["components"]["schemas"][f"Request.salary.{n}"] for n in (3, 1))
    assert newest["properties"]["model"] == {"enum": ["salary", "salary@3", None]}
    assert older["properties"]["model"] == {"enum": ["salary@1"]}


def test_the_document_asks_for_keys_only_where_keys_are_set(site: Site, new_site: NewSite) -> None:
    locked = document(new_site(keys=KEYS))
    assert locked["components"]["securitySchemes"].keys() == {"bearer", "header"}
    for operation in operations(locked).values():
        needs_key = operation["operationId"] not in OPEN
        assert needs_key == ("security" in operation) == ("401" in operation["responses"])
    assert not any("security" in operation for operation in operations(document(site)).values())


def test_the_document_and_its_page_need_no_key(new_site: NewSite) -> None:
    site = new_site(keys=KEYS)
    for path in ("/openapi.json", "/docs", "/docs/start.js"):
        assert site.client.get(path).status_code == 200


def test_the_page_loads_only_files_of_this_server(site: Site) -> None:
    page = site.client.get("/docs")
    assert page.mimetype == "text/html"
    assert "default-src 'none'" in page.headers["Content-Security-Policy"]
    assert "//" not in page.text, "another host is named"
    files = [part.split('"')[0] for part in page.text.split('="/docs/')[1:]]
    assert len(files) == 4
    for file in files:
        answer = site.client.get(f"/docs/{file}")
        assert answer.status_code == 200
        assert answer.data
        answer.close()


@pytest.mark.parametrize("file", ["docs.html", "swagger-ui.js", "..%2Froutes.py", "x"])
def test_no_other_file_is_served(site: Site, file: str) -> None:
    problem(site.client.get(f"/docs/{file}"), 404)


def test_texts_of_bundles_are_no_markdown_in_the_document(new_site: NewSite, tmp_path: Path) -> None:
    shutil.copytree(BUNDLES, tmp_path / "bundles")
    hostile = "![x](//evil.example/y) <img src=x> [click](javascript:alert(1)) `years`\n\n# 1"
    features = [{"name": "years", "type": "number", "description": hostile}]
    rewrite(tmp_path / "bundles" / "salary" / "1", features=features)
    described = document(new_site(bundles=tmp_path / "bundles"))
    infer = described["paths"]["/v2/models/salary/infer"]["post"]["requestBody"]["content"][
        "application/json"
    ]
    [tensor] = infer["schema"]["properties"]["inputs"]["prefixItems"]
    for shown in (
        described["components"]["schemas"]["Row.salary.1"]["properties"]["years"],
        tensor["properties"]["data"]["items"],
    ):
        assert not re.search(r"(?<!\\)[\[\]()<>`!#*_]", shown["description"])
        assert shown["description"].replace("\\", "") == hostile.replace("\n\n", " ")
