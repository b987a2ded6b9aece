"""/v2 as clients of the Open Inference Protocol use it."""

import json
import struct
import tomllib
from pathlib import Path
from typing import Any

import gevent
import orjson
import pytest
from redis.exceptions import ConnectionError as Lost

from jobs.predictions.consumer import Outcome
from jobs.predictions.status import PredictionStatus
from tests.unit.web.conftest import NewSite
from tests.unit.web.oip.client import INFER, LENGTH, as_bytes, infer, infer_binary, tensor
from tests.unit.web.site import Site, problem
from web.keys import digest


def fails(site: Site, *errors: bytes) -> None:
    """Records these outputs for the next job, in place of scores."""
    [claim] = site.consumer.claim("child", "wake_up", rows=1_000)
    assert (
        len(
            site.consumer.record(
                [Outcome(claim, PredictionStatus.PARTIALLY_SUCCEEDED, b"[%b]" % b",".join(errors))]
            )
        )
        == 1
    )


def under_way(site: Site, *years: float) -> Any:
    waits = gevent.spawn(infer, site, tensor(*years))
    while not site.queued():
        gevent.sleep(0)
    return waits


def test_the_server_shows_its_version_and_extension(site: Site) -> None:
    version = tomllib.loads(Path("pyproject.toml").read_text())["project"]["version"]
    told = {"name": "paygrade", "version": version, "extensions": ["binary_tensor_data"]}
    assert site.client.get("/v2").get_json() == site.client.get("/v2/").get_json() == told


def test_live_checks_the_process_and_ready_checks_the_store(site: Site) -> None:
    assert site.client.get("/v2/health/live").get_json() == {"live": True}
    assert site.client.get("/v2/health/ready").get_json() == {"ready": True}
    site.redis.failure = Lost("gone")
    assert site.client.get("/v2/health/live").status_code == 200
    problem(site.client.get("/v2/health/ready"), 503)
    problem(site.client.get("/v2/models/salary/ready"), 503)


def test_a_model_describes_a_tensor_for_each_feature(new_site: NewSite, rent_bundles: Path) -> None:
    site = new_site(bundles=rent_bundles)
    told = site.client.get("/v2/models/salary/versions/3").get_json()
    assert told == site.client.get("/v2/models/salary").get_json()
    assert (told["name"], told["versions"], told["platform"]) == ("salary", ["3"], "xgboost_ubj")
    assert [(one["name"], one["datatype"]) for one in told["inputs"]] == [
        ("rooms", "INT64"),
        ("city", "BYTES"),
        ("m²/~", "FP64"),
    ]
    assert told["outputs"] == [{"name": "prediction", "datatype": "FP32", "shape": [-1]}]
    assert site.client.get("/v2/models/salary/versions/3/ready").get_json()["ready"] is True


def test_the_index_lists_what_is_served(site: Site) -> None:
    ready = {"version": "1", "state": "READY", "reason": ""}
    served = [{"name": "salary", **ready}, {"name": "wages", **ready}]
    assert site.client.post("/v2/repository/index").get_json() == served


@pytest.mark.parametrize("path", ["nothing", "salary/versions/9", "salary/versions/01", "salary/versions/x"])
def test_an_unknown_model_or_version_is_not_found(site: Site, path: str) -> None:
    for method, end in (("GET", ""), ("GET", "/ready"), ("POST", "/infer")):
        problem(site.client.open(f"/v2/models/{path}{end}", method=method, json={}), 404)
    assert site.is_untouched()


def test_an_inference_goes_through_the_queue_and_names_its_job(site: Site) -> None:
    answer = infer(site.hire(), tensor(2.5, 12.5), id="42").get_json()
    assert answer["id"] == "42"
    assert (answer["model_name"], answer["model_version"]) == ("salary", "1")
    assert answer["outputs"] == [
        {"name": "prediction", "datatype": "FP32", "shape": [2], "data": [260.00012, 749.99884]}
    ]
    job = site.show(answer["parameters"]["job_id"])
    assert [output["prediction"] for output in job["outputs"]] == [260.00012, 749.99884]


def test_an_inference_without_an_id_is_answered_without_an_id(site: Site) -> None:
    assert "id" not in infer(site.hire(), tensor(2.5)).get_json()
    assert infer(site, tensor(2.5), id="").get_json()["id"] == ""


def test_members_that_clients_add_are_ignored(site: Site) -> None:
    added = {"model_name": "salary", "outputs": [], "parameters": {"priority": 1, "content_type": None}}
    assert infer(site.hire(), tensor(2.5, parameters={"content_type": "np"}), **added).status_code == 200


def test_rows_may_be_one_tensor_of_any_name(site: Site) -> None:
    rows = tensor(name="input-0", shape=[2, 1], data=[[2.5], [4.5]])
    assert infer(site.hire(), rows).get_json()["outputs"][0]["data"] == [260.00012, 374.99866]


def test_categories_and_numbers_are_sent_together(new_site: NewSite, rent_bundles: Path) -> None:
    site = new_site(bundles=rent_bundles).hire()
    rows = [{"rooms": 3, "city": "Basel", "m²/~": 60}, {"rooms": 8, "city": None, "m²/~": 160.5}]
    rooms = {"name": "rooms", "shape": [2, 1], "datatype": "INT64", "data": [3, 8]}
    city = {"name": "city", "shape": [2], "datatype": "BYTES", "data": ["Basel", None]}
    area = {"name": "m²/~", "shape": [2], "datatype": "FP32", "data": [60, 160.5]}
    inferred = infer(site, area, city, rooms).get_json()["outputs"][0]["data"]
    posted = site.post({"inputs": rows}, Prefer="wait=5").get_json()["outputs"]
    assert inferred == [output["prediction"] for output in posted]


def test_bytes_are_read_and_written_after_the_json(site: Site) -> None:
    appended, years = as_bytes(2.5, 12.5)
    answer = infer_binary(site.hire(), appended, years, parameters={"binary_data_output": True})
    assert answer.mimetype == "application/octet-stream"
    length = int(answer.headers[LENGTH])
    [output] = orjson.loads(answer.data[:length])["outputs"]
    assert output["parameters"] == {"binary_data_size": 8}
    assert "data" not in output
    assert answer.data[length:] == struct.pack("<2f", 260.00012, 749.99884)


@pytest.mark.parametrize(
    ("of_all", "of_one", "binary"), [(True, None, True), (True, False, False), (False, True, True)]
)
def test_a_named_output_may_have_parameters_of_its_own(
    site: Site, of_all: bool, of_one: bool | None, binary: bool
) -> None:
    wanted = {"name": "prediction", "parameters": {"binary_data": of_one}}
    answer = infer(site.hire(), tensor(1), outputs=[wanted], parameters={"binary_data_output": of_all})
    assert (LENGTH in answer.headers) == binary


@pytest.mark.parametrize(
    "content_type", [None, "application/octet-stream", "application/json; charset=utf-8"]
)
def test_the_media_types_of_clients_are_accepted(site: Site, content_type: str | None) -> None:
    body = json.dumps({"inputs": [tensor(2.5)]})
    assert site.hire().client.post(INFER, data=body, content_type=content_type).status_code == 200


def test_a_row_that_was_not_scored_fails_the_inference_and_is_named(site: Site) -> None:
    waits = under_way(site, 2.5, 4.5)
    fails(site, b'{"prediction":260.00012}', b'{"error":{"type":"not_scored","detail":"it is odd"}}')
    told = problem(waits.get(timeout=2), 422)
    assert told["errors"] == [{"pointer": "/inputs", "detail": "row 1: it is odd"}]
    [job_id] = site.jobs()
    assert job_id in told["error"]
    assert site.show(job_id)["outputs"][0] == {"prediction": 260.00012}


def test_an_inference_that_takes_too_long_is_canceled(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("web.submission.LONGEST_WAIT_SECONDS", 0.1)
    problem(infer(site, tensor(2.5)), 503)
    [job_id] = site.jobs()
    assert site.show(job_id)["status"] == "canceled"


def test_an_inference_is_refused_if_too_many_callers_wait(new_site: NewSite) -> None:
    site = new_site(max_waiting_callers=0)
    problem(infer(site, tensor(2.5)), 503)
    assert site.jobs() == []


def test_an_inference_belongs_to_the_owner_of_the_key(new_site: NewSite) -> None:
    site = new_site(keys=f"ann:{digest('a')},bob:{digest('b')}").hire()
    answer = site.client.post(INFER, json={"inputs": [tensor(1)]}, headers={"Authorization": "Bearer a"})
    path = f"/v1/predictions/{answer.get_json()['parameters']['job_id']}"
    assert site.client.get(path, headers={"X-API-Key": "a"}).status_code == 200
    problem(site.client.get(path, headers={"X-API-Key": "b"}), 404)
