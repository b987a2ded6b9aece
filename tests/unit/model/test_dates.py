"""A column of dates is learned as year, month, day and weekday, and scores the same in every format."""

from datetime import date, datetime, timedelta
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet
import pytest
import xgboost
from hypothesis import given
from hypothesis import strategies as st

from model.bundle import Bundle
from model.comparing.scores import arrays_of
from model.date_columns import date_parts
from model.description.dates import date_of_day, day_number
from model.description.files import MODEL_FILE
from model.description.manifest import Manifest
from model.description.schema import InvalidRows
from model.tables.columns import ColumnCheck
from model.tables.table import read_table
from tests.unit.model.command import made, write_csv

FIRST = date(2021, 12, 30)


@pytest.fixture
def sales(tmp_path: Path) -> Path:
    """Sales are high on Saturdays and in December; every eleventh date is missing."""
    days = [FIRST + timedelta(days=3 * number) for number in range(300)]
    rows = [
        ["" if number % 11 == 0 else day, number % 5, 10 + 50 * (day.weekday() == 5) + 30 * (day.month == 12)]
        for number, day in enumerate(days)
    ]
    return write_csv(tmp_path / "sales.csv", ["day", "staff", "sales"], rows)


@pytest.fixture
def trained(sales: Path, tmp_path: Path) -> Manifest:
    return made("train", sales, "--target", "sales", "--rounds", "40", "--output", tmp_path / "out")


def rows_of(sales: Path) -> list[dict[str, object]]:
    table = read_table(sales).columns.select(["day", "staff"])
    return [{**row, "staff": int(row["staff"])} for row in table.to_pylist()]


@given(st.dates())
def test_the_parts_are_those_of_the_calendar(day: date) -> None:
    number = day_number(day.isoformat())
    assert date_of_day(number) == day.isoformat()
    parts = date_parts(np.array([np.float32(number), np.nan], dtype=np.float32))
    assert parts[0].tolist() == [day.year, day.month, day.day, day.weekday()]
    assert np.isnan(parts[1]).all()


def test_dates_are_found_in_a_table_and_learned_by_their_parts(trained: Manifest) -> None:
    day, staff = trained.schema.features
    assert (day.name, day.type, day.nullable) == ("day", "date", True)
    assert staff.name == "staff"
    assert trained.schema.tree_features == ["day.year", "day.month", "day.day", "day.weekday", "staff"]
    assert trained.examples[1]["day"] == str(FIRST + timedelta(days=3 * 27))
    assert trained.metrics["model"]["r2"]["mean"] > 0.7 > trained.metrics["linear"]["r2"]["mean"]


def test_the_scores_are_those_of_xgboost_for_the_parts(trained: Manifest, sales: Path) -> None:
    rows = rows_of(sales)
    matrix = np.full((len(rows), 5), np.nan, dtype=np.float32)
    for number, row in enumerate(rows):
        matrix[number, 4] = float(str(row["staff"]))
        if row["day"]:
            day = date.fromisoformat(str(row["day"]))
            matrix[number, :4] = day.year, day.month, day.day, day.weekday()
    booster = xgboost.Booster(model_file=trained.directory / MODEL_FILE)
    expected = booster.predict(xgboost.DMatrix(matrix), validate_features=False)
    bundle = Bundle.load(trained)
    assert np.array_equal(bundle.predict(trained.schema.check_rows(rows)), expected)


def test_csv_and_every_type_of_parquet_have_the_same_scores(
    trained: Manifest, sales: Path, tmp_path: Path
) -> None:
    bundle, rows = Bundle.load(trained), rows_of(sales)
    expected = bundle.predict(trained.schema.check_rows(rows))
    days = [date.fromisoformat(str(row["day"])) if row["day"] else None for row in rows]
    staff = pa.array([row["staff"] for row in rows])
    midnights = [day and datetime(day.year, day.month, day.day) for day in days]
    arrays = {
        "text": pa.array([day and str(day) for day in days]),
        "dictionary": pa.array([day and str(day) for day in days]).dictionary_encode(),
        "date32": pa.array(days, pa.date32()),
        "date64": pa.array(days, pa.date64()),
        "seconds": pa.array(midnights, pa.timestamp("s")),
        "nanoseconds": pa.array(midnights, pa.timestamp("ns")),
    }
    tables = [read_table(sales).columns]
    for name, array in arrays.items():
        pyarrow.parquet.write_table(pa.table({"day": array, "staff": staff}), tmp_path / f"{name}.parquet")
        tables.append(read_table(tmp_path / f"{name}.parquet").columns)
    for table in tables:
        checked = ColumnCheck(trained.schema, empty_is_null=False).read(arrays_of(table), len(rows))
        assert checked.faults == {}
        assert np.array_equal(bundle.score(checked.matrix), expected)


def test_a_table_of_parquet_dates_trains_the_same_trees(
    trained: Manifest, sales: Path, tmp_path: Path
) -> None:
    table = read_table(sales).columns
    columns = {
        "day": table["day"].cast(pa.date32()),
        "staff": table["staff"].cast(pa.int64()),
        "sales": table["sales"].cast(pa.int64()),
    }
    pyarrow.parquet.write_table(pa.table(columns), tmp_path / "sales.parquet")
    again = made(
        "train",
        tmp_path / "sales.parquet",
        "--target",
        "sales",
        "--rounds",
        "40",
        "--output",
        tmp_path / "again",
    )
    models = [(each.directory / MODEL_FILE).read_bytes() for each in (trained, again)]
    assert models[0] == models[1]


def test_what_a_date_contributes_is_the_sum_of_its_parts(trained: Manifest, sales: Path) -> None:
    bundle = Bundle.load(trained)
    matrix = bundle.encode(trained.schema.check_rows(rows_of(sales)))
    explained = bundle.explain(matrix)
    assert explained.contributions.shape == (len(matrix), 2)
    total = explained.contributions.sum(axis=1, dtype=np.float64) + explained.base
    assert total == pytest.approx(bundle.score(matrix).astype(np.float64), abs=1e-5)


@pytest.mark.parametrize(
    "value",
    ["2026-02-30", "2026-2-3", "03/04/2026", "2026-11-28 13:00", "20261128", "today", 20261128, 1.5, True],
)
def test_what_is_no_date_is_a_fault_in_rows_and_in_columns(trained: Manifest, value: object) -> None:
    with pytest.raises(InvalidRows, match="must be a date, such as 2026-11-28"):
        trained.schema.check_row({"day": value, "staff": 1})
    columns = {"day": pa.array([value]), "staff": pa.array([1])}
    checked = ColumnCheck(trained.schema, empty_is_null=False).read(columns, 1)
    assert checked.faults[0][0] == ("day", "must be a date, such as 2026-11-28")


@pytest.mark.parametrize(
    "value", ["2026-11-28", " 2026-11-28 ", "2026-11-28T00:00:00", "2026-11-28 00:00:00.000000"]
)
def test_a_date_may_have_the_time_midnight(trained: Manifest, value: str) -> None:
    assert trained.schema.check_row({"day": value, "staff": 1})[0] == "2026-11-28"
    checked = ColumnCheck(trained.schema, empty_is_null=False).read(
        {"day": pa.array([value]), "staff": pa.array([1])}, 1
    )
    assert checked.matrix[0, 0] == day_number("2026-11-28")


def test_a_column_with_times_or_other_texts_is_no_column_of_dates(tmp_path: Path) -> None:
    rows = [[f"2026-11-{number % 3 + 10} {number % 2 + 10}:00", "2026-02-30", number] for number in range(60)]
    table = write_csv(tmp_path / "t.csv", ["at", "never", "y"], rows)
    manifest = made("train", table, "--target", "y", "--rounds", "2", "--output", tmp_path)
    assert [feature.type for feature in manifest.schema.features] == ["category", "category"]
