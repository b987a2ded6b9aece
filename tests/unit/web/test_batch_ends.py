"""Every way in which a batch can end, and what is kept of it."""

from contextlib import suppress
from io import BytesIO

import orjson
import pyarrow as pa
import pyarrow.parquet
import pytest

from tests.unit.web.batch_calls import damaged, post, posted, publish_end
from tests.unit.web.site import Site, problem
from worker.tables import cut


def test_a_queued_batch_is_canceled_at_once(site: Site) -> None:
    path = posted(site)
    for _ in range(2):
        response = site.client.post(f"{path}/cancel")
        assert (response.status_code, response.get_json()["status"]) == (200, "canceled")
    site.score_batches()
    assert site.client.get(path).get_json()["status"] == "canceled"
    assert "has no results" in problem(site.client.get(f"{path}/results"), 409)["detail"]


def test_a_batch_that_has_ended_cannot_be_canceled(site: Site) -> None:
    path = posted(site)
    site.score_batches()
    problem(site.client.post(f"{path}/cancel"), 409)


def test_a_batch_that_has_ended_can_be_deleted(site: Site) -> None:
    path = posted(site)
    problem(site.client.delete(path), 409)
    site.score_batches()
    assert site.client.delete(path).status_code == 204
    for gone in (path, f"{path}/results"):
        problem(site.client.get(gone), 404)


def test_a_batch_that_is_not_started_by_its_deadline_expires(site: Site) -> None:
    path = posted(site, Cancel_After="30s")
    assert site.client.get(path).get_json()["deadline_at"]
    site.redis.hset(f"job:{path.rpartition('/')[2]}", "deadline", 1)
    assert site.client.get(path).get_json()["status"] == "expired"


def test_a_batch_without_a_valid_row_fails(site: Site) -> None:
    path = posted(site, b"years\nx\ny\n")
    site.score_batches()
    batch = site.client.get(path).get_json()
    assert (batch["status"], batch["error"]["type"]) == ("failed", "rows_failed")
    assert site.client.get(f"{path}/results").data == (
        b"prediction,warnings,error\n" + b",,years must be a number\n" * 2
    )


def test_a_file_that_is_not_a_table_fails_and_names_the_line(site: Site) -> None:
    path = posted(site, b'years\n1\n"2\n' + b"3\n" * 200_000)
    site.score_batches()
    batch = site.client.get(path).get_json()
    assert (batch["status"], batch["error"]["type"]) == ("failed", "invalid_table")
    assert batch["error"]["detail"].startswith("line 3: ")


def test_scored_rows_are_kept_if_the_batch_cannot_continue(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(cut, "MOST_ROWS", 1)
    table = pa.table({"years": [2.5, 12.5]})
    written = BytesIO()
    pyarrow.parquet.write_table(table, written, row_group_size=1)
    path = posted(site, written.getvalue(), "application/vnd.apache.parquet", "?results=csv")
    site.score_batches(tasks=2)  # it is planned, and its first chunk scored
    site.files.remove_file(f"batches/{path.rpartition('/')[2]}/input")
    site.score_batches()
    ended = site.client.get(path).get_json()
    assert (ended["status"], ended["error"]["type"]) == ("failed", "file_missing")
    assert site.client.get(f"{path}/results").text == "prediction,warnings,error\n260.00012,,\n"


def test_a_damaged_row_group_is_named_and_the_others_are_scored(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(cut, "MOST_ROWS", 2)
    path = posted(site, damaged(group=1), "application/vnd.apache.parquet", "?results=csv")
    site.score_batches()
    ended = site.client.get(path).get_json()
    assert (ended["status"], ended["error"]) == (
        "failed",
        {"type": "invalid_table", "detail": "row group 1 cannot be read; the file is damaged"},
    )
    assert ended["counts"] == {"total": 6, "succeeded": 3, "failed": 1}
    lines = site.client.get(f"{path}/results").text.splitlines()
    assert [line.split(",")[0] for line in lines] == ["id", "0", "1", "4", "5"]
    missing, error = map(orjson.loads, site.client.get(f"{path}/errors").text.splitlines())
    assert (missing["row"], missing["errors"][0]["detail"]) == (
        2,
        "rows 3 to 4 were not scored; the results leave them out",
    )
    assert (error["row"], error["errors"][0]["pointer"]) == (5, "/years")


@pytest.mark.parametrize("name", ["name", "years"])
def test_a_column_with_fewer_values_than_rows_is_damage(site: Site, name: str) -> None:
    path = posted(site, without_values(name), "application/vnd.apache.parquet", "?results=csv")
    site.score_batches()
    ended = site.client.get(path).get_json()
    assert (ended["status"], ended["error"]) == (
        "failed",
        {"type": "invalid_table", "detail": "row group 0 cannot be read; the file is damaged"},
    )


@pytest.mark.usefixtures("no_polling")
@pytest.mark.parametrize("damage", ["group", "name", "years"])
def test_a_dry_run_says_that_a_row_group_is_damaged(
    site: Site, damage: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(cut, "MOST_ROWS", 2)
    file = damaged(group=0) if damage == "group" else without_values(damage)
    kind, query = "application/vnd.apache.parquet", "?results=csv&dry_run=true"
    waits = site.started(post, site, file, kind, query)
    site.score_batches()
    [job_id] = site.jobs()
    publish_end(site, job_id)
    answer = problem(waits.get(timeout=5), 422)
    assert answer["detail"] == "row group 0 cannot be read; the file is damaged"


def without_values(name: str) -> bytes:
    """A file whose footer says that this column has no values, where it said that it has 13."""
    rows = {"years": [2.5] * 13, "name": ["a"] * 13}
    written = BytesIO()
    pyarrow.parquet.write_table(pa.table(rows), written, compression="none", use_dictionary=False)
    data, column = written.getvalue(), list(rows).index(name)
    thirteen = 2 * 13  # as a signed number of variable length
    for position in (at for at, byte in enumerate(data) if byte == thirteen):
        changed = data[:position] + b"\0" + data[position + 1 :]
        with suppress(pa.ArrowException, OSError):
            group = pyarrow.parquet.read_metadata(BytesIO(changed)).row_group(0)
            if (group.num_rows, group.column(column).num_values) == (13, 0):
                return changed
    raise AssertionError("the number of values was not found")
