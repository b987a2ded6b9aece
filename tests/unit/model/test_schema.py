"""A row is read in the order of the features, or refused with all its faults."""

import subprocess
import sys
from typing import Any

import pytest

from model.description.errors import SchemaError
from model.description.schema import MAX_FAULTS, Fault, InvalidRows, Schema

FLAT = Schema.from_list(
    [
        {"name": "area", "type": "number", "minimum": 0, "maximum": 1000},
        {"name": "rooms", "type": "integer", "nullable": True},
        {"name": "lift", "type": "boolean"},
        {"name": "heating", "type": "category", "categories": ["gas", "oil"]},
    ]
)
ROW = {"area": 50, "rooms": 2, "lift": True, "heating": "gas"}


def faults_of(row: object) -> list[Fault]:
    with pytest.raises(InvalidRows) as refusal:
        FLAT.check_row(row)
    return refusal.value.faults


def test_values_are_returned_in_the_order_of_the_features() -> None:
    row = dict(reversed(ROW.items()))
    assert FLAT.check_row(row) == [50.0, 2, True, "gas"]


def test_values_are_returned_in_the_type_of_their_feature() -> None:
    read = FLAT.check_row({"area": " 5e1 ", "rooms": "2.0", "lift": "true", "heating": "gas"})
    assert read == [50.0, 2, True, "gas"]
    assert [type(value) for value in read] == [float, float, bool, str]


def test_null_is_a_missing_value_only_if_the_feature_is_nullable() -> None:
    assert FLAT.check_row({**ROW, "rooms": None}) == [50.0, None, True, "gas"]
    assert faults_of({**ROW, "area": None}) == [Fault("/inputs/area", "must not be null")]
    assert faults_of({**ROW, "rooms": ""}) == [Fault("/inputs/rooms", "must be an integer")]


def test_all_faults_of_a_row_are_reported_together() -> None:
    assert faults_of({"area": "wide", "lift": 2, "heating": "wood", "a/b~c": 1}) == [
        Fault("/inputs/area", "must be a number"),
        Fault("/inputs/lift", "must be true or false"),
        Fault("/inputs/heating", "must be one of: gas, oil"),
        Fault("/inputs/a~1b~0c", "is not a feature of this model", "unknown"),
    ]


def test_a_nullable_feature_may_be_left_out() -> None:
    row = {name: value for name, value in ROW.items() if name != "rooms"}
    assert FLAT.check_row(row) == [50.0, None, True, "gas"]
    assert FLAT.required == ("area", "lift", "heating")
    assert faults_of({**row, "garage": 1}) == [
        Fault("/inputs/garage", "is not a feature of this model", "unknown")
    ]


def test_a_name_in_another_case_is_named_beside_its_feature() -> None:
    row = {**ROW, "Area ": 50}
    del row["area"]
    assert faults_of(row) == [
        Fault("/inputs/area", "is missing", "missing"),
        Fault("/inputs/Area ", "is not a feature of this model; there is area", "unknown"),
    ]


def test_texts_of_the_bundle_stand_for_missing_values() -> None:
    schema = Schema(FLAT.features, ["NA"])
    assert schema.check_row({**ROW, "rooms": "NA"}) == [50.0, None, True, "gas"]
    with pytest.raises(InvalidRows, match="/inputs/area must be a number"):
        schema.check_row({**ROW, "area": "NA"})


def test_a_category_cannot_stand_for_a_missing_value() -> None:
    category = {"name": "land", "type": "category", "categories": ["NA", "DE"]}
    Schema.from_list([category], ["NA"])
    with pytest.raises(SchemaError, match="lists the category 'NA', which stands for a missing value"):
        Schema.from_list([{**category, "nullable": True}], ["NA"])


def test_an_unknown_member_is_reported_beside_a_missing_one() -> None:
    row = {**ROW, "aera": 50}
    del row["area"]
    assert faults_of(row) == [
        Fault("/inputs/area", "is missing", "missing"),
        Fault("/inputs/aera", "is not a feature of this model", "unknown"),
    ]


@pytest.mark.parametrize("row", [None, [], "area", 5, [["area", 5]]])
def test_a_row_must_be_an_object(row: object) -> None:
    assert faults_of(row) == [Fault("/inputs", "must be an object")]


def test_values_equal_to_a_limit_are_accepted() -> None:
    for area in (0, 1000, "1000"):
        FLAT.check_row({**ROW, "area": area})
    assert faults_of({**ROW, "area": -0.5}) == [Fault("/inputs/area", "must be at least 0")]
    assert faults_of({**ROW, "area": 1000.5}) == [Fault("/inputs/area", "must be at most 1000")]


def test_values_outside_the_training_data_are_accepted() -> None:
    schema = Schema.from_list(
        [{"name": "years", "type": "number", "observed": {"minimum": 1, "maximum": 12}}]
    )
    assert schema.check_row({"years": 99}) == [99.0]


def test_a_category_must_match_exactly() -> None:
    for heating in ("Gas", " gas", ""):
        assert faults_of({**ROW, "heating": heating}) == [
            Fault("/inputs/heating", "must be one of: gas, oil")
        ]


def test_a_category_of_digits_may_be_sent_as_a_number() -> None:
    schema = Schema.from_list([{"name": "floor", "type": "category", "categories": ["1", "2"]}])
    for floor in ("1", 1, 1.0):
        assert schema.check_row({"floor": floor}) == ["1"]
    with pytest.raises(InvalidRows, match="/inputs/floor must be text, one of: 1, 2"):
        schema.check_row({"floor": ["1"]})


def test_faults_in_a_list_name_the_row() -> None:
    assert FLAT.check_rows([]) == []
    assert FLAT.check_rows([ROW, ROW]) == [[50.0, 2, True, "gas"]] * 2
    with pytest.raises(InvalidRows) as refusal:
        FLAT.check_rows([ROW, {**ROW, "lift": 2}, 7], "/rows")
    assert refusal.value.faults == [
        Fault("/rows/1/lift", "must be true or false"),
        Fault("/rows/2", "must be an object"),
    ]
    assert str(refusal.value) == "/rows/1/lift must be true or false; /rows/2 must be an object"


def test_of_many_faults_the_first_are_listed() -> None:
    with pytest.raises(InvalidRows) as refusal:
        FLAT.check_rows([None] * 1000)
    assert len(refusal.value.faults) == MAX_FAULTS
    assert refusal.value.faults[-1] == Fault("/inputs", "has more faults than the first 99")


def test_a_fault_never_repeats_the_value() -> None:
    row = {"area": "secret", "rooms": "secret", "lift": "secret", "heating": "secret"}
    assert "secret" not in str(faults_of(row))


def test_a_schema_is_written_as_it_was_read() -> None:
    definitions = FLAT.to_list()
    assert Schema.from_list(definitions).features == FLAT.features
    assert definitions[3] == {"name": "heating", "type": "category", "categories": ["gas", "oil"]}
    assert FLAT.names == ("area", "rooms", "lift", "heating")


NUMBER: dict[str, Any] = {"name": "x", "type": "number"}
CATEGORY: dict[str, Any] = {"name": "x", "type": "category"}


@pytest.mark.parametrize(
    ("definitions", "message"),
    [
        ({}, "features must be a list"),
        ([], "must have at least one feature"),
        (["x"], "a feature must be an object"),
        ([{"type": "number"}], "must have a name"),
        ([NUMBER, NUMBER], "'x' is defined twice"),
        ([{"name": "x"}], "must have one of the types number, integer, boolean, category"),
        ([{"name": "x", "type": ["number"]}], "must have one of the types"),
        ([{**NUMBER, "nulable": True}], "unknown field: nulable"),
        ([{**NUMBER, "nullable": 1}], "nullable must be true or false"),
        ([{**NUMBER, "description": None}], "description must be text"),
        ([{**NUMBER, "categories": ["a"]}], "is not a category"),
        ([{**NUMBER, "unseen": "missing"}], "is not a category"),
        (
            [{"name": "x", "type": "category", "categories": ["a"], "unseen": "no"}],
            "unseen must be one of fault, missing, unknown",
        ),
        ([{**NUMBER, "minimum": "0"}], "minimum and maximum must be numbers"),
        ([{**NUMBER, "minimum": 2, "maximum": 1}], "minimum 2 is greater than maximum 1"),
        ([{**NUMBER, "observed": {"minimum": 1}}], "object with minimum and maximum"),
        (
            [{**NUMBER, "observed": {"minimum": 1, "maximum": True}}],
            "observed minimum and maximum must",
        ),
        ([{**NUMBER, "base_margin": 1}], "base_margin must be true or false"),
        ([{**NUMBER, "base_margin": True, "nullable": True}], "must be of type number and not nullable"),
        (
            [{**NUMBER, "base_margin": True}, {**NUMBER, "name": "y", "base_margin": True}],
            "only one feature can be the base margin",
        ),
        ([CATEGORY], "must list its categories"),
        ([{**CATEGORY, "categories": "ab"}], "must be a list of texts"),
        ([{**CATEGORY, "categories": ["a", 1]}], "must be a list of texts"),
        ([{**CATEGORY, "categories": ["a", "a"]}], "lists a category twice"),
        ([{**CATEGORY, "categories": ["a"], "minimum": 0}], "only numbers and integers"),
    ],
)
def test_an_invalid_definition_is_refused_in_one_line(definitions: object, message: str) -> None:
    with pytest.raises(SchemaError, match=message) as refusal:
        Schema.from_list(definitions)
    assert "\n" not in str(refusal.value)


@pytest.mark.process
def test_schema_and_catalog_import_neither_numpy_nor_xgboost() -> None:
    code = "import sys, model.description.catalog; print(sorted({'numpy', 'xgboost'} & set(sys.modules)))"
    loaded = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert loaded.stdout.strip() == "[]"
