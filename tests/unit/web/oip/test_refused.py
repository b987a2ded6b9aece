"""Invalid inference requests: each fault has a pointer, and nothing is queued."""

from typing import Any

import pytest

from tests.unit.web.oip.client import INFER, as_bytes, infer, infer_binary, tensor
from tests.unit.web.site import Site, pointers, problem


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
def test_a_wrong_length_of_the_json_is_refused(site: Site, length: str) -> None:
    appended, years = as_bytes(2.5)
    problem(infer_binary(site, appended, years, length=length), 400)
    assert site.is_untouched()


@pytest.mark.parametrize("appended", [b"", b"1234567", b"123456789"])
def test_bytes_that_belong_to_no_tensor_are_refused(site: Site, appended: bytes) -> None:
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


def test_nan_is_refused_where_no_value_may_be_missing(site: Site) -> None:
    assert pointers(infer_binary(site, *as_bytes(1, float("nan"), float("inf")))) == [
        "/inputs/0/data/1",
        "/inputs/0/data/2",
    ]


def test_the_error_line_has_the_first_faults_and_counts_the_rest(site: Site) -> None:
    error = problem(infer(site, tensor(*"abcdef")), 422)["error"]
    assert "/inputs/0/data/0 must be a number" in error
    assert error.endswith("; 3 more")
