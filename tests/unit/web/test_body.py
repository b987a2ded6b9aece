"""All faults of a body are listed at once with pointers; the body is neither queued nor logged."""

import json
import logging
from collections.abc import Iterator
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest
from werkzeug.test import TestResponse

from tests.unit.web.conftest import NewSite
from tests.unit.web.site import Site, pointers, problem

ROW = {"years": 2.5}
TAKE_JSON = ["/v1/predictions", "/recms", "/v2/models/salary/infer"]
SECRET = 7312561
"""A value in bodies that must not appear in logs."""


@pytest.fixture
def site(new_site: NewSite, caplog: pytest.LogCaptureFixture) -> Iterator[Site]:
    caplog.set_level(logging.DEBUG)
    site = new_site()
    yield site
    assert site.is_untouched()
    assert str(SECRET) not in caplog.text


def post(site: Site, path: str, body: bytes, **options: Any) -> TestResponse:
    options = {"content_type": "application/json", **options}
    return site.client.post(path, data=body, **options)


@pytest.mark.parametrize("path", TAKE_JSON)
@pytest.mark.parametrize(
    "body",
    [
        b"",
        b" ",
        b"{",
        b"years=7312561",
        b"{'inputs': {'years': 7312561}}",
        b'{"inputs": {"years": 7312561}} and more',
        b'{"inputs": {"years": 07312561}}',
        b'{"inputs": {"years": "7312561\xff"}}',
        b'{"inputs": {"years": NaN}, "model": "7312561"}',
        b'{"inputs": {"years": Infinity}}',
        b'{"inputs": {"years": -Infinity}}',
        b'{"inputs": ' + b"[" * 100_000 + b"]" * 100_000 + b"}",
        b'{"inputs": ' + b'{"years":' * 100_000 + b"7312561" + b"}" * 100_001,
    ],
    ids=lambda body: repr(body[:30]),
)
def test_a_body_that_is_not_json_is_refused(site: Site, path: str, body: bytes) -> None:
    problem(post(site, path, body), 400)


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        (b"", "the body is empty; send JSON"),
        (b'{"inputs":\n {"years": 7312561,}}', "there is a comma before } at line 2, column 19; remove it"),
        (b'{"inputs": [1, 2,\n ]}', "there is a comma before ] at line 1, column 17; remove it"),
        (b'{"NaN": "Infinity",\n"a": NaN}', "NaN at line 2, column 6, is not JSON; send null"),
        (b'{"a": -Infinity}', "-Infinity at line 1, column 7, is not JSON; send null"),
        ('{"inputs": 1}'.encode("utf-16"), "it begins like UTF-16; encode it as UTF-8"),
        ('{"inputs": 1}'.encode("utf-16-be"), "it begins like UTF-16; encode it as UTF-8"),
        (b'{"a":\n"\xff"}', "line 2 is not UTF-8"),
        (b"{'a': 1}", "at line 1, column 2"),
    ],
)
def test_a_body_that_is_not_json_is_told_what_is_wrong_and_where(
    site: Site, body: bytes, reason: str
) -> None:
    assert reason in problem(post(site, "/v1/predictions", body), 400)["detail"]


@pytest.mark.parametrize(
    ("body", "where"),
    [
        ([SECRET], [""]),
        (SECRET, [""]),
        (None, [""]),
        ("7312561", [""]),
        ({}, ["/inputs"]),
        ({"inputs": None}, ["/inputs"]),
        ({"inputs": SECRET}, ["/inputs"]),
        ({"inputs": "7312561"}, ["/inputs"]),
        ({"inputs": []}, ["/inputs"]),
        ({"inputs": [{"years": SECRET}] * 1001}, ["/inputs"]),
        ({"inputs": [ROW, SECRET, None, [1], "7312561"]}, [f"/inputs/{row}" for row in (1, 2, 3, 4)]),
        ({"inputs": {}}, ["/inputs/years"]),
        ({"inputs": [{}, ROW, {"years": "7312561 years"}]}, ["/inputs/0/years", "/inputs/2/years"]),
        ({"inputs": {**ROW, "months": SECRET}}, ["/inputs/months"]),
        ({"inputs": {"a/b~c": SECRET, "": 1}}, ["/inputs/years", "/inputs/a~1b~0c", "/inputs/"]),
        ({"inputs": ROW, "model": SECRET}, ["/model"]),
        ({"inputs": ROW, "model": ["salary"]}, ["/model"]),
        ({"inputs": ROW, "explain": "7312561"}, ["/explain"]),
        ({"inputs": ROW, "explain": 1}, ["/explain"]),
        ({"inputs": [ROW] * 101, "explain": True}, ["/inputs"]),
        ({"inputs": [ROW, {}], "explain": "yes"}, ["/explain", "/inputs/1/years"]),
        ({"inputs": [*[ROW] * 100, {}], "explain": True}, ["/inputs", "/inputs/100/years"]),
        (
            {"inputs": [*[ROW] * 100, {}], "explain": True, "x": SECRET},
            ["/inputs", "/inputs/100/years", "/x"],
        ),
        ({"inputs": ROW, "input": SECRET, "a/b~c": 1}, ["/input", "/a~1b~0c"]),
        ({"inputs": ROW, "metadata": [SECRET]}, ["/metadata"]),
        ({"inputs": ROW, "metadata": None}, ["/metadata"]),
        ({"inputs": ROW, "metadata": {"a/b": SECRET, "c": None}}, ["/metadata/a~1b", "/metadata/c"]),
        ({"inputs": ROW, "metadata": {str(n): "7312561" for n in range(17)}}, ["/metadata"]),
        ({"inputs": ROW, "metadata": {"k" * 64: "v" * 513}}, ["/metadata/" + "k" * 64]),
        ({"inputs": ROW, "metadata": {"k" * 65: "v"}}, ["/metadata/" + "k" * 65]),
        ({"inputs": [], "model": 1, "explain": 2, "x": 3}, ["/explain", "/inputs", "/model", "/x"]),
    ],
    ids=lambda value: repr(value)[:50],
)
def test_each_fault_has_its_pointer(site: Site, body: Any, where: list[str]) -> None:
    assert sorted(pointers(site.post(json.dumps(body).encode()))) == sorted(where)


def test_faults_of_members_and_of_rows_come_at_once(site: Site) -> None:
    refused = site.post({"inputs": {"years": "x"}, "metadata": {"a": SECRET}, "explain": 1})
    assert sorted(pointers(refused)) == ["/explain", "/inputs/years", "/metadata/a"]


VALUES = [
    "null",
    "true",
    "[7312561]",
    '{"years": 7312561}',
    '""',
    '"7312561 years"',
    '"0x7312561"',
    '"1_000"',
    '"٣"',
    '"NaN"',
    '"inf"',
    '"\\u0000"',
    "1e39",
    '"1e39"',
    "1e400",
    "-1e400",
    '"1e400"',
    "7312561" * 40,
    "7312561" * 1000,
    "[" * 400 + "]" * 400,
]


@pytest.mark.parametrize("value", VALUES, ids=lambda value: value[:12])
def test_a_value_that_is_not_a_number_is_refused_with_its_pointer(site: Site, value: str) -> None:
    row = f'{{"years": {value}}}'
    assert pointers(site.post(f'{{"inputs": {row}}}'.encode())) == ["/inputs/years"]
    assert pointers(site.post(f'{{"inputs": [{row}]}}'.encode())) == ["/inputs/0/years"]
    assert len(pointers(post(site, "/recms", row.encode()))) == 1


@pytest.mark.parametrize(
    ("row", "where"),
    [("7312561", [""]), ("[]", [""]), ("{}", ["/years"]), ('{"Years": 7312561}', ["/years", "/Years"])],
)
def test_recms_points_into_the_row_that_it_was_sent(site: Site, row: str, where: list[str]) -> None:
    assert pointers(post(site, "/recms", row.encode())) == where


@pytest.mark.parametrize(
    "body",
    [
        r'{"inputs": {"years": "\ud800"}}',
        r'{"inputs": {"years": 2.5}, "model": "\ud800"}',
        r'{"inputs": {"years": 2.5, "\ud800": 7312561}}',
        r'{"inputs": {"years": 2.5}, "\ud800": 7312561}',
        r'{"inputs": {"years": 2.5}, "metadata": {"\ud800": "7312561"}}',
        r'{"inputs": {"years": 2.5}, "metadata": {"a": "\ud800"}}',
    ],
)
def test_half_a_surrogate_pair_is_refused(site: Site, body: str) -> None:
    problem(site.post(body.encode()), 400)


def test_the_last_of_two_members_with_one_name_counts(site: Site) -> None:
    refused = site.post(b'{"inputs": {"years": 2.5}, "inputs": {"years": 1, "years": "7312561 years"}}')
    assert pointers(refused) == ["/inputs/years"]


@pytest.mark.parametrize(
    "model",
    [
        *(
            "nothing",
            "salary@99",
            "salary@x",
            "salary@01",
            "salary@-1",
            "salary@",
            "salary@1@1",
            "@1",
            "@",
            "",
        ),
        *(
            "Salary",
            "salary ",
            "../salary",
            "salary/1",
            "s" * 10_000,
            "salary@\x00",
        ),
    ],
    ids=lambda model: ascii(model[:12]),
)
def test_an_unknown_model_or_version_is_not_found(site: Site, model: str) -> None:
    problem(site.post(json.dumps({"model": model, "inputs": ROW}).encode()), 404)


@pytest.mark.parametrize("path", ["/v1/predictions", "/recms"])
@pytest.mark.parametrize(
    ("content_type", "encoding"),
    [
        ("text/plain", None),
        ("application/x-www-form-urlencoded", None),
        ("multipart/form-data; boundary=x", None),
        ("application/json", "gzip"),
        ("application/json", "7312561"),
    ],
)
def test_another_media_type_or_encoding_is_refused(
    site: Site, path: str, content_type: str | None, encoding: str | None
) -> None:
    headers = {"Content-Encoding": encoding} if encoding else {}
    problem(post(site, path, b'{"years": 7312561}', content_type=content_type, headers=headers), 415)


@pytest.mark.parametrize("path", TAKE_JSON)
def test_a_body_over_the_limit_is_refused_with_and_without_its_length(new_site: NewSite, path: str) -> None:
    site = new_site(max_body=1024)
    body = b'{"years": 2.5}' + b" " * 1024
    assert "1024 bytes" in problem(post(site, path, body), 413)["detail"]
    chunked = {"wsgi.input_terminated": True}
    problem(post(site, path, b"", input_stream=BytesIO(body), environ_overrides=chunked), 413)
    assert site.is_untouched()


def test_faults_name_features_whatever_they_are_called(new_site: NewSite, rent_bundles: Path) -> None:
    site = new_site(bundles=rent_bundles)
    refused = site.post({"inputs": {"rooms": 2.5, "city": "Zug", "m²": SECRET}})
    assert sorted(pointers(refused)) == ["/inputs/city", "/inputs/m²", "/inputs/m²~1~0", "/inputs/rooms"]
