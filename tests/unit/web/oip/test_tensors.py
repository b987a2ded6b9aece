"""Tensors become rows that pass the schema, or faults that point at the tensor and its element."""

from collections.abc import Sequence
from typing import Any

import pytest

from model.description.features import Feature
from model.description.schema import Fault, InvalidRows, Schema
from web.oip.tensors import FeatureTensor, flatten, read_rows

HOUSES = Schema(
    [
        Feature("rooms", "integer", nullable=True),
        Feature("m²/~", "number", minimum=10),
        Feature("garden", "boolean"),
        Feature("city", "category", nullable=True, categories=("Bern", "Basel")),
    ]
)
NUMBERS = Schema([Feature("a", "number"), Feature("b", "integer", nullable=True), Feature("c", "number")])


def column(number: int, name: str, *elements: Any, **members: Any) -> FeatureTensor:
    return FeatureTensor(f"/inputs/{number}", name, (len(elements),), elements, **members)


def houses(**replaced: FeatureTensor) -> list[FeatureTensor]:
    """Two houses."""
    tensors = {
        "rooms": column(0, "rooms", 3, 4),
        "area": column(1, "m²/~", 80.5, 95.0),
        "garden": column(2, "garden", True, False),
        "city": column(3, "city", "Bern", "Basel"),
    }
    return list((tensors | replaced).values())


def faults(schema: Schema, tensors: Sequence[FeatureTensor]) -> list[Fault]:
    with pytest.raises(InvalidRows) as refused:
        read_rows(schema, tensors)
    return refused.value.faults


def pointers(schema: Schema, tensors: Sequence[FeatureTensor]) -> list[str]:
    return [fault.pointer for fault in faults(schema, tensors)]


def test_a_tensor_for_each_feature_makes_rows_in_the_order_of_the_model() -> None:
    rows = [[3, 80.5, True, "Bern"], [4, 95, False, "Basel"]]
    assert read_rows(HOUSES, houses()) == rows
    assert read_rows(HOUSES, houses()[::-1]) == rows


def test_one_tensor_of_numbers_has_the_features_in_the_order_of_the_model() -> None:
    matrix = FeatureTensor("/inputs/0", "input-0", (2, 3), [1, 2, 3, 4, None, 6])
    assert read_rows(NUMBERS, [matrix]) == [[1, 2, 3], [4, None, 6]]


def test_one_tensor_is_refused_if_a_feature_is_not_a_number() -> None:
    [fault] = faults(HOUSES, [FeatureTensor("/inputs/0", "input-0", (1, 4), [3, 80, 1, 0])])
    assert fault.pointer == "/inputs/0"
    assert "garden" in fault.detail


def test_a_missing_value_is_null_or_among_bytes_an_empty_text() -> None:
    missing = houses(rooms=column(0, "rooms", None, 4), city=column(3, "city", "", "Bern", binary=True))
    assert read_rows(HOUSES, missing) == [[None, 80.5, True, None], [4, 95, False, "Bern"]]


def test_an_empty_text_is_a_missing_value_only_where_one_may_be_missing() -> None:
    assert pointers(HOUSES, houses(city=column(3, "city", "", "Bern"))) == ["/inputs/3/data/0"]
    assert pointers(HOUSES, houses(garden=column(2, "garden", "", "true", binary=True))) == [
        "/inputs/2/data/0"
    ]
    named = Schema([Feature("kind", "category", nullable=True, categories=("", "x"))])
    assert read_rows(named, [column(0, "kind", "", binary=True)]) == [[""]]


def test_a_fault_points_at_the_value_in_its_tensor() -> None:
    wrong = houses(
        rooms=column(0, "rooms", 3, 4.5),
        area=FeatureTensor("/inputs/1", "m²/~", (2, 1), [9, 95], nested=True),
        city=column(3, "city", "Zug", "Bern"),
    )
    assert pointers(HOUSES, wrong) == ["/inputs/1/data/0/0", "/inputs/3/data/0", "/inputs/0/data/1"]


@pytest.mark.parametrize(("nested", "pointer"), [(False, "/inputs/0/data/5"), (True, "/inputs/0/data/1/2")])
def test_a_fault_among_all_features_points_at_the_value_as_it_was_sent(nested: bool, pointer: str) -> None:
    matrix = FeatureTensor("/inputs/0", "x", (2, 3), [1, 2, 3, 4, 5, "six"], nested)
    assert pointers(NUMBERS, [matrix]) == [pointer]


def test_of_many_faults_the_first_are_listed() -> None:
    matrix = FeatureTensor("/inputs/0", "x", (200, 3), ["x"] * 600)
    told = faults(NUMBERS, [matrix])
    assert len(told) == 100
    assert told[-1] == Fault("/inputs", "has more faults than the first 99")


@pytest.mark.parametrize(
    ("tensors", "where"),
    [
        (houses()[:3], ["/inputs"]),
        ([*houses()[:3], column(3, "town", "Bern", "Bern")], ["/inputs/3/name", "/inputs"]),
        ([*houses(), column(4, "rooms", 1, 2)], ["/inputs/0/name"]),
        (houses(city=column(3, "city", "Bern")), ["/inputs/3/shape"]),
        (houses(rooms=FeatureTensor("/inputs/0", "rooms", (2, 2), [1, 2, 3, 4])), ["/inputs/0/shape"]),
        ([FeatureTensor("/inputs/0", "x", (1, 3), [1, 2, 3])], ["/inputs/0/name", *["/inputs"] * 4]),
    ],
    ids=["absent", "unknown", "twice", "other rows", "too wide", "too narrow for all"],
)
def test_tensors_that_do_not_match_the_features_are_refused(
    tensors: list[FeatureTensor], where: list[str]
) -> None:
    assert pointers(HOUSES, tensors) == where


@pytest.mark.parametrize(
    ("data", "shape", "elements", "nested"),
    [
        ([1, 2], [2], [1, 2], False),
        ([1, 2], [2, 1], [1, 2], False),
        ([[1], [2]], [2, 1], [1, 2], True),
        ([1, 2, 3, 4], [2, 2], [1, 2, 3, 4], False),
        ([[1, 2], [3, 4]], [2, 2], [1, 2, 3, 4], True),
    ],
)
def test_data_is_flat_or_a_list_for_each_row(
    data: list[Any], shape: list[int], elements: list[Any], nested: bool
) -> None:
    assert flatten(data, shape) == (elements, nested)


@pytest.mark.parametrize(
    ("data", "shape"),
    [
        ([], [1]),
        ([1], [2]),
        ([1, 2, 3], [2, 2]),
        ([[1, 2], [3]], [2, 2]),
        ([[1, 2], 3], [2, 2]),
        ([[1, 2]], [2, 2]),
        ([[1], [2], [3]], [2]),
    ],
)
def test_data_of_another_shape_is_refused(data: list[Any], shape: list[int]) -> None:
    with pytest.raises(ValueError, match="hold"):
        flatten(data, shape)
