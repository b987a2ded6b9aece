"""The rows of the chunks are the rows of the file, wherever it is cut."""

import csv
import io
from io import BytesIO, RawIOBase
from pathlib import Path
from typing import cast

import pyarrow as pa
import pyarrow.parquet
import pytest
from hypothesis import given
from hypothesis import strategies as st

from jobs.files.location import files_at
from jobs.files.tables import Format
from tests.unit.worker.tables.conftest import FEATURES, OURS
from worker.tables.cut import (
    EXPLAINED_COSTS,
    Chunk,
    EndlessRecord,
    TextFile,
    cut_groups,
    cut_lines,
    endless_record,
)
from worker.tables.plan import Layout, TableRequest, plan_parquet
from worker.tables.read import read_rows

fields = st.text(st.sampled_from('ab,"\n\r é'), max_size=6)
tables = st.lists(st.tuples(fields, fields, fields), min_size=1, max_size=12)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("tables")


def chunks_of(folder: Path, data: bytes, chunk: int, most: int) -> list[Chunk]:
    (folder / "input").write_bytes(data)
    with files_at(str(folder)).open("input") as file:
        lists = cut_lines(TextFile(file, len(data), lambda: None), 0, delimiter=",", chunk=chunk, most=most)
        return [cut.chunk for cuts in lists for cut in cuts]


def rows_of(folder: Path, data: bytes, chunk: int, most: int = 100) -> list[tuple[str, ...] | None]:
    """The rows of each chunk, one after the other; None for one that is broken."""
    chunks = chunks_of(folder, data, chunk, most)
    assert [chunk.start for chunk in chunks[1:]] == [chunk.end for chunk in chunks[:-1]]
    assert chunks[-1].end == len(data)
    files = files_at(str(folder))
    names = ("0", "1", "2")
    layout = Layout(Format.CSV, Format.CSV, names, names, ("error",))
    found: list[tuple[str, ...] | None] = []
    for each in chunks:
        for rows in read_rows(files, "input", layout, (), each):
            columns = [column.to_pylist() for column in rows.passthrough.arrays().values()]
            read = list(zip(*columns, strict=True))
            found += [None if row in rows.broken else read[row] for row in range(rows.number)]
    return found


@given(
    table=tables,
    quoting=st.sampled_from([csv.QUOTE_ALL, csv.QUOTE_MINIMAL]),
    end=st.sampled_from(["\n", "\r\n"]),
    last=st.booleans(),
    chunk=st.integers(1, 80),
)
def test_rows_written_in_any_dialect_are_read_back(
    folder: Path, table: list[tuple[str, str, str]], quoting: int, end: str, last: bool, chunk: int
) -> None:
    if quoting == csv.QUOTE_MINIMAL and end == "\n":  # the writer leaves a lone \r bare
        table = [(a.replace("\r", ""), b.replace("\r", ""), c.replace("\r", "")) for a, b, c in table]
    text = io.StringIO()
    csv.writer(text, quoting=quoting, lineterminator=end).writerows(table)  # type: ignore[arg-type]
    data = text.getvalue().encode()
    assert rows_of(folder, data if last else data.removesuffix(end.encode()), chunk) == table


@given(
    data=st.text(st.sampled_from('ab,"\n\r'), min_size=1, max_size=60),
    chunk=st.integers(1, 20),
    most=st.integers(1, 8),
)
def test_a_cut_changes_nothing_wherever_quotes_are(folder: Path, data: str, chunk: int, most: int) -> None:
    try:
        cut = rows_of(folder, data.encode(), chunk, most)
    except EndlessRecord:
        return
    assert cut == rows_of(folder, data.encode(), 1000)


def test_an_unclosed_quote_is_reported_with_its_line(folder: Path) -> None:
    data = b"a,b,c\n" * 40 + b'a,"b,c\n' + b"a,b,c\n" * 40
    for chunk in (10, 100, 1000):
        with pytest.raises(EndlessRecord) as found:
            rows_of(folder, data, chunk)
        with files_at(str(folder)).open("input") as file:
            error = endless_record(TextFile(file, len(data), lambda: None), found.value.offset)
        assert str(error).startswith("line 41: ")


def test_a_quote_within_a_field_has_no_meaning(folder: Path) -> None:
    data = b'5" pipe,1,2\n' * 100
    assert rows_of(folder, data, 64) == [('5" pipe', "1", "2")] * 100


def test_short_lines_are_cut_by_their_number(folder: Path) -> None:
    data = b"12345\n" * 10 + b"1\n" * 300
    chunks = chunks_of(folder, data, chunk=200, most=50)
    assert max(chunk.rows for chunk in chunks) == 50
    assert sum(chunk.rows for chunk in chunks) == 310


def test_a_record_of_many_lines_is_not_cut(folder: Path) -> None:
    data = b'"' + b"1\n" * 300 + b'"\n'
    assert len(chunks_of(folder, data, chunk=200, most=50)) == 1


class CountedText:
    """A text in memory that counts the bytes that are read of it."""

    def __init__(self, data: bytes) -> None:
        self._data = data
        self.bytes_read = 0

    def block(self, start: int, length: int) -> bytes:
        block = self._data[start : start + length]
        self.bytes_read += len(block)
        return block


@pytest.mark.parametrize("record", [b'2.5,"%s"\n', b'2.5,a"%s\n', b'2.5,"",a"%s\n', b"2.5%s\n"])
def test_long_records_are_read_a_few_times_however_small_the_chunks_are(record: bytes) -> None:
    text = CountedText(record % (b"," * 200_000) * 10)
    chunks = [cut.chunk for cuts in cut_lines(text, 0, ",", chunk=100) for cut in cuts]
    assert [chunk.rows for chunk in chunks] == [1] * 10
    assert text.bytes_read < 5 * chunks[-1].end


def test_small_row_groups_share_a_chunk() -> None:
    assert list(cut_groups([(1, 100)] * 7 + [(9, 950)], chunk=400)) == [
        Chunk(0, 4, group=0, rows=4, size=400, groups=4),
        Chunk(0, 3, group=4, rows=3, size=300, groups=3),
        Chunk(0, 4, group=7, rows=4, size=475),
        Chunk(4, 9, group=7, rows=5, size=475),
    ]


def test_row_groups_are_chunks_and_the_last_is_split() -> None:
    assert list(cut_groups([(10, 900), (0, 0), (8, 900)], chunk=400)) == [
        Chunk(0, 10, group=0, rows=10, size=900),
        Chunk(0, 4, group=2, rows=4, size=450),
        Chunk(4, 8, group=2, rows=4, size=450),
    ]


def test_every_row_group_to_be_explained_is_split_into_many_chunks() -> None:
    chunks = list(cut_groups([(1000, 9000), (8, 900)], chunk=100, most=64))
    assert [chunk.rows for chunk in chunks if chunk.group == 1] == [1] * 8
    assert len(chunks) == EXPLAINED_COSTS + 8
    assert sum(chunk.rows for chunk in chunks) == 1008


def test_a_row_group_of_many_columns_is_cut_by_its_values() -> None:
    """Equal values take no bytes, and as long as others to be written."""
    written, nothing = BytesIO(), pa.nulls(4_200, pa.int8())
    columns = {"years": nothing, "town": nothing} | {f"c{n}": nothing for n in range(1_022)}
    pyarrow.parquet.write_table(pa.table(columns), written)
    request = TableRequest(Format.PARQUET, Format.PARQUET, FEATURES, OURS)
    [cuts] = plan_parquet(cast(RawIOBase, written), len(written.getvalue()), request).cuts
    assert [(cut.chunk.start, cut.chunk.rows) for cut in cuts] == [
        (0, 1_050),
        (1_050, 1_050),
        (2_100, 1_050),
        (3_150, 1_050),
    ]


def test_a_row_group_of_many_columns_is_read_two_and_a_half_times_at_most() -> None:
    """Reading a chunk also reads what comes before it in its group."""
    written, rows = BytesIO(), 40_000
    columns = {"years": pa.nulls(rows, pa.int8()), "town": pa.nulls(rows, pa.int8())}
    columns |= {f"c{number}": pa.nulls(rows, pa.int8()) for number in range(1_022)}
    pyarrow.parquet.write_table(pa.table(columns), written, row_group_size=rows)
    request = TableRequest(Format.PARQUET, Format.PARQUET, FEATURES, OURS)
    [cuts] = plan_parquet(cast(RawIOBase, written), len(written.getvalue()), request).cuts
    assert sum(cut.chunk.end for cut in cuts) <= 2.5 * rows
