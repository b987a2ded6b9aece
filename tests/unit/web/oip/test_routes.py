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
from werkzeug.test import TestResponse

import web
from jobs.line import Outcome
from jobs.status import Status
from tests.unit.web.conftest import NewSite
from tests.unit.web.site import Site, pointers, problem
from web.keys import digest

INFER = "/v2/models/salary/infer"
LENGTH = "Inference-Header-Content-Length"


def tensor(*years: Any, **replaced: Any) -> dict[str, Any]:
    return {"name": "years", "shape": [len(years)], "datatype": "FP64", "data": list(years), **replaced}


def infer(site: Site, *inputs: Any, **members: Any) -> TestResponse:
    return site.client.post(INFER, json={"inputs": inputs, **members})


def infer_binary(
    site: Site, appended: bytes, described: Any, length: str | None = None, **members: Any
) -> TestResponse:
    """With bytes after the JSON, whose length is said rightly if none is given."""
    header = json.dumps({"inputs": [described], **members}).encode()
    headers = {LENGTH: str(len(header)) if length is None else length}
    return site.client.post(INFER, data=header + appended, headers=headers)


def as_bytes(*years: float, **replaced: Any) -> tuple[bytes, dict[str, Any]]:
    appended = struct.pack(f"<{len(years)}d", *years)
    described = tensor(*years, parameters={"binary_data_size": len(appended)}, **replaced)
    del described["data"]
    return appended, described


def fails(site: Site, *errors: bytes) -> None:
    """The next job's rows come out so, in place of being scored."""
    [claim] = site.line.claim("child", "bell", rows=1_000)
    assert site.line.record([Outcome(claim, Status.PARTIALLY_SUCCEEDED, b"[%b]" % b",".join(errors))]) == 1


def under_way(site: Site, *years: float) -> Any:
    waits = gevent.spawn(infer, site, tensor(*years))
    gevent.sleep(0.005)
    return waits


def test_the_server_tells_its_version_and_extension(site: Site) -> None:
    version = tomllib.loads(Path("pyproject.toml").read_text())["project"]["version"]
    told = {"name": "paygrade", "version": version, "extensions": ["binary_tensor_data"]}
    assert site.client.get("/v2").get_json() == site.client.get("/v2/").get_json() == told
    assert web.__version__ == version


def test_live_is_the_process_and_ready_is_its_store(site: Site) -> None:
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
    served = {"name": "salary", "version": "1", "state": "READY", "reason": ""}
    assert site.client.post("/v2/repository/index").get_json() == [served]


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


def test_an_inference_without_an_id_is_answered_without_one(site: Site) -> None:
    assert "id" not in infer(site.hire(), tensor(2.5)).get_json()
    assert infer(site, tensor(2.5), id="").get_json()["id"] == ""


def test_members_that_clients_add_are_left_aside(site: Site) -> None:
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


def test_bytes_are_taken_and_given_after_the_json(site: Site) -> None:
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
def test_an_output_that_is_named_may_differ_from_the_others(
    site: Site, of_all: bool, of_one: bool | None, binary: bool
) -> None:
    wanted = {"name": "prediction", "parameters": {"binary_data": of_one}}
    answer = infer(site.hire(), tensor(1), outputs=[wanted], parameters={"binary_data_output": of_all})
    assert (LENGTH in answer.headers) == binary


@pytest.mark.parametrize(
    "content_type", [None, "application/octet-stream", "application/json; charset=utf-8"]
)
def test_media_types_that_clients_send_are_taken(site: Site, content_type: str | None) -> None:
    body = json.dumps({"inputs": [tensor(2.5)]})
    assert site.hire().client.post(INFER, data=body, content_type=content_type).status_code == 200


@pytest.mark.parametrize(
    ("content_type", "encoding"),
    [("text/plain", None), ("application/x-www-form-urlencoded", None), (None, "gzip")],
)
def test_another_media_type_or_encoding_is_refused(
    site: Site, content_type: str | None, encoding: str | None
) -> None:
    headers = {"Content-Encoding": encoding} if encoding else {}
    problem(site.client.post(INFER, data=b"{}", content_type=content_type, headers=headers), 415)


@pytest.mark.parametrize("length", ["", "x", "-1", "+1", "1.0", "\xb2", "99999", "9" * 400])
def test_a_length_that_is_none_is_refused(site: Site, length: str) -> None:
    appended, years = as_bytes(2.5)
    problem(infer_binary(site, appended, years, length=length), 400)
    assert site.is_untouched()


@pytest.mark.parametrize("appended", [b"", b"1234567", b"123456789"])
def test_bytes_that_no_tensor_accounts_for_are_refused(site: Site, appended: bytes) -> None:
    problem(infer_binary(site, appended, as_bytes(2.5)[1]), 400)
    assert site.is_untouched()


@pytest.mark.parametrize(
    ("body", "where"),
    [
        ([], [""]),
        ({}, ["/inputs"]),
        ({"inputs": []}, ["/inputs"]),
        ({"inputs": {"years": 2.5}}, ["/inputs"]),
        ({"inputs": [7]}, ["/inputs/0"]),
        ({"inputs": [{}]}, ["/inputs/0/name", "/inputs/0/shape", "/inputs/0/datatype"]),
        ({"inputs": [tensor(1)], "id": 42}, ["/id"]),
        ({"inputs": [tensor(1, data=None)]}, ["/inputs/0"]),
        ({"inputs": [tensor(1, parameters={"binary_data_size": 0})]}, ["/inputs/0"]),
        ({"inputs": [tensor(1, data=7)]}, ["/inputs/0/data"]),
        ({"inputs": [tensor(1, datatype="FP128")]}, ["/inputs/0/datatype"]),
        ({"inputs": [tensor(1, shape=[])]}, ["/inputs/0/shape"]),
        ({"inputs": [tensor(1, shape=[1, 1, 1])]}, ["/inputs/0/shape"]),
        ({"inputs": [tensor(1, shape=[-1])]}, ["/inputs/0/shape/0"]),
        ({"inputs": [tensor(1, shape=[1, 0])]}, ["/inputs/0/shape/1"]),
        ({"inputs": [tensor(1, shape=[True])]}, ["/inputs/0/shape/0"]),
        ({"inputs": [tensor(1, shape=[10**15])]}, ["/inputs/0/shape"]),
        ({"inputs": [tensor(1, shape=[1, 10**15])]}, ["/inputs/0"]),
        ({"inputs": [tensor(*range(1001))]}, ["/inputs/0/shape"]),
        ({"inputs": [tensor(1, 2, shape=[3])]}, ["/inputs/0"]),
        ({"inputs": [tensor(1), tensor(2)]}, ["/inputs"]),
        ({"inputs": [tensor(1, name="age")]}, ["/inputs/0/name", "/inputs"]),
        ({"inputs": [tensor(1, None, "x", [2])]}, [f"/inputs/0/data/{at}" for at in (1, 2, 3)]),
        ({"inputs": [tensor(1)], "outputs": [{"name": "x"}]}, ["/outputs/0/name"]),
        ({"inputs": [tensor("x")], "outputs": [{"name": "x"}]}, ["/outputs/0/name", "/inputs/0/data/0"]),
        (
            {"inputs": [tensor(1, parameters={"shared_memory_region": "x"})]},
            ["/inputs/0/parameters/shared_memory_region"],
        ),
        (
            {"inputs": [tensor(1)], "outputs": [{"name": "prediction", "parameters": {"classification": 1}}]},
            ["/outputs/0/parameters/classification"],
        ),
    ],
    ids=lambda value: repr(value)[:60],
)
def test_each_fault_has_its_pointer_and_nothing_is_queued(site: Site, body: Any, where: list[str]) -> None:
    assert pointers(site.client.post(INFER, json=body)) == where
    assert site.is_untouched()


def test_nan_is_a_missing_value_and_so_refused_where_none_may_be_missing(site: Site) -> None:
    assert pointers(infer_binary(site, *as_bytes(1, float("nan"), float("inf")))) == [
        "/inputs/0/data/1",
        "/inputs/0/data/2",
    ]


def test_the_error_that_clients_show_tells_the_first_faults_and_counts_the_rest(site: Site) -> None:
    error = problem(infer(site, tensor(*"abcdef")), 422)["error"]
    assert "/inputs/0/data/0 must be a number" in error
    assert error.endswith("; 3 more")


def test_a_row_that_was_not_scored_fails_the_inference_and_is_named(site: Site) -> None:
    waits = under_way(site, 2.5, 4.5)
    fails(site, b'{"prediction":260.00012}', b'{"error":{"type":"not_scored","detail":"it is odd"}}')
    told = problem(waits.get(timeout=2), 422)
    assert told["errors"] == [{"pointer": "/inputs", "detail": "row 1: it is odd"}]
    [job_id] = site.jobs()
    assert job_id in told["error"]
    assert site.show(job_id)["outputs"][0] == {"prediction": 260.00012}


def test_an_inference_that_takes_too_long_is_canceled(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("web.blocking.LONGEST_SECONDS", 0.1)
    problem(infer(site, tensor(2.5)), 503)
    [job_id] = site.jobs()
    assert site.show(job_id)["status"] == "canceled"


def test_an_inference_is_refused_where_nobody_more_may_wait(new_site: NewSite) -> None:
    site = new_site(max_waiting_callers=0)
    problem(infer(site, tensor(2.5)), 503)
    assert site.jobs() == []


def test_an_inference_belongs_to_the_owner_of_the_key(new_site: NewSite) -> None:
    site = new_site(keys=f"ann:{digest('a')},bob:{digest('b')}").hire()
    answer = site.client.post(INFER, json={"inputs": [tensor(1)]}, headers={"Authorization": "Bearer a"})
    path = f"/v1/predictions/{answer.get_json()['parameters']['job_id']}"
    assert site.client.get(path, headers={"X-API-Key": "a"}).status_code == 200
    problem(site.client.get(path, headers={"X-API-Key": "b"}), 404)
