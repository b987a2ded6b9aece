"""A form has a field for each feature, and becomes the row that was entered."""

from typing import Any

import pytest

from web.page.fields import Field, fields_of, row_of, with_faults
from web.page.tables import corrected, failed_rows, key_of, read_first_rows

MODEL = {
    "features": [
        {"name": "a/b~", "type": "number", "minimum": 0, "observed": {"minimum": 1, "maximum": 12.5}},
        {"name": "town", "type": "category", "categories": ["Bern"], "nullable": True},
        {"name": "student", "type": "boolean"},
    ]
}


def fields(row: dict[str, Any] | None = None) -> list[Field]:
    return fields_of(MODEL, row)


def test_a_form_is_filled_with_an_example() -> None:
    assert [field.value for field in fields({"a/b~": 3.0, "town": None, "student": True})] == [
        "3",
        "",
        "true",
    ]


def test_limits_and_what_training_saw_are_said() -> None:
    assert fields()[0].hint == "at least 0; training saw 1 to 12.5"


def test_an_empty_field_is_missing_where_it_may_be_and_absent_where_not() -> None:
    assert row_of(fields(), {"f0": " 2,5 ", "f1": ""}) == {"a/b~": "2,5", "town": None}


def test_faults_stand_at_their_fields_whatever_their_names() -> None:
    errors = [{"pointer": "/inputs/a~1b~0", "detail": "must be a number"}]
    assert [field.faults for field in with_faults(fields(), errors)] == [("must be a number",), (), ()]


ERRORS = b"""\
{"row":1,"errors":[{"pointer":"/years","detail":"must be a number"}],"input":{"years":"many","town":"Bern"}}
{"row":4,"errors":[{"pointer":"/years","detail":"is missing"}],"input":{"years":null,"town":"Basel"}}
"""


def test_failed_rows_have_reasons_and_what_can_be_corrected() -> None:
    rows, more = failed_rows(ERRORS, cut=False)
    assert [(row.row, row.reasons, row.inputs) for row in rows] == [
        (1, ["years must be a number"], {"years": "many"}),
        (4, ["years is missing"], {"years": ""}),
    ]
    assert not more


def test_a_correction_keeps_what_was_not_wrong() -> None:
    assert corrected(ERRORS, False, {key_of(4, "years"): "2.5"}) == [
        {"row": 4, "input": {"years": "2.5", "town": "Basel"}}
    ]


def test_a_line_that_is_cut_off_is_left_out() -> None:
    assert failed_rows(ERRORS[:-5], cut=True).rows[-1].row == 1


def test_the_first_rows_say_whether_they_are_all() -> None:
    first = b"id,prediction\na,1\nb,2\n"
    shown = [read_first_rows(first, "csv", total) for total in (2, 3)]
    assert [(each.looked_at, each.whole) for each in shown if each] == [(2, True), (2, False)]
    assert read_first_rows(b"id,prediction\n", "csv", 0) is None


@pytest.mark.parametrize("kind", ["ndjson", "parquet"])
def test_results_that_are_not_csv_are_shown_by_lines_of_json(kind: str) -> None:
    lines = read_first_rows(b'{"id":"a","prediction":1.5}\n{"id":"b","error":"no"}\n', kind, 2)
    assert lines is not None
    assert (lines.names, lines.rows) == (["id", "prediction", "error"], [["a", "1.5", ""], ["b", "", "no"]])
    assert [column.label for column in lines.columns] == ["1.5"]


def test_labels_are_counted_rather_than_the_numbers_of_their_classes() -> None:
    found = read_first_rows(b"prediction,label,probability\n1,cat,0.9\n0,dog,0.2\n1,cat,0.8\n", "csv", 3)
    assert found is not None
    assert [(column.label, column.rows) for column in found.columns] == [("cat", 2), ("dog", 1)]
