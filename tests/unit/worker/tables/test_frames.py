"""A table in memory scores as the same file does in a batch."""

from collections.abc import Callable
from io import BytesIO
from typing import Any

import pyarrow as pa
import pyarrow.parquet
import pytest

from jobs.errors import InvalidTable
from jobs.files.tables import Format
from model.bundle import Bundle
from model.description.manifest import Manifest
from tests.structure.code import ROOT
from tests.unit.worker.tables.conftest import Scored
from worker.tables import frames
from worker.tables.frames import TableScorer

WAGES = ROOT / "model" / "bundles" / "wages" / "1"


def people() -> list[dict[str, Any]]:
    """The golden rows: the first fails, and the second is beyond what training saw."""
    rows = Manifest.read(WAGES).golden.rows
    named = [dict(zip(Manifest.read(WAGES).schema.names, row, strict=True)) for row in rows]
    named[0]["region"] = "Atlantis"
    named[1]["experience"] = 30
    return [{"person": f"person {number}", **row} for number, row in enumerate(named)]


def written(table: pa.Table) -> bytes:
    file = BytesIO()
    pyarrow.parquet.write_table(table, file)
    return file.getvalue()


def test_a_table_gets_the_columns_that_results_of_its_file_have(
    score_bundle: Callable[..., Scored], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(frames, "ROWS", 5)  # several blocks
    table = pa.Table.from_pylist(people())
    result = score_bundle(Bundle.load(Manifest.read(WAGES)), written(table), Format.PARQUET).result
    of_file = pyarrow.parquet.read_table(BytesIO(result))
    scored = TableScorer(WAGES)(table)
    assert scored.select(of_file.column_names).equals(of_file)
    assert scored.select(table.column_names).equals(table)
    assert scored.column("error").to_pylist()[0].startswith("region ")
    assert "experience is above" in scored.column("warnings").to_pylist()[1]


def test_a_table_without_rows_has_the_same_columns() -> None:
    table, scorer = pa.Table.from_pylist(people()), TableScorer(WAGES)
    assert scorer(table.slice(0, 0)).schema.equals(scorer(table).schema)


def test_a_column_that_is_missing_is_named() -> None:
    table = pa.Table.from_pylist(people()).drop_columns(["region"])
    with pytest.raises(InvalidTable, match="there is no column region"):
        TableScorer(WAGES)(table)


def test_texts_stand_for_missing_values_and_names_have_a_prefix() -> None:
    rows = [{**row, "knowledge": "?"} for row in people()[2:]]
    scored = TableScorer(WAGES, missing=["?"], prefix="scored_")(pa.Table.from_pylist(rows))
    assert scored.column("scored_error").null_count == len(rows)
