"""What goes over a limit is refused in one line that names it, before it costs much."""

from io import BytesIO

import numpy as np
import orjson
import pyarrow as pa
import pyarrow.parquet
import pytest

from jobs.errors import OverLimit
from jobs.files.store import FileStore
from jobs.files.tables import LONGEST_NAME, MOST_COLUMNS, Format
from tests.unit.worker.tables.conftest import (
    FEATURES,
    OURS,
    PREDICTION,
    ScoreTable,
    as_ndjson,
    as_parquet,
    planned,
    read,
)
from worker.chunks import ChunkScorer
from worker.limits import JSON_VALUES, SMALL_RESULTS, check_values, rows_at_once
from worker.tables.plan import TableRequest
from worker.tables.read import LOST_AROUND, TOO_MANY_VALUES, read_rows
from worker.tables.score import RowScorer, give_up_all

ROW = {"years": 1.0, "age": 20, "town": "Bern"}


def blocks(files: FileStore, data: bytes, kind: Format, results: Format = Format.CSV) -> list[int]:
    """How many rows are read at a time."""
    with files.create("input") as file:
        file.write(data)
    layout, [chunk] = planned(files, TableRequest(kind, results, FEATURES, OURS))
    return [rows.number for rows in read_rows(files, "input", layout, FEATURES.names, chunk)]


@pytest.mark.parametrize("kind", Format)
def test_a_table_has_a_limited_number_of_columns(score_table: ScoreTable, kind: Format) -> None:
    wide = ROW | dict.fromkeys((f"c{number}" for number in range(MOST_COLUMNS)), 1)
    if kind is Format.CSV:
        data = ",".join(wide).encode() + b"\n" + b",".join([b"1"] * len(wide))
    else:
        data = as_ndjson([wide]) if kind is Format.NDJSON else as_parquet([wide])
    with pytest.raises(OverLimit, match=f"the table has 10003 columns; at most {MOST_COLUMNS} are allowed"):
        score_table(data, kind)


def test_the_columns_within_a_column_count_and_their_names_are_short(score_table: ScoreTable) -> None:
    within = {f"c{number}": 1 for number in range(MOST_COLUMNS)}
    with pytest.raises(OverLimit, match="10003 columns"):
        score_table(as_parquet([ROW | {"within": within}]), Format.PARQUET)
    with pytest.raises(OverLimit, match=f"it may have {LONGEST_NAME}"):
        score_table(as_parquet([ROW | {"within": {"n" * LONGEST_NAME: 1}}]), Format.PARQUET)


def test_rows_that_repeat_a_long_text_are_read_few_at_a_time(files: FileStore) -> None:
    data = as_parquet([ROW | {"note": "x" * 65_536, "list": ["y" * 65_536]}] * 200)
    assert max(blocks(files, data, Format.PARQUET)) == 127
    short = as_parquet([ROW | {"note": "short", "list": ["short"]}] * 200)
    assert blocks(files, short, Format.PARQUET) == [200]


def test_a_small_file_does_not_become_a_large_result(score_table: ScoreTable) -> None:
    data = as_parquet([ROW | {"note": "x" * 262_144}] * 400)
    assert len(data) < 20_000
    for results in Format:
        with pytest.raises(OverLimit, match="a part of the file has more than"):
            score_table(data, Format.PARQUET, results)


def test_a_text_longer_than_a_record_is_refused(score_table: ScoreTable) -> None:
    data = as_parquet([ROW | {"note": "x" * 9_000_000}] * 2)
    with pytest.raises(OverLimit, match="a row has 9000000 bytes or more"):
        score_table(data, Format.PARQUET)
    note = "x" * 6_000_000
    [row] = read(score_table(as_parquet([ROW | {"note": note}]), Format.PARQUET).result, Format.PARQUET)
    assert (row["note"], row["error"]) == (note, None)


def test_lines_with_many_values_are_read_few_at_a_time(files: FileStore, score_table: ScoreTable) -> None:
    lines = [orjson.dumps(ROW | {"list": [[]] * 10_000})] * 60
    found = blocks(files, b"\n".join(lines), Format.NDJSON)
    assert (sum(found), len(found)) == (60, 5)
    overfull = orjson.dumps(ROW | {"list": [[]] * JSON_VALUES})
    results = read(score_table(b"\n".join([*lines, overfull]), Format.NDJSON).result, Format.NDJSON)
    assert [line["error"] for line in results] == [None] * 60 + [TOO_MANY_VALUES]


def test_fewer_rows_are_in_memory_where_a_model_has_many_features_or_long_names() -> None:
    assert rows_at_once(8, (), 131_072) == 131_072
    assert rows_at_once(1_000, (), 131_072) == 8_388
    assert rows_at_once(8, ["n" * 4_000], 131_072) == 8_322


def test_results_are_in_proportion_to_the_file_as_it_was_sent() -> None:
    check_values(SMALL_RESULTS // 5, 5, size=1)
    check_values(SMALL_RESULTS, 5, size=4_000_000)
    with pytest.raises(OverLimit, match="150000000 values, 50000000 rows of 3 columns"):
        check_values(50_000_000, 3, size=218_000)


@pytest.mark.parametrize("results", Format)
def test_a_chunk_of_parquet_that_is_given_up_is_not_read(files: FileStore, results: Format) -> None:
    written = BytesIO()
    table = pa.table({"years": np.arange(70_000.0), "note": ["x"] * 70_000, "age": [20] * 70_000})
    table = table.append_column("town", [["Bern"] * 70_000])
    pyarrow.parquet.write_table(table, written)
    data = bytearray(written.getvalue())
    data[4:1_000] = bytes(996)  # whoever reads the first pages fails
    with files.create("input") as file:
        file.write(bytes(data))
    layout, [chunk] = planned(files, TableRequest(Format.PARQUET, results, FEATURES, OURS))
    scorer = ChunkScorer(files, layout, RowScorer(FEATURES, lambda _: {}, PREDICTION))
    part = scorer.score(files, "input", chunk, "part", lambda: True, give_up_all)
    assert (part.rows, part.failed) == (70_000, 70_000)
    lines = read((b"note,prediction,error\n" if results is Format.CSV else b"") + files.read("part"), results)
    assert len(lines) == 70_000
    assert {line["error"] for line in lines} == {LOST_AROUND}
    assert {line["note"] for line in lines} <= {"", None}
