"""The results of a file have one line for each row."""

import gzip

import orjson
import pytest

from tests.unit.web.batch_calls import CSV, RESULT, post, posted
from tests.unit.web.site import Site, problem

ROWS = [{"years": 2.5}, {"years": "12.5"}]


def test_a_file_is_accepted_and_its_batch_shown(site: Site) -> None:
    response = post(site)
    batch = response.get_json()
    assert (response.status_code, batch["status"], batch["object"]) == (202, "validating", "batch")
    assert response.headers["Location"] == batch["urls"]["self"] == f"/v1/batches/{batch['id']}"
    assert batch["counts"] == {"total": None, "succeeded": 0, "failed": 0}
    assert batch["progress"] == 0


def test_each_row_has_a_line_and_each_failed_row_a_reason(site: Site) -> None:
    path = posted(site)
    site.score_batches()
    batch = site.client.get(path).get_json()
    assert batch["status"] == "partially_succeeded"
    assert batch["counts"] == {"total": 3, "succeeded": 2, "failed": 1}
    assert (batch["progress"], batch["eta_seconds"], batch["error"]) == (1, 0, None)
    assert site.client.get(f"{path}/results").data == RESULT
    errors = site.client.get(f"{path}/errors").data
    assert orjson.loads(errors) == {"row": 1, "errors": [{"pointer": "/years", "detail": "must be a number"}]}


def test_rows_may_come_as_json(site: Site) -> None:
    body = orjson.dumps({"rows": ROWS, "metadata": {"for": "ada"}, "include_inputs": True})
    path = posted(site, body, "application/json")
    site.score_batches()
    batch = site.client.get(path).get_json()
    assert (batch["status"], batch["metadata"]) == ("succeeded", {"for": "ada"})
    assert site.client.get(f"{path}/results").data == (
        b'{"years":2.5,"prediction":260.00012,"warnings":null,"error":null}\n'
        b'{"years":"12.5","prediction":749.99884,'
        b'"warnings":"years is above what training saw (1 to 12)","error":null}\n'
    )


def test_results_have_the_requested_format(site: Site) -> None:
    path = posted(site, query="?results=ndjson&prefix=our_")
    site.score_batches()
    response = site.client.get(f"{path}/results")
    assert response.mimetype == "application/x-ndjson"
    assert orjson.loads(response.data.splitlines()[0]) == {
        "id": "a",
        "our_prediction": 260.00012,
        "our_warnings": None,
        "our_error": None,
    }
    problem(site.client.get(f"{path}/results", headers={"Accept": "text/csv"}), 406)


def test_a_file_may_be_compressed(site: Site) -> None:
    for packed in (gzip.compress(CSV), gzip.compress(CSV[:9]) + gzip.compress(CSV[9:])):
        path = posted(site, packed, Content_Encoding="gzip")
        site.score_batches()
        assert site.client.get(f"{path}/results").data == RESULT


@pytest.mark.parametrize("way", ["query", "body"])
def test_contributions_are_columns_if_requested(site: Site, way: str) -> None:
    if way == "query":
        path = posted(site, query="?explain=true")
    else:
        body = {"rows": [{"id": "a", "years": 2.5}], "explain": True, "results": "csv"}
        path = posted(site, orjson.dumps(body), "application/json")
    site.score_batches()
    head, first, *_ = site.client.get(f"{path}/results").text.splitlines()
    assert head == "id,prediction,contribution_years,base,warnings,error"
    _, prediction, contribution, base, *said = first.split(",")
    assert said == ["", ""]
    assert float(contribution) + float(base) == pytest.approx(float(prediction), abs=1e-4)


def test_the_list_has_the_owners_batches_newest_first(site: Site) -> None:
    paths = [posted(site) for _ in range(3)]
    page = site.client.get("/v1/batches?limit=2").get_json()
    following = site.client.get(page["urls"]["next"]).get_json()
    listed = [batch["urls"]["self"] for batch in page["data"] + following["data"]]
    assert listed == paths[::-1]
    assert following["next_cursor"] is None
    assert site.client.get("/v1/batches?status=succeeded").get_json()["data"] == []
