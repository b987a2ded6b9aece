"""A retry scores what failed; its results are those of the whole file, and what was scored is kept."""

import gzip
import io
import os
from typing import Any

import orjson
import pyarrow as pa
import pyarrow.parquet
import pytest
from redis import Redis
from werkzeug.test import TestResponse

from jobs.batches.record import NewBatch, corrections_of
from jobs.batches.store import BatchStore
from jobs.errors import FileMissing
from tests.unit.web.batch_calls import CSV, RESULT, posted, sweep
from tests.unit.web.site import Site, problem
from worker.batches import Lease
from worker.joining import Joining
from worker.tables import plan
from worker.tables.score import RowScorer

NDJSON = "application/x-ndjson"
CORRECTED = b'{"row":1,"errors":[],"input":{"years":4.5}}\n'
MENDED = RESULT.replace(b"b,,,years must be a number", b"b,374.99866,,")


def scored(site: Site, *args: Any, **more: Any) -> str:
    """The path of a batch that has ended."""
    path = posted(site, *args, **more)
    site.score_batches()
    return path


def retry(site: Site, path: str, body: bytes = b"", kind: str = NDJSON, **headers: str) -> TestResponse:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    options: dict[str, Any] = {"data": body, "content_type": kind} if body else {}
    return site.client.post(f"{path}/retry", headers=named, **options)


def retried(site: Site, path: str, body: bytes = b"") -> str:
    response = retry(site, path, body)
    assert response.status_code == 202, response.text
    site.score_batches()
    return str(response.headers["Location"])


def results(site: Site, path: str) -> bytes:
    return bytes(site.client.get(f"{path}/results").data)


def test_corrected_rows_take_their_new_scores_and_all_others_keep_theirs(site: Site) -> None:
    path = scored(site)
    again = retried(site, path, CORRECTED)
    assert results(site, again) == MENDED
    batch = site.client.get(again).get_json()
    assert (batch["status"], batch["retry_of"]) == ("succeeded", path.rpartition("/")[2])
    assert batch["counts"] == {"total": 3, "succeeded": 3, "failed": 0}
    assert results(site, path) == RESULT


def test_without_a_body_what_failed_is_scored_again(site: Site) -> None:
    path = scored(site)
    again = retried(site, path)
    assert results(site, again) == RESULT
    assert site.client.get(f"{again}/errors").data == site.client.get(f"{path}/errors").data


def test_a_correction_that_is_wrong_too_fails_with_its_own_reason(site: Site) -> None:
    again = retried(site, scored(site), b'{"row":1,"input":{"years":"few"}}\n')
    assert site.client.get(again).get_json()["status"] == "partially_succeeded"
    assert results(site, again) == RESULT
    mended = retried(site, again, CORRECTED)
    assert results(site, mended) == MENDED


def test_scores_are_copied_and_not_computed_again(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    path = scored(site)
    asked: list[int] = []

    def noted(scorer: RowScorer, rows: Any, slices: Any, of_csv: bool, predict: Any) -> Any:
        def counted(matrix: Any) -> Any:
            asked.append(len(matrix))
            return predict(matrix)

        return score(scorer, rows, slices, of_csv, counted)

    score = RowScorer.score
    monkeypatch.setattr(RowScorer, "score", noted)
    assert results(site, retried(site, path, CORRECTED)) == MENDED
    assert sum(asked) == 1


def test_chunks_without_failed_rows_are_copied_whole(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    rows = [b"%d,%b\n" % (row, b"many" if row in (3, 47) else b"%d.5" % (row % 12)) for row in range(60)]
    body = b"id,years\n" + b"".join(rows)
    path = scored_in_small_chunks(site, monkeypatch, body)
    assert len(site.files.sizes(f"batches/{path.rpartition('/')[2]}/parts")) > 6
    before = results(site, path).splitlines()
    corrected = b'{"row":3,"input":{"years":2.5}}\n{"row":47,"input":{"years":"12.5"}}\n'
    after = results(site, retried(site, path, corrected)).splitlines()
    assert after[4] == b"3,260.00012,,"
    assert after[48].startswith(b"47,749.99884,")
    assert [line for row, line in enumerate(after) if row not in (4, 48)] == [
        line for row, line in enumerate(before) if row not in (4, 48)
    ]


def test_the_errors_have_the_rows_where_that_is_wanted(site: Site) -> None:
    path = scored(site, query="?error_inputs=true")
    line = orjson.loads(site.client.get(f"{path}/errors").data)
    assert line["input"] == {"years": "many"}
    wrong = retried(site, path, b'{"row":1,"input":{"years":"few"}}\n')
    assert orjson.loads(site.client.get(f"{wrong}/errors").data)["input"] == {"years": "few"}
    line["input"]["years"] = 4.5
    assert results(site, retried(site, path, orjson.dumps(line))) == MENDED


def scored_in_small_chunks(site: Site, monkeypatch: pytest.MonkeyPatch, body: bytes) -> str:
    monkeypatch.setattr(plan, "CHUNK", 64)
    return scored(site, body)


@pytest.mark.parametrize("results_in", ["ndjson", "parquet"])
def test_each_format_of_results_is_mended(site: Site, results_in: str) -> None:
    path = scored(site, query=f"?results={results_in}")
    again = retried(site, path, CORRECTED)
    expected = [260.00012, 374.99866, 749.99884]
    if results_in == "ndjson":
        lines = [orjson.loads(line) for line in results(site, again).splitlines()]
        assert results(site, again).splitlines()[::2] == results(site, path).splitlines()[::2]
    else:
        table = pyarrow.parquet.read_table(io.BytesIO(results(site, again)))
        old = pyarrow.parquet.read_table(io.BytesIO(results(site, path)))
        assert table.schema == old.schema
        assert table.take([0, 2]) == old.take([0, 2])
        lines = table.to_pylist()
    assert [line["prediction"] for line in lines] == pytest.approx(expected)
    assert [line["error"] for line in lines] == [None] * 3
    assert [line["id"] for line in lines] == ["a", "b", "c"]


def test_quotes_and_line_ends_in_columns_that_pass_through_stay_as_they_are(site: Site) -> None:
    body = b'note,years\n"two\nlines, ""and"" quotes",2.5\nb,many\n"c,",12.5\n'
    path = scored(site, body)
    again = retried(site, path, CORRECTED)
    assert results(site, again) == results(site, path).replace(
        b"b,,,years must be a number", b"b,374.99866,,"
    )


def test_a_part_that_was_changed_is_not_kept(site: Site, caplog: pytest.LogCaptureFixture) -> None:
    path = scored(site)
    part = f"batches/{path.rpartition('/')[2]}/parts/000000"
    changed = site.files.read(part).replace(b"a,260.00012", b"z,999.00000")
    with site.files.create(part) as file:
        file.write(changed)
    assert results(site, retried(site, path, CORRECTED)) == MENDED
    assert "kept_part_differs" in [record.message for record in caplog.records]


@pytest.mark.parametrize("size", [0, 1, -1])
def test_a_whole_part_is_copied_in_the_store_unless_its_size_differs(
    site: Site, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, size: int
) -> None:
    rows = b"".join(b"%d,%b\n" % (row, b"many" if row == 59 else b"2.5") for row in range(60))
    path = scored_in_small_chunks(site, monkeypatch, b"id,years\n" + rows)
    before, part = results(site, path), f"batches/{path.rpartition('/')[2]}/parts/000000"
    content = site.files.read(part)
    with site.files.create(part) as file:
        file.write((content + b"x")[: len(content) + size])
    copied: list[int] = []

    def copy(source: int, target: int, count: int, offset: int) -> int:
        copied.append(os.write(target, os.pread(source, count, offset)))
        return copied[-1]

    monkeypatch.setattr(os, "copy_file_range", copy)
    with monkeypatch.context() as patched:
        patched.setattr(Joining, "join", lambda *_: None)
        again = retried(site, path)
    assert (len(content) in copied) == (size == 0)
    assert ("kept_part_differs" in [record.message for record in caplog.records]) == (size != 0)
    assert results(site, path) == before
    assert site.files.read(f"batches/{again.rpartition('/')[2]}/parts/000000") == content


@pytest.mark.parametrize("kept", ["000000", "000000.errors"])
def test_a_part_whose_bytes_are_damaged_is_not_kept(
    site: Site, caplog: pytest.LogCaptureFixture, kept: str
) -> None:
    path = scored(site, query="?results=parquet")
    part = f"batches/{path.rpartition('/')[2]}/parts/{kept}"
    size = site.files.size(part)
    with site.files.create(part) as file:
        file.write(b"x" * size)
    mended = pyarrow.parquet.read_table(io.BytesIO(results(site, retried(site, path, CORRECTED))))
    assert mended["prediction"].to_pylist() == pytest.approx([260.00012, 374.99866, 749.99884])
    assert "kept_part_differs" in [record.message for record in caplog.records]


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        (b'{"row":0,"input":{"years":1}}', 'the row with "row":0 did not fail'),
        (b'{"row":9,"input":{"years":1}}', 'the row with "row":9 did not fail'),
        (b'{"row":1,"input":{"years":1}}\n{"row":1,"input":{"years":1}}', 'line 2: the row with "row":1'),
        (b'{"row":1}', "line 1 must have"),
        (b'{"row":true,"input":{}}', "line 1 must have"),
        (b'{"row":1,"input":[4]}', "line 1 must have"),
        (b'{"row":1,"input":{"years":1}}\nyears\n', "line 2 is not a JSON object"),
        (b'{"row":1,"input":{"years":' + b"[" * 300 + b"]" * 300 + b"}}", "line 1: `input` is nested too"),
        (b'{"row":1,"input":{"years":1}}\n' + b" " * 9_000_000, "line 2 is longer than 8388608 bytes"),
    ],
)
def test_a_body_that_corrects_no_failed_row_fails_with_its_line(site: Site, body: bytes, reason: str) -> None:
    path = scored(site)
    failed = site.client.get(retried(site, path, body)).get_json()
    assert failed["status"] == "failed"
    assert reason in failed["error"]["detail"]
    assert results(site, path) == RESULT


@pytest.mark.parametrize("body", [b"years\n4.5\n", b"[1]", gzip.compress(CORRECTED, mtime=0)])
def test_a_body_that_begins_with_no_line_of_errors_is_refused(site: Site, body: bytes) -> None:
    path = scored(site)
    jobs = site.jobs()
    problem(retry(site, path, body), 422)
    assert site.jobs() == jobs


def test_web_leaves_the_lines_to_a_worker(site: Site) -> None:
    """Web would hold up other callers for as long as it reads them."""
    path = scored(site)
    response = retry(site, path, CORRECTED + b"no line\n" * 1_000)
    assert response.status_code == 202
    assert response.get_json()["status"] == "validating"


def test_a_worker_that_stops_leaves_the_lines_to_another(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    again = retry(site, scored(site), CORRECTED).headers["Location"]
    with monkeypatch.context() as stopping:
        stopping.setattr(Lease, "wanted_after_pause", lambda _: False)
        site.score_batches(tasks=3)
    assert site.client.get(again).get_json()["status"] == "validating"
    site.score_batches()
    assert results(site, again) == MENDED


def test_what_was_sent_as_corrections_is_kept_only_until_it_is_sorted(site: Site) -> None:
    again = retried(site, scored(site), CORRECTED)
    with pytest.raises(FileMissing):
        site.files.size(corrections_of(again.rpartition("/")[2]))


def test_a_file_that_was_never_planned_is_read_again_and_not_copied(site: Site) -> None:
    path = scored(site, b"PAR1" + bytes(400_000), "application/vnd.apache.parquet")
    again = retry(site, path).headers["Location"]
    assert list(site.files.folders("batches")) == [path.rpartition("/")[2]]
    site.client.delete(path)
    sweep(site)
    site.score_batches()
    failed = site.client.get(again).get_json()
    assert (failed["status"], failed["error"]["type"]) == ("failed", "invalid_table")
    assert site.files.sizes(f"batches/{path.rpartition('/')[2]}")


def test_an_input_that_is_gone_cannot_be_read_again(site: Site) -> None:
    path = scored(site, b"PAR1" + bytes(400), "application/vnd.apache.parquet")
    site.files.remove(f"batches/{path.rpartition('/')[2]}")
    assert "is gone" in problem(retry(site, path), 409)["detail"]


def test_only_a_batch_with_failed_rows_is_tried_again(site: Site) -> None:
    waiting = posted(site)
    problem(retry(site, waiting), 409)
    site.score_batches()
    problem(retry(site, scored(site, b"years\n2.5\n")), 409)
    problem(retry(site, "/v1/batches/batch_0193a4c5-1c6a-7000-8000-000000000000"), 410)
    problem(retry(site, waiting, CSV, "text/csv"), 415)


def test_inputs_in_the_results_cannot_be_corrected(site: Site) -> None:
    path = scored(site, query="?include_inputs=true")
    assert "post a corrected file" in problem(retry(site, path, CORRECTED), 409)["detail"]
    assert results(site, retried(site, path)) == results(site, path)


def test_the_files_stay_until_the_retry_has_read_them(site: Site) -> None:
    path = scored(site)
    again = retry(site, path, CORRECTED).headers["Location"]
    site.client.delete(path)
    sweep(site)
    site.score_batches()
    assert results(site, again) == MENDED
    site.client.delete(again)
    sweep(site)
    later(site.redis)
    sweep(site)
    assert list(site.files.folders("batches")) == []


def test_a_batch_that_is_deleted_meanwhile_is_not_tried_again(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = scored(site)
    add = BatchStore.add

    def deleted_first(store: BatchStore, batch: NewBatch) -> Any:
        site.batch_store.delete(batch.retry_of)
        return add(store, batch)

    monkeypatch.setattr(BatchStore, "add", deleted_first)
    assert "just been removed" in problem(retry(site, path, CORRECTED), 409)["detail"]
    assert site.jobs() == []


def later(redis: Redis) -> None:
    """The files that a retry read are looked at again."""
    waiting: Any = redis.zrange("batches:files", 0, -1)
    redis.zadd("batches:files", dict.fromkeys(waiting, 0))


def test_a_retry_with_a_key_is_one_batch(site: Site) -> None:
    path = scored(site)
    first = retry(site, path, CORRECTED, Idempotency_Key="again")
    second = retry(site, path, CORRECTED, Idempotency_Key="again")
    assert second.headers["Idempotency-Replayed"] == "true"
    assert first.get_json()["id"] == second.get_json()["id"]
    problem(retry(site, path, Idempotency_Key="again"), 422)


def test_a_parquet_file_is_tried_again(site: Site) -> None:
    buffer = io.BytesIO()
    pyarrow.parquet.write_table(pa.table({"id": ["a", "b", "c"], "years": ["2.5", "many", "12.5"]}), buffer)
    path = scored(site, buffer.getvalue(), "application/vnd.apache.parquet", "?results=csv")
    assert results(site, retried(site, path, CORRECTED)) == MENDED


def test_a_packed_file_is_tried_again(site: Site) -> None:
    path = scored(site, gzip.compress(CSV))
    assert results(site, retried(site, path, CORRECTED)) == MENDED
