"""A model with steps looks like any other: callers see and send the columns of the pipeline's table."""

from pathlib import Path

import numpy as np
import pytest
from jsonschema import Draft202012Validator

from tests.pipelines import Saved, calibrated, flats, regression, rows_of, save
from tests.unit.model.conftest import rewrite
from tests.unit.web.conftest import NewSite
from tests.unit.web.site import Site, problem

REASON = "the column area rooms mixes area and rooms"


@pytest.fixture(scope="module")
def saved(tmp_path_factory: pytest.TempPathFactory) -> Saved:
    table = flats(800)
    return save(regression(table), table, tmp_path_factory.mktemp("bundles"))


@pytest.fixture
def flats_site(new_site: NewSite, saved: Saved) -> Site:
    return new_site(bundles=saved.bundle.parents[1], default_model="flats")


@pytest.fixture(scope="module")
def doubles(tmp_path_factory: pytest.TempPathFactory) -> Saved:
    """A classifier that is calibrated in double precision."""
    table = flats(800)
    return save(calibrated(table), table, tmp_path_factory.mktemp("doubles"), classes=["low", "high"])


@pytest.fixture
def unexplained(new_site: NewSite, saved: Saved, tmp_path: Path) -> Site:
    copied = tmp_path / "flats" / "1"
    copied.mkdir(parents=True)
    for name in ("bundle.json", "model.ubj"):
        (copied / name).write_bytes((saved.bundle / name).read_bytes())
    rewrite(copied, explained=False, unexplained=REASON)
    return new_site(bundles=tmp_path, default_model="flats")


def test_a_model_shows_the_columns_of_the_caller(flats_site: Site, saved: Saved) -> None:
    shown = flats_site.client.get("/v1/models/flats").get_json()
    assert list(shown["row"]["properties"]) == list(saved.table.columns)
    assert set(shown["example"]) == set(saved.table.columns)
    assert Draft202012Validator(shown["row"]).is_valid(shown["example"])


def test_its_tensors_are_the_columns_of_the_caller(flats_site: Site, saved: Saved) -> None:
    metadata = flats_site.client.get("/v2/models/flats").get_json()
    assert [tensor["name"] for tensor in metadata["inputs"]] == list(saved.table.columns)
    assert metadata["outputs"] == [{"name": "prediction", "datatype": "FP32", "shape": [-1]}]


def test_its_columns_are_in_the_description_of_the_api(flats_site: Site, saved: Saved) -> None:
    schemas = flats_site.client.get("/openapi.json").get_json()["components"]["schemas"]
    assert list(schemas["Row.flats.1"]["properties"]) == list(saved.table.columns)


def test_a_posted_row_gets_the_score_of_the_pipeline(flats_site: Site, saved: Saved) -> None:
    table = flats(4, seed=9)
    answer = flats_site.hire().post({"inputs": rows_of(table)}, Prefer="wait=5").get_json()
    given = [np.float32(output["prediction"]) for output in answer["outputs"]]
    assert given == saved.pipeline.predict(table).tolist()


def test_a_text_that_training_did_not_know_is_a_valid_value(flats_site: Site, saved: Saved) -> None:
    table = flats(1).assign(city="Aachen")
    [row] = rows_of(table)
    schema = flats_site.client.get("/v1/models/flats").get_json()["row"]
    assert Draft202012Validator(schema).is_valid(row)
    answer = flats_site.hire().post({"inputs": row}, Prefer="wait=5").get_json()
    assert np.float32(answer["output"]["prediction"]) == saved.pipeline.predict(table)[0]


def test_tensors_of_scores_in_double_precision_are_fp64(new_site: NewSite, doubles: Saved) -> None:
    site, table = new_site(bundles=doubles.bundle.parents[1], default_model="flats"), flats(3, seed=9)
    outputs = site.client.get("/v2/models/flats").get_json()["outputs"]
    datatypes = {output["name"]: output["datatype"] for output in outputs}
    assert datatypes == {"prediction": "FP64", "label": "BYTES", "probability": "FP64"}
    posted = site.hire().post({"inputs": rows_of(table)}, Prefer="wait=5").get_json()
    given = [output["probability"] for output in posted["outputs"]]
    assert given == doubles.pipeline.predict_proba(table)[:, 1].tolist()


def test_a_model_that_cannot_be_explained_says_why(unexplained: Site) -> None:
    [row] = rows_of(flats(1))
    refused = problem(unexplained.post({"inputs": row, "explain": True}), 422)
    fault = {"pointer": "/explain", "detail": f"flats@1 gives no explanations: {REASON}"}
    assert refused["errors"] == [fault]
    answer = unexplained.client.post(
        "/v1/batches?explain=true", data=b"area\n1\n", headers={"Content-Type": "text/csv"}
    )
    assert problem(answer, 422)["errors"] == [fault]
