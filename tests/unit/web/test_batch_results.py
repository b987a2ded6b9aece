"""Results are a file: whole, a range of it, or compressed."""

import gzip

from tests.unit.web.batch_calls import RESULT, posted
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
