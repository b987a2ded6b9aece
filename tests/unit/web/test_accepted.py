"""Unusual but valid requests are accepted and scored."""

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from model.description.catalog import Catalog
from model.description.schema import InvalidRows
from tests.unit.web.conftest import NewSite
from tests.unit.web.site import BUNDLES, Site, problem

ROW = {"years": 2.5}
SCHEMA = Catalog(BUNDLES, "salary").find().schema


@pytest.mark.parametrize(
    "body",
    [
        b'{"inputs": {"years": 2.5}}',
        b' \r\n{"inputs":{"years":" 25e-1 "}}\n',
        b'{"inputs": {"years": 99}, "inputs": {"years": 2.5}}',
        b'{"inputs": {"years": 2.5}, "model": null}',
        b'{"inputs": {"years": 2.5}, "model": "salary", "explain": false, "metadata": {}}',
        b'{"inputs": {"years": 2.5}, "model": "salary@1"}',
        b'{"inputs": {"years": 2.50000000000000000000000000000000000000000000000000001}}',
    ],
)
def test_one_row_may_be_written_in_several_ways(site: Site, body: bytes) -> None:
    job = site.post(body).get_json()
    site.work()
    assert site.show(job["id"])["output"] == {"prediction": 260.00012}


@pytest.mark.parametrize(
    "headers",
    [
        {"Content_Type": "application/json; charset=utf-8"},
        {"Content_Type": "Application/JSON"},
        {"Content_Encoding": "identity"},
        {"Accept": "application/json"},
        {"Accept": "application/*;q=0.1, text/html"},
        {"Accept": "text/html, */*;q=0.1"},
    ],
)
def test_these_headers_are_accepted(site: Site, headers: dict[str, str]) -> None:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    named.setdefault("Content-Type", "application/json")
    posted = site.client.post("/v1/predictions", data=json.dumps({"inputs": ROW}), headers=named)
    assert posted.status_code == 202


def test_a_thousand_rows_come_back_in_order(site: Site) -> None:
    rows = [{"years": index / 80} for index in range(1000)]
    job = site.post({"inputs": rows}).get_json()
    site.work()
    outputs = site.show(job["id"])["outputs"]
    ids = [site.post_years(row["years"]) for row in rows[::250]]
    site.work()
    assert len(outputs) == 1000
    assert [site.show(one)["output"] for one in ids] == outputs[::250]


def test_metadata_may_be_as_large_as_promised_and_comes_back_as_sent(site: Site) -> None:
    metadata = {f"{n:02}".rjust(64, "é"): "\U0001f600" * 512 for n in range(16)}
    job = site.post({"inputs": ROW, "metadata": metadata}).get_json()
    assert job["metadata"] == metadata
    assert site.show(job["id"])["metadata"] == metadata


@pytest.mark.parametrize("rooms", [3, "3", 3.0, 1e18, 1e19, 1e30, -(2**100)])
def test_an_integer_may_be_as_large_as_a_float(new_site: NewSite, rent_bundles: Path, rooms: object) -> None:
    site = new_site(bundles=rent_bundles)
    posted = site.post({"inputs": {"rooms": rooms, "city": None, "m²/~": 60}})
    assert posted.status_code == 202, posted.text
    site.work()
    job = site.show(posted.get_json()["id"])
    assert (job["status"], job["model"]["version"]) == ("succeeded", 3)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=12,
)
VALUE = JSON | st.sampled_from([2.5, "2.5", " 1e1 ", 10**40, "salary", "salary@1", False])
ROWS = st.fixed_dictionaries({"years": VALUE}, optional={"months": JSON})
BODY = JSON | st.fixed_dictionaries(
    {"inputs": ROWS | st.lists(ROWS | JSON, max_size=3)},
    optional={"model": VALUE, "metadata": st.dictionaries(st.text(), VALUE, max_size=3), "explain": VALUE},
)


@pytest.fixture(scope="module")
def shared() -> Any:
    site = Site()
    yield site
    site.close()


@given(body=BODY)
def test_any_json_is_accepted_with_valid_rows_or_refused_with_4xx(shared: Site, body: Any) -> None:
    before = shared.queued()
    response = shared.post(json.dumps(body).encode())
    if response.status_code != 202:
        assert response.status_code in (400, 404, 422)
        problem(response, response.status_code)
        assert shared.queued() == before
        return
    assert shared.queued() == before + 1
    rows = body["inputs"] if isinstance(body["inputs"], list) else [body["inputs"]]
    try:
        SCHEMA.check_rows(rows)
    except InvalidRows as invalid:
        pytest.fail(f"accepted: {invalid}")
