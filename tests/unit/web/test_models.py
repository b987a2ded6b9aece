"""/v1/models: the models that are served, and their rows."""

from pathlib import Path

import pytest
from jsonschema import Draft202012Validator

from tests.unit.model.command import made
from tests.unit.web.conftest import NewSite
from tests.unit.web.site import Site, problem
from web.keys import digest

SALARY_MODEL = Path(__file__).parents[3] / "model/bundles/salary/1/model.ubj"
SHA256 = "c176bdea49324a06b5ba0849cfc68966ce80a9ccf749fd815fd4943a9ee8bc45"


def test_a_model_shows_all_that_a_caller_needs(site: Site) -> None:
    shown = site.client.get("/v1/models/salary").get_json()
    row, examples = shown.pop("row"), shown.pop("examples")
    assert shown == {
        "object": "model",
        "name": "salary",
        "version": 1,
        "sha256": SHA256,
        "default": True,
        "versions": [1],
        "aliases": {},
        "target": "salary",
        "unit": "thousands of dollars",
        "objective": "reg:squarederror",
        "scores": "float32",
        "quantiles": [],
        "explained": True,
        "features": [
            {
                "name": "years",
                "type": "number",
                "description": "Years of experience",
                "observed": {"minimum": 1, "maximum": 12},
            }
        ],
        "metrics": {"training_mean_absolute_error": 0.000867},
        "proof": None,
        "example": {"years": 2.5},
        "urls": {"self": "/v1/models/salary@1", "report": "/v1/models/salary@1/report"},
    }
    assert row["properties"]["years"]["description"] == "Years of experience"
    assert examples[0] == shown["example"]
    assert all(map(Draft202012Validator(row).is_valid, examples))


def test_a_model_without_real_rows_shows_none_that_were_made_up(new_site: NewSite, tmp_path: Path) -> None:
    made("import", SALARY_MODEL, "--name", "pay", "--target", "salary", "--output", tmp_path)
    site = new_site(bundles=tmp_path, default_model="pay")
    shown = site.client.get("/v1/models/pay").get_json()
    assert (shown["example"], shown["proof"]) == (None, "none")
    document = site.client.get("/openapi.json").get_json()
    assert "examples" not in document["components"]["schemas"]["Row.pay.1"]
    bodies = [document["paths"][path]["post"]["requestBody"] for path in ("/v1/predictions", "/recms")]
    assert [body["content"]["application/json"]["examples"] for body in bodies] == [{}, {}]


def test_a_model_says_how_it_was_proved(new_site: NewSite, tmp_path: Path) -> None:
    sample = tmp_path / "sample.csv"
    sample.write_text("years,score\n2.5,260.00012\n4.5,374.99866\n")
    where = ("--name", "pay", "--target", "salary", "--output", tmp_path / "served")
    made("import", SALARY_MODEL, *where, "--sample", sample, "--scores", "score")
    shown = new_site(bundles=tmp_path / "served", default_model="pay").client.get("/v1/models/pay").get_json()
    assert (shown["example"], shown["proof"]) == ({"years": 2.5}, "scores")


def test_its_example_is_scored(site: Site) -> None:
    shown = site.client.get("/v1/models/salary").get_json()
    answer = site.hire().post({"model": "salary", "inputs": shown["example"]}, Prefer="wait=5")
    assert answer.get_json()["output"] == {"prediction": 260.00012}


def test_a_version_is_requested_by_number(site: Site) -> None:
    assert (
        site.client.get("/v1/models/salary@1").get_json() == site.client.get("/v1/models/salary").get_json()
    )


@pytest.mark.parametrize("name", ["wage", "salary@2", "salary@", "@", "Salary", "salary%401%20"])
def test_an_unknown_model_is_not_found(site: Site, name: str) -> None:
    problem(site.client.get(f"/v1/models/{name}"), 404)


def test_the_list_has_the_newest_version_of_each(site: Site) -> None:
    assert site.client.get("/v1/models").get_json() == {
        "object": "list",
        "data": [site.client.get(f"/v1/models/{name}").get_json() for name in ("salary", "wages")],
    }


def test_no_model_is_the_default_where_the_default_is_missing(new_site: NewSite, rent_bundles: Path) -> None:
    site = new_site(bundles=rent_bundles, default_model="salary@1")
    assert site.client.get("/v1/models/salary").get_json()["default"] is False


def test_models_need_a_key_where_keys_are_set(new_site: NewSite) -> None:
    site = new_site(keys=f"ann:{digest('key of ann')}")
    for path in ("/v1/models", "/v1/models/salary"):
        problem(site.client.get(path), 401)
        assert site.client.get(path, headers={"X-API-Key": "key of ann"}).status_code == 200
