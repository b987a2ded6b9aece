"""A row outside what training saw is scored, and the results warn of it."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest

from jobs.files.tables import Format
from model.bundle import Bundle, ObservedRanges
from model.description.features import Feature
from model.description.manifest import Manifest
from model.description.schema import Schema
from tests.unit.worker.tables.conftest import OURS, Scored, as_csv, read
from worker.tables.plan import Layout
from worker.tables.read import CsvColumns, Rows
from worker.tables.score import Scores, warn_by
from worker.tables.write import csv_lines

NO_RANGE = Feature("note", "number", nullable=True)
SEEN = ObservedRanges(
    Schema(
        [
            Feature("a, b", "number", nullable=True, observed={"minimum": 0, "maximum": 1}),
            NO_RANGE,
            *(Feature(f"f{n}", "number", observed={"minimum": n, "maximum": n}) for n in range(9)),
        ]
    )
)
WITHIN = [0.5, 7, *range(9)]


def outside(**values: float) -> list[float]:
    row = list(WITHIN)
    for position, value in values.items():
        row[int(position.removeprefix("at"))] = value
    return row


def matrix(*rows: list[float]) -> "np.ndarray[tuple[int, ...], np.dtype[np.float32]]":
    return np.array(rows, dtype=np.float32)


@pytest.fixture(scope="module")
def wages() -> Bundle:
    return Bundle.load(Manifest.read(Path("model/bundles/wages/1")))


@pytest.mark.parametrize("results", Format)
def test_results_have_the_same_warnings_as_predictions(
    score_bundle: Callable[..., Scored], wages: Bundle, results: Format
) -> None:
    rows = [dict(row) for row in wages.manifest.examples * 30]
    for number, row in enumerate(rows[::4]):
        row |= {"education": 18 + number % 3, "experience": 20.5 + number % 7, "knowledge": number % 8}
    scored = score_bundle(wages, as_csv(rows), Format.CSV, results)
    warned = wages.warnings(wages.encode(wages.manifest.schema.check_rows(rows)))
    assert len({tuple(texts) for texts in warned.values()}) > 4
    for number, line in enumerate(read(scored.result, results)):
        text = "; ".join(warned.get(number, []))
        assert line["warnings"] == (text or (None if results is not Format.CSV else ""))
        assert line["prediction"]


def test_rows_outside_in_the_same_way_share_a_text_and_others_have_none() -> None:
    rows = [WITHIN, outside(at0=2), outside(at10=9, at0=-1), WITHIN, outside(at0=2), outside(at0=np.nan)]
    texts = warn_by(SEEN)(matrix(*rows)).to_pylist()
    above, several = texts[1], texts[2]
    assert texts == [None, above, several, None, above, None]
    assert above == "a, b is above what training saw (0 to 1)"
    assert several == "a, b is below what training saw (0 to 1); f8 is above what training saw (8 to 8)"


def test_rows_within_what_training_saw_have_no_text() -> None:
    assert warn_by(SEEN)(matrix(WITHIN, WITHIN)).null_count == 2


def test_a_failed_row_has_no_warnings(score_bundle: Callable[..., Scored], wages: Bundle) -> None:
    row = {**wages.manifest.examples[0], "experience": 50}
    data = as_csv([row, {**row, "city": "perhaps"}])
    warned, failed = read(score_bundle(wages, data, Format.CSV).result, Format.CSV)
    assert warned["warnings"]
    assert (failed["warnings"], failed["error"]) == ("", "city must be true or false")


def test_a_name_with_a_comma_is_quoted() -> None:
    scores = Scores({"prediction": np.zeros(2)}, {}, warn_by(SEEN)(matrix(outside(at0=2), WITHIN)))
    layout = Layout(Format.CSV, Format.CSV, (), (), ("prediction", "warnings", "error"), warns=True)
    lines = csv_lines(layout, Rows(2, {}, CsvColumns({}), {}), scores)
    assert lines == b'0.0,"a, b is above what training saw (0 to 1)",\n0.0,,\n'


def test_a_bundle_without_observed_ranges_adds_no_warnings_column(wages: Bundle) -> None:
    assert wages.manifest.warns
    layout = Layout(Format.CSV, Format.CSV, (), (), OURS)
    scores = Scores({"prediction": np.zeros(1)}, {}, pa.array(["a warning"]))
    assert csv_lines(layout, Rows(1, {}, CsvColumns({}), {}), scores) == b"0.0,\n"
