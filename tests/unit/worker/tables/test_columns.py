"""Each output of a model has a column of its own, in every format."""

import numpy as np

from jobs.files.tables import Format
from model.outputs import Outputs
from tests.unit.worker.tables.conftest import FEATURES, PREDICTION
from worker.tables.passthrough import CsvColumns
from worker.tables.plan import Layout
from worker.tables.read import Rows
from worker.tables.score import Columns, RowFault, RowScorer, Scores, all_at_once, columns_of, joined
from worker.tables.write import csv_lines, parquet_table

GIVEN = Outputs(
    prediction=np.array([1, 0]),
    labels=["a, or b", "c"],
    probabilities=np.array([[0.25, 0.75], [0.5, 0.5]], np.float32),
    classes=["c", "a, or b"],
)
NAMES = ("prediction", "label", "probability_c", "probability_a, or b")
TYPES = {name: column.dtype for name, column in columns_of(GIVEN).items()}


def written(kind: Format) -> tuple[Layout, Rows, Scores]:
    layout = Layout(kind, kind, (), (), (*NAMES, "error"))
    return layout, Rows(2, {}, CsvColumns({}), {}), Scores(columns_of(GIVEN), {1: [RowFault("", "why")]})


def test_a_classifier_has_a_column_for_its_label_and_each_of_its_classes() -> None:
    assert tuple(columns_of(GIVEN)) == NAMES
    assert csv_lines(*written(Format.CSV)) == b'1,"a, or b",0.25,0.75,\n,,,,why\n'


def test_labels_are_texts_in_json_and_parquet() -> None:
    layout, _, scores = written(Format.PARQUET)
    rows = Rows(2, {}, CsvColumns({}), {})
    table = parquet_table(layout, rows, scores).to_pylist()
    assert table[0] == {**dict(zip(NAMES, [1, "a, or b", 0.25, 0.75], strict=True)), "error": None}
    assert table[1] == {**dict.fromkeys(NAMES), "error": "why"}


def test_a_part_whose_rows_all_failed_has_the_types_of_the_others() -> None:
    layout, rows, scores = written(Format.PARQUET)
    failed = scores._replace(faults={row: [RowFault("", "why")] for row in range(2)})
    assert parquet_table(layout, rows, failed).schema.equals(parquet_table(layout, rows, scores).schema)


def test_an_interval_has_two_columns() -> None:
    interval = Outputs(np.array([2.0], np.float32), interval=np.array([[1.0, 3.0]], np.float32))
    assert {name: column.tolist() for name, column in columns_of(interval).items()} == {
        "prediction": [2],
        "interval_low": [1],
        "interval_high": [3],
    }


def test_each_target_has_a_column_of_its_own() -> None:
    probability = np.array([[0.9, 0.2], [0.1, 0.3]], np.float32)
    labels = Outputs(np.array([[1, 0], [0, 0]]), probability=probability, targets=["a", "b"])
    assert {name: column.tolist() for name, column in columns_of(labels).items()} == {
        "prediction_a": [1, 0],
        "prediction_b": [0, 0],
        "probability_a": probability[:, 0].tolist(),
        "probability_b": probability[:, 1].tolist(),
    }


def test_rows_that_the_model_did_not_score_have_empty_values() -> None:
    columns = joined([(1, None), (2, columns_of(GIVEN))], TYPES)
    assert columns["label"].tolist() == ["", "a, or b", "c"]
    assert columns["prediction"].tolist() == [0, 1, 0]


def test_columns_of_rows_that_were_all_given_up_have_the_types_of_the_others() -> None:
    columns = joined([(2, None)], TYPES)
    assert {name: column.dtype for name, column in columns.items()} == TYPES
    assert joined([], TYPES)["label"].dtype == object


def test_a_row_that_the_model_cannot_score_is_found() -> None:
    def predict(matrix: "np.ndarray[tuple[int, int], np.dtype[np.float32]]") -> Columns:
        if (matrix[:, 0] == 3).any():
            raise ValueError
        return {"prediction": matrix[:, 0]}

    values = [float(number) for number in range(6)]
    features = {"years": values, "age": [20] * 6, "town": ["Bern"] * 6}
    rows = Rows(6, features, CsvColumns({}), {})
    scores = RowScorer(FEATURES, predict, PREDICTION).score(rows, all_at_once(0, 6), of_csv=False)
    assert scores.faults == {3: [RowFault("", "the model could not score this row")]}
    assert scores.columns["prediction"][[0, 1, 2, 4, 5]].tolist() == [0, 1, 2, 4, 5]
