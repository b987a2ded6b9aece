"""Parts in Parquet are joined without reading their values, and every reader finds them."""

from collections.abc import Sequence
from datetime import UTC, datetime
from decimal import Decimal
from io import BytesIO

import numpy as np
import pyarrow as pa
import pyarrow.parquet
import pytest

from worker.tables.parquet_parts import END_BYTES, MAGIC, FooterJoiner, footer_length


def table(seed: int, rows: int) -> pa.Table:
    chance = np.random.default_rng(seed)
    return pa.table(
        {
            "id": pa.array([f"n° {row}" for row in range(rows)], pa.string()),
            "prediction": pa.array(chance.random(rows), mask=chance.random(rows) < 0.1),
            "nothing": pa.nulls(rows, pa.string()),
            "flag": pa.array(chance.random(rows) < 0.5, pa.bool_()),
            "price": pa.array([Decimal(row) / 4 for row in range(rows)], pa.decimal128(20, 2)),
            "list": pa.array([[row] * (row % 3) for row in range(rows)], pa.list_(pa.int64())),
            "struct": pa.array(
                [{"a": row, "b": None} for row in range(rows)], pa.struct({"a": pa.int32(), "b": pa.string()})
            ),
            "at": pa.array([datetime(2026, 1, 1, tzinfo=UTC)] * rows, pa.timestamp("us", "UTC")),
            "kind": pa.array(["a", "b"] * rows, pa.string()).slice(0, rows).dictionary_encode(),
        }
    )


def part(rows: pa.Table, groups: int, **options: object) -> bytes:
    written = BytesIO()
    pyarrow.parquet.write_table(rows, written, row_group_size=max(-(-len(rows) // groups), 1), **options)
    return written.getvalue()


def join(parts: Sequence[bytes]) -> bytes:
    joiner, data = FooterJoiner(), b""
    for each in parts:
        end = len(each) - END_BYTES - footer_length(each[-END_BYTES:])
        joiner.add(each[end:-END_BYTES], len(data))
        data += each[len(MAGIC) : end]
    return MAGIC + data + joiner.end()


@pytest.mark.parametrize(
    "options", [{}, {"write_page_index": True}, {"compression": "zstd"}, {"use_dictionary": False}]
)
def test_a_joined_file_has_the_rows_of_its_parts_in_order(options: dict[str, object]) -> None:
    tables = [table(number, rows) for number, rows in enumerate([5, 1, 700, 0, 20_000, 3])]
    parts = [part(rows, 1 + number % 3, **options) for number, rows in enumerate(tables)]
    read = pyarrow.parquet.read_table(BytesIO(join(parts)))
    assert read.to_pydict() == pa.concat_tables(tables).to_pydict()
    assert read.schema.equals(pyarrow.parquet.read_schema(BytesIO(parts[0])), check_metadata=True)


def test_a_joined_file_can_be_read_by_row_group_and_by_statistics() -> None:
    tables = [pa.table({"row": range(first, first + 100)}) for first in range(0, 4000, 100)]
    joined = pyarrow.parquet.ParquetFile(
        BytesIO(join([part(rows, 1, write_page_index=True) for rows in tables]))
    )
    metadata = joined.metadata
    assert (metadata.num_rows, metadata.num_row_groups) == (4000, 40)
    for number in (0, 1, 17, 39):
        assert joined.read_row_group(number).equals(tables[number])
        statistics = metadata.row_group(number).column(0).statistics
        assert (statistics.min, statistics.max) == (number * 100, number * 100 + 99)
    found = pyarrow.parquet.read_table(
        BytesIO(join([part(t, 1) for t in tables])), filters=[("row", "==", 1234)]
    )
    assert found.to_pydict() == {"row": [1234]}


def test_parts_of_another_schema_are_refused() -> None:
    with pytest.raises(ValueError, match="different schemas"):
        join([part(pa.table({"a": [1]}), 1), part(pa.table({"a": ["1"]}), 1)])


def test_one_part_is_joined_to_the_same_rows_and_types() -> None:
    rows = table(3, 50)
    assert pyarrow.parquet.read_table(BytesIO(join([part(rows, 4)]))).equals(rows)
