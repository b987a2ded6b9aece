"""People read rows counted from 1, wherever they read; data counts them from 0."""

import orjson
from paygrade.operations.failed_rows import sentence_of

from tests.unit.web.batch_calls import post
from tests.unit.web.site import Site
from worker.tables.join import MissingRows


def test_page_command_and_errors_speak_of_the_same_row(site: Site) -> None:
    batch = post(site, b"years\n2.5\nmany\n").get_json()
    site.score_batches()
    failed = orjson.loads(site.client.get(batch["urls"]["errors"]).data)
    assert failed["row"] == 1
    page = site.client.get(f"/job?id={batch['id']}").text
    assert '<tr><th scope="row">2</th><td>years must be a number</td>' in page
    assert sentence_of(failed["row"], "years must be a number") == "row 2: years must be a number"
    missing = orjson.loads(MissingRows(failed["row"], 1).to_json())
    assert (missing["row"], missing["errors"][0]["detail"].split(" was ")[0]) == (1, "row 2")
