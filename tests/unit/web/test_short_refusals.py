"""A refusal is short, and costs little, whatever is wrong with a body."""

import tracemalloc
from typing import Any

import orjson
import pytest
from werkzeug.test import TestResponse

from tests.unit.web.site import Site

MANY = 100_000
WRONG = {f"m{number}": number for number in range(MANY)}
TENSOR = {"name": "years", "shape": [1], "datatype": "FP64", "data": [1]}
ROW = {"years": 2.5}
INFER = "/v2/models/salary/infer"

HOSTILE: dict[str, tuple[str, Any]] = {
    "metadata": ("/v1/predictions", {"inputs": ROW, "metadata": WRONG}),
    "members": ("/v1/predictions", {"inputs": ROW, **WRONG}),
    "members of a row": ("/v1/predictions", {"inputs": WRONG}),
    "members of rows": (
        "/v1/predictions",
        {"inputs": [{f"{row}.{n}": n for n in range(100)} for row in range(1000)]},
    ),
    "a name": ("/v1/predictions", {"inputs": {"x" * 2_000_000: 1, **ROW}}),
    "rows": ("/v1/predictions", {"inputs": [None] * MANY}),
    "a row of recms": ("/recms", WRONG),
    "tensors": (INFER, {"inputs": [TENSOR] * 20_000}),
    "tensors that are none": (INFER, {"inputs": [7] * MANY}),
    "members of a tensor": (INFER, {"inputs": [{**TENSOR, **WRONG}], "outputs": [{"name": "x"}]}),
    "outputs": (INFER, {"inputs": [TENSOR], "outputs": [{"name": "x" * 500}] * 5_000}),
    "elements": (INFER, {"inputs": [{**TENSOR, "shape": [1000], "data": ["x"] * 1000}]}),
    "the id": (INFER, {"inputs": [TENSOR], "id": WRONG}),
    "options": ("/v1/batches", {"rows": [ROW], **WRONG}),
    "metadata of a batch": ("/v1/batches", {"rows": [ROW], "metadata": WRONG}),
    "rows of a batch": ("/v1/batches", {"rows": [orjson.Fragment("9" * 320)] * 10_000}),
}


def sent(site: Site, path: str, body: bytes, kind: str = "application/json", query: str = "") -> TestResponse:
    return site.client.post(f"{path}{query}", data=body, content_type=kind)


@pytest.mark.parametrize("name", HOSTILE)
def test_a_refusal_is_short_and_takes_memory_in_proportion(site: Site, name: str) -> None:
    path, sent_body = HOSTILE[name]
    body = orjson.dumps(sent_body)
    tracemalloc.start()
    refused = sent(site, path, body)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert 400 <= refused.status_code < 500, refused.text[:300]
    assert len(refused.data) < 32_000
    assert len(refused.get_json().get("errors", ())) <= 100
    assert peak < 500_000 + 50 * len(body)


@pytest.mark.parametrize("query", ["?" + "&".join(f"a{n}=1" for n in range(1500)), "?results=" + "x" * 8000])
def test_a_query_of_wrong_options_is_refused_shortly(site: Site, query: str) -> None:
    refused = sent(site, "/v1/batches", b"years\n1\n", "text/csv", query)
    assert refused.status_code == 422
    assert len(refused.data) < 32_000


@pytest.mark.parametrize(
    ("start", "kind"),
    [
        (b",".join(b"c%d" % (number % 10_000) for number in range(30_000)) + b"\n1\n", "text/csv"),
        (b"x" * 100_000 + b",y\n1\n", "text/csv"),
        (b"[" * 300_000, "application/x-ndjson"),
        (b'{"rows": ' + b"[" * 300_000, ""),
    ],
    ids=["columns", "a column", "a list", "nameless"],
)
def test_a_file_is_refused_shortly(site: Site, start: bytes, kind: str) -> None:
    refused = sent(site, "/v1/batches", start, kind)
    assert 400 <= refused.status_code < 500
    assert len(refused.data) < 32_000
