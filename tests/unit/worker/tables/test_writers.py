"""A table scores to the same bits, whatever has written it."""

from collections.abc import Callable
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.csv
import pyarrow.parquet
import pytest

from jobs.files.tables import Format
from model.bundle import Bundle
from tests.unit.model.command import made
from tests.unit.worker.tables.conftest import Scored, as_ndjson, read

ROWS = 60
NAMES = ["month", "size", "lift", "town", "floor"]


def table() -> pd.DataFrame:
    """Numbers, some of them missing, booleans, texts with signs of CSV in them, and a category of numbers."""
    numbers = np.arange(ROWS)
    return pd.DataFrame(
        {
            "month": numbers % 12 + 1,
            "size": np.where(numbers % 5, numbers / 7 + 0.25, np.nan),
            "lift": numbers % 2 == 0,
            "town": np.array(["Bern", 'the "old" mill', "Zug; by the lake, west"])[numbers % 3],
            "floor": pd.Series(numbers % 4).astype("category"),
            "rent": 100 * numbers + numbers**2,
        }
    )


def lines(separator: str, end: str, field: Callable[[object], str], header: list[str]) -> str:
    rows = (row[:-1] for row in table().itertuples(index=False))
    return end.join([separator.join(header), *(separator.join(map(field, row)) for row in rows), ""])


def quoted(text: str) -> str:
    return '"' + text.replace('"', '""') + '"'


def by_pandas() -> bytes:
    return str(table()[NAMES].to_csv(index=False)).encode()


def by_pandas_with_its_index() -> bytes:
    return str(table()[NAMES].to_csv()).encode()


def by_r() -> bytes:
    def field(value: object) -> str:
        if isinstance(value, str):
            return quoted(value)
        return "NA" if value != value else str(value).upper()

    return lines(",", "\n", field, [quoted(name) for name in NAMES]).encode()


def by_polars_or_duckdb() -> bytes:
    def field(value: object) -> str:
        if isinstance(value, str):
            return quoted(value) if '"' in value or "," in value else value
        return "NaN" if value != value else str(value).lower()

    return lines(",", "\n", field, NAMES).encode()


def by_excel_in_german() -> bytes:
    def field(value: object) -> str:
        if isinstance(value, str):
            return quoted(value) if '"' in value or ";" in value else value
        if isinstance(value, float):
            return "" if value != value else repr(value).replace(".", ",")
        return {"True": "WAHR", "False": "FALSCH"}.get(str(value), str(value))

    text = lines(";", "\r\n", field, NAMES)
    # Excel translates booleans; its users replace them, or type 1 and 0.
    return ("\ufeff" + text.replace("WAHR", "1").replace("FALSCH", "0")).encode()


def by_spark() -> bytes:
    def field(value: object) -> str:
        if isinstance(value, str):
            return quoted(value) if '"' in value or "," in value else value
        return r"\N" if value != value else str(value).lower()

    return lines("\t", "\n", field, NAMES).encode()


def by_arrow() -> bytes:
    written = BytesIO()
    pyarrow.csv.write_csv(pa.Table.from_pandas(table()[NAMES], preserve_index=False), written)
    return written.getvalue()


def parquet(**types: Any) -> bytes:
    columns = table()[NAMES].astype({"floor": "int64"})
    arrays = {name: pa.array(columns[name], types.get(name), from_pandas=name not in types) for name in NAMES}
    written = BytesIO()
    pyarrow.parquet.write_table(pa.table(arrays), written)
    return written.getvalue()


def parquet_by_pandas() -> bytes:
    written = BytesIO()
    table()[NAMES].sample(frac=1, random_state=1).sort_index().to_parquet(written)
    return written.getvalue()


def parquet_by_polars() -> bytes:
    """Which has NaN where pandas has null, and large strings."""
    return parquet(size=pa.float64(), town=pa.large_string(), month=pa.uint8(), floor=pa.float64())


def parquet_with_other_types() -> bytes:
    return parquet(month=pa.float32(), floor=pa.int8(), lift=pa.int8())


def json_without_null_members() -> bytes:
    rows = table()[NAMES].astype({"floor": "int64"}).to_dict(orient="records")
    return as_ndjson([{name: value for name, value in row.items() if value == value} for row in rows])


WRITERS = {
    by_pandas: Format.CSV,
    by_pandas_with_its_index: Format.CSV,
    by_r: Format.CSV,
    by_polars_or_duckdb: Format.CSV,
    by_excel_in_german: Format.CSV,
    by_spark: Format.CSV,
    by_arrow: Format.CSV,
    parquet: Format.PARQUET,
    parquet_by_pandas: Format.PARQUET,
    parquet_by_polars: Format.PARQUET,
    parquet_with_other_types: Format.PARQUET,
    json_without_null_members: Format.NDJSON,
}


@pytest.fixture(scope="module")
def bundle(tmp_path_factory: pytest.TempPathFactory) -> Bundle:
    folder: Path = tmp_path_factory.mktemp("writers")
    table().to_parquet(folder / "rents.parquet")
    arguments = ("--target", "rent", "--missing", r"NA,\N", "--output", folder)
    manifest = made("train", folder / "rents.parquet", *arguments)
    types = [feature.type for feature in manifest.schema.features]
    assert types == ["number", "number", "boolean", "category", "category"]
    return Bundle.load(manifest)


@pytest.mark.parametrize("write", WRITERS, ids=lambda write: write.__name__)
def test_every_writer_has_the_same_scores(
    bundle: Bundle, score_bundle: Callable[..., Scored], write: Callable[[], bytes]
) -> None:
    expected = read(score_bundle(bundle, by_pandas(), Format.CSV).result, Format.CSV)
    scored = score_bundle(bundle, write(), WRITERS[write], Format.CSV)
    assert scored.errors == []
    found = read(scored.result, Format.CSV)
    assert [row["prediction"] for row in found] == [row["prediction"] for row in expected]
    assert len({row["prediction"] for row in found}) > 10
