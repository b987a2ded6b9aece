"""/openapi.json describes every route; documented.py checks the responses of all tests against it."""

import json
import re
import shutil
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import schemathesis

from model.description.catalog import Catalog
from model.description.manifest import Manifest
from model.publish import publish_copy
from model.registry.directory import DirectoryRegistry
from tests.unit.model.conftest import rewrite
from tests.unit.web.conftest import NewSite
from tests.unit.web.documented import SAME_AS, check, parsed, path_of
from tests.unit.web.site import BUNDLES, Site, problem
from web.keys import PAGES, digest
from web.openapi.document import Document
from web.openapi.examples import EXAMPLES
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
        (method, rule.rule)
        for rule in site.web.app.url_map.iter_rules()
        for method in (rule.methods or set()) - {"HEAD", "OPTIONS"}
    }
    described = {
        (method, path_of(SAME_AS.get((method, rule), rule))) for method, rule in routes if rule not in PAGES
    }
    assert {tuple(operation.split()) for operation in operations(document(site))} == described


def test_a_route_has_one_form_in_the_document(site: Site) -> None:
    paths = [re.sub(r"\{\w+\}", "{}", path).rstrip("/") for path in document(site)["paths"]]
    assert len(paths) == len(set(paths))
    assert not [path for path in paths if "versions" in path or "salary" in path]


@pytest.mark.parametrize("keys", ["", KEYS])
def test_the_document_is_openapi(new_site: NewSite, keys: str) -> None:
    schemathesis.openapi.from_dict(document(new_site(keys=keys))).validate()


def test_a_catalog_without_the_articles_model_has_a_document_too(
    new_site: NewSite, rent_bundles: Path, tmp_path: Path
) -> None:
    for bundles in (rent_bundles, tmp_path):
        schemathesis.openapi.from_dict(document(new_site(bundles=bundles))).validate()


KINDS = {"parameters", "headers", "responses", "links"}
LEAST, MOST_BYTES = 100, 2_000


def test_nothing_is_described_twice(site: Site) -> None:
    """Nor a schema that has no reference in it and would be one."""
    found = Counter(described(document(site)))
    assert [text for text, count in found.items() if count > 1 and len(text) > LEAST] == []


def described(node: Any, kind: str = "") -> Iterator[str]:
    """Each parameter, header, response, link and schema of some size, wherever it stands."""
    if isinstance(node, list):
        for each in node:
            yield from described(each, kind)
    if not isinstance(node, dict):
        return
    for key, each in node.items():
        within = key if key in {*KINDS, "properties", "schema", "examples"} else ""
        if within == "examples":
            continue
        if kind and isinstance(each, dict):
            yield f"{kind if kind in KINDS else 'schema'} {json.dumps(each, sort_keys=True)}"
        yield from described(each, within)


def test_the_document_stays_small(site: Site) -> None:
    """With what stood several times, it had 2,300 bytes for each operation."""
    text = site.client.get("/openapi.json").data
    assert len(text) / len(operations(parsed(text))) < MOST_BYTES


def test_what_is_shared_is_the_same_for_every_request(site: Site) -> None:
    texts = [Document(Catalog(BUNDLES, "salary"), True, ROUTE_CLASSES).text() for _ in range(2)]
    assert texts[0] == texts[1]


def test_a_number_is_a_number_and_a_choice_a_choice(site: Site) -> None:
    row = document(site)["components"]["schemas"]["Row.wages.1"]["properties"]
    assert row["education"]["type"] == "integer"
    assert row["knowledge"]["type"] == ["integer", "null"]
    assert row["city"]["type"] == "boolean"
    assert "New England" in row["region"]["enum"]
    years = document(site)["components"]["schemas"]["Row.salary.1"]["properties"]["years"]
    assert years == {"description": "Years of experience", "type": "number", "format": "float"}


def test_every_example_is_valid(site: Site) -> None:
    whole = document(site)
    components = {"components": whole["components"]}
    for name, schema in whole["components"]["schemas"].items():
        for example in schema.get("examples", ()):
            check(example, {"$ref": f"#/components/schemas/{name}", **components})
    sent = [
        (content, example["value"])
        for operation in operations(whole).values()
        for content in operation.get("requestBody", {"content": {}})["content"].values()
        for example in content.get("examples", {}).values()
    ]
    assert len(sent) >= 6
    for content, value in sent:
        check(value, {**content["schema"], **components})


def test_every_parameter_with_examples_has_valid_ones(site: Site) -> None:
    parameters = document(site)["components"]["parameters"].values()
    for parameter in parameters:
        for example in parameter.get("examples", {}).values():
            check(example["value"], parameter["schema"])


CHANGING = re.compile(r"(pred|batch)_[0-9a-f-]{36}|\d{4}-\d\d-\d\dT[\d:.]+Z")


def test_the_examples_of_jobs_and_problems_are_what_is_answered(site: Site) -> None:
    site.hire()
    table = b"name,years\nada,2.5\nbob,many\ncid,12.5\n"
    posted = site.client.post("/v1/batches", data=table, content_type="text/csv").get_json()["id"]
    site.score_batches()
    answers = {
        "Prediction": site.post({"inputs": {"years": 2.5}}, Prefer="wait=5"),
        "Problem": site.post({"inputs": {"years": "many"}}),
        "Batch": site.client.get(f"/v1/batches/{posted}"),
    }
    for name, answer in answers.items():
        same = CHANGING.sub("", json.dumps(answer.get_json()))
        assert same == CHANGING.sub("", json.dumps(EXAMPLES[name]))


def test_the_example_of_the_capacity_has_its_members(site: Site) -> None:
    def members(value: Any) -> Any:
        return {key: members(each) for key, each in value.items()} if isinstance(value, dict) else None

    assert members(site.client.get("/v1/capacity").get_json()) == members(EXAMPLES["Capacity"])


def test_versions_that_take_the_same_rows_share_a_schema(tmp_path: Path, new_site: NewSite) -> None:
    shutil.copytree(BUNDLES, tmp_path / "bundles")
    publish_copy(BUNDLES / "salary" / "1", DirectoryRegistry(tmp_path / "bundles"), 2)
    schemas = document(new_site(bundles=tmp_path / "bundles"))["components"]["schemas"]
    assert [name for name in schemas if name.startswith("Row.salary")] == ["Row.salary.2"]
    named = schemas["Request.salary.2"]["properties"]["model"]["enum"]
    assert named == ["salary", "salary@2", "salary@1", None]


def test_each_example_has_its_golden_score(site: Site) -> None:
    site.hire()
    golden = Manifest.read(BUNDLES / "salary" / "1").golden.predictions
    [content] = operations(document(site))["POST /v1/predictions"]["requestBody"]["content"].values()
    one, rows = (content["examples"][name]["value"] for name in ("salary", "salary-rows"))
    answers = [site.post(body, Prefer="wait=5").get_json() for body in (one, rows)]
    assert answers[0]["output"]["prediction"] == golden[0]
    assert [output["prediction"] for output in answers[1]["outputs"]] == golden[:2]


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
    assert locked["security"] == [{"bearer": []}, {"header": []}]
    for operation in operations(locked).values():
        needs_key = operation["operationId"] not in OPEN
        assert needs_key == (operation.get("security") != []) == ("401" in operation["responses"])
    assert "security" not in document(site)
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
    schemas = document(new_site(bundles=tmp_path / "bundles"))["components"]["schemas"]
    shown = schemas["Row.salary.1"]["properties"]["years"]["description"]
    assert not re.search(r"(?<!\\)[\[\]()<>`!#*_]", shown)
    assert shown.replace("\\", "") == hostile.replace("\n\n", " ")
