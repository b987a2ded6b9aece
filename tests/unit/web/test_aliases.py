"""An alias is settled at the post: the job has the name, the version and the sha256 that it named then."""

import shutil
from pathlib import Path

import pytest

from model.description.files import MODEL_FILE
from model.description.manifest import Manifest
from model.registry.directory import DirectoryRegistry
from tests.unit.model.command import made
from tests.unit.web.conftest import NewSite
from tests.unit.web.oip.client import tensor
from tests.unit.web.site import BUNDLES, Site, problem

ROW = {"years": 2.5}


@pytest.fixture
def bundles(tmp_path: Path) -> Path:
    """salary@1 and, with five rounds only, salary@2; `champion` names the first, salary@3 is retired."""
    root = tmp_path / "bundles"
    shutil.copytree(BUNDLES, root)
    booster = BUNDLES / "salary" / "1" / MODEL_FILE
    named = ("--name", "salary", "--target", "salary", "--unit", "thousands of dollars")
    for trees in ("5", "6"):
        made("import", booster, *named, "--trees", trees, "--output", root)
    registry = DirectoryRegistry(root)
    registry.change_lifecycle("salary", lambda each: each.with_alias("champion", 1).with_retired(3))
    return root


@pytest.fixture
def site(new_site: NewSite, bundles: Path) -> Site:
    return new_site(bundles=bundles)


def test_a_job_settles_what_the_alias_names_at_the_post(site: Site, bundles: Path) -> None:
    posted = site.post({"model": "salary@champion", "inputs": ROW}).get_json()
    sha256 = Manifest.read(bundles / "salary" / "1").sha256
    assert posted["model"] == {"name": "salary", "version": 1, "sha256": sha256}
    DirectoryRegistry(bundles).change_lifecycle("salary", lambda each: each.with_alias("champion", 2))
    site.serve(bundles)
    site.work()
    done = site.show(posted["id"])
    assert (done["output"], done["model"]["version"]) == ({"prediction": 260.00012}, 1)


def test_the_name_alone_is_the_newest_version_that_is_offered(site: Site) -> None:
    assert site.post({"model": "salary", "inputs": ROW}).get_json()["model"]["version"] == 2
    assert site.client.get("/v1/models/salary").get_json()["version"] == 2


def test_a_model_shows_its_aliases_and_an_alias_shows_its_version(site: Site) -> None:
    shown = site.client.get("/v1/models/salary@champion").get_json()
    assert (shown["version"], shown["versions"], shown["aliases"]) == (1, [1, 2], {"champion": 1})
    assert site.client.get("/v1/models").get_json()["data"][0]["aliases"] == {"champion": 1}


@pytest.mark.parametrize(
    ("ref", "detail"),
    [
        ("salary@3", "version 3 of model salary is retired; its newest version is 2"),
        ("salary@next", "model salary has no version or alias next"),
        ("salary@Champion", "model salary has no version or alias Champion"),
        ("salary@champion@champion", "model salary has no version or alias champion@champion"),
    ],
)
def test_a_retired_version_and_an_unknown_alias_are_not_found(site: Site, ref: str, detail: str) -> None:
    refused = problem(site.post({"model": ref, "inputs": ROW}), 404)
    assert refused["detail"] == detail
    problem(site.client.post(f"/v1/batches?model={ref}", data=b"years\n1\n", content_type="text/csv"), 404)
    problem(site.client.get(f"/v1/models/{ref}"), 404)
    assert site.is_untouched()


def test_a_batch_settles_what_the_alias_names(site: Site) -> None:
    posted = site.client.post(
        "/v1/batches?model=salary@champion", data=b"years\n2.5\n", content_type="text/csv"
    ).get_json()
    assert posted["model"]["version"] == 1


@pytest.mark.parametrize("path", ["salary/versions/champion", "salary@champion", "salary/versions/1"])
def test_the_open_inference_protocol_follows_an_alias(site: Site, path: str) -> None:
    answer = site.hire().client.post(f"/v2/models/{path}/infer", json={"inputs": [tensor(2.5)]}).get_json()
    assert (answer["model_name"], answer["model_version"]) == ("salary", "1")
    assert answer["outputs"][0]["data"] == [260.00012]
    assert site.client.get(f"/v2/models/{path}").get_json()["versions"] == ["1", "2"]


def test_the_call_of_the_article_follows_the_default_model(new_site: NewSite, bundles: Path) -> None:
    newest, champion = new_site(bundles=bundles), new_site(bundles=bundles, default_model="salary@champion")
    answers = [
        site.hire().client.post("/recms", json={"years": "2.5"}).get_json() for site in (newest, champion)
    ]
    assert answers[1] == {"salary": "260.00012"}
    assert answers[0] != answers[1]
    assert champion.post({"inputs": ROW}).get_json()["model"]["version"] == 1


def test_the_document_names_each_alias_and_changes_with_them(site: Site, bundles: Path) -> None:
    def models() -> list[str]:
        bodies = site.client.get("/openapi.json").get_json()["components"]["schemas"]
        named = bodies["Request.salary.1"]["properties"]["model"]["enum"]
        return [name for name in named if name]

    assert models() == ["salary@1", "salary@champion"]
    DirectoryRegistry(bundles).change_lifecycle("salary", lambda each: each.with_alias("champion", 2))
    site.serve(bundles)
    assert models() == ["salary@1"]
