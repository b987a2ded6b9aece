"""Results are a file: whole, a range of it, or compressed."""

import gzip

import orjson

from jobs.files.tables import MOST_FIRST_BYTES
from tests.unit.web.batch_calls import CSV, RESULT, posted
from tests.unit.web.site import Site, problem


def test_results_are_not_available_before_the_end(site: Site) -> None:
    path = posted(site)
    problem(site.client.get(f"{path}/results"), 409)
    site.score_batches(tasks=2)
    problem(site.client.get(f"{path}/errors"), 409)


def test_a_range_of_the_results_can_be_requested(site: Site) -> None:
    path = posted(site)
    site.score_batches()
    whole = site.client.get(f"{path}/results")
    assert whole.headers["Accept-Ranges"] == "bytes"
    for asked, start, end in (("0-9", 0, 10), ("40-", 40, None), ("-5", -5, None), ("3-999", 3, None)):
        part = site.client.get(f"{path}/results", headers={"Range": f"bytes={asked}"})
        assert (part.status_code, part.data) == (206, RESULT[start:end])
    assert part.headers["Content-Range"] == f"bytes 3-{len(RESULT) - 1}/{len(RESULT)}"
    assert problem(site.client.get(f"{path}/results", headers={"Range": "bytes=999-"}), 416)
    changed = site.client.get(f"{path}/results", headers={"Range": "bytes=0-9", "If-Range": '"other"'})
    assert (changed.status_code, changed.data) == (200, RESULT)
    head = site.web.app.test_client().head(f"{path}/results")
    assert (head.status_code, head.headers["Content-Length"], head.data) == (200, str(len(RESULT)), b"")


def test_results_are_compressed_for_callers_that_accept_it(site: Site) -> None:
    path = posted(site)
    site.score_batches()
    response = site.client.get(f"{path}/results", headers={"Accept-Encoding": "gzip"})
    assert response.headers["Content-Encoding"] == "gzip"
    assert gzip.decompress(response.data) == RESULT


def test_the_first_results_are_shown_as_they_are(site: Site) -> None:
    path = posted(site)
    problem(site.client.get(f"{path}/preview"), 409)
    site.score_batches()
    shown = site.client.get(f"{path}/preview")
    assert (shown.mimetype, shown.data) == ("text/csv", RESULT)


def test_the_first_results_are_whole_lines(site: Site) -> None:
    path = posted(site, b"id,years\n" + b"".join(b"%d,2.5\n" % number for number in range(20_000)))
    site.score_batches()
    whole, shown = (site.client.get(f"{path}/{name}").data for name in ("results", "preview"))
    assert len(whole) > MOST_FIRST_BYTES > len(shown) > MOST_FIRST_BYTES - 100
    assert whole.startswith(shown)
    assert shown.endswith(b"\n")


def test_the_first_results_in_parquet_are_shown_as_lines_of_json(site: Site) -> None:
    path = posted(site, CSV, query="?results=parquet")
    site.score_batches()
    shown = site.client.get(f"{path}/preview")
    assert shown.mimetype == "application/x-ndjson"
    lines = [orjson.loads(line) for line in shown.data.splitlines()]
    assert [line["id"] for line in lines] == ["a", "b", "c"]
    assert [line["prediction"] for line in lines] == [260.00012, None, 749.99884]
