"""Each kind of step, replayed on a few rows."""

import math
from typing import Any

import numpy as np
import pytest
from paygrade.steps import Steps, StepsError

NAN = math.nan
NUMBER = {"name": "x", "type": "number", "dtype": "float64"}
SINGLE = {"name": "z", "type": "number", "dtype": "float32"}
TEXT = {"name": "city", "type": "category", "categories": ["a", "b", "c"], "dtype": "object"}


def replay(
    feature: dict[str, Any], values: list[float], made: int, *steps: dict[str, Any]
) -> list[list[float | None]]:
    """The rows of the columns that the last step makes, with None for NaN."""
    outputs = list(range(len(steps), len(steps) + made))
    read = Steps.from_dict(
        {"steps": list(steps), "output": outputs, "names": [f"c{output}" for output in outputs]}, [feature]
    )
    rows = read.transform(np.array(values, dtype=np.float64).reshape(-1, 1))
    assert rows.dtype == np.float32
    return [[None if math.isnan(value) else value for value in row] for row in rows.tolist()]


def test_a_feature_goes_through_in_its_own_precision() -> None:
    read = Steps.from_dict({"steps": [], "output": [0], "names": ["x"]}, [NUMBER])
    assert read.transform(np.array([[0.1], [NAN]])).tolist()[0] == [np.float32(0.1)]
    assert read.names == ("x",)
    assert read.sources == ((0,),)


def test_a_lookup_gives_each_text_its_number() -> None:
    lookup = {
        "kind": "lookup",
        "of": [0],
        "dtype": "float64",
        "results": [5, 6, 7],
        "unknown": -1,
        "missing": None,
    }
    assert replay(TEXT, [0, 2, -1, NAN], 1, lookup) == [[5], [7], [-1], [None]]


def test_a_lookup_finds_numbers_by_their_exact_value() -> None:
    tenth = float(np.float32(0.1))
    lookup = {
        "kind": "lookup",
        "of": [0],
        "dtype": "float64",
        "values": [tenth, 3],
        "results": [1, 2],
        "unknown": 9,
        "missing": 8,
    }
    assert replay(NUMBER, [0.1, tenth, 3, 4, -5, NAN], 1, lookup) == [[9], [1], [2], [9], [9], [8]]
    assert replay(SINGLE, [0.1], 1, lookup) == [[1]]


def test_a_lookup_may_turn_texts_into_texts() -> None:
    fill = {"kind": "lookup", "of": [0], "to_text": True, "results": [0, 1, 2], "unknown": -1, "missing": 2}
    number = {"kind": "lookup", "of": [1], "dtype": "float64", "results": [10, 20, 30], "unknown": 0}
    assert replay(TEXT, [0, -1, NAN], 1, fill, number) == [[10], [0], [30]]


def test_one_hot_makes_a_column_for_each_result() -> None:
    encoder = {"kind": "one_hot", "of": [0], "width": 2, "results": [0, 1, 0], "unknown": -1, "missing": 1}
    assert replay(TEXT, [0, 1, 2, -1, NAN], 2, encoder) == [[1, 0], [0, 1], [1, 0], [0, 0], [0, 1]]


def test_a_sparse_column_does_not_store_its_zeros() -> None:
    assert replay(NUMBER, [0, -0.0, 1e-300, 2, NAN], 1, {"kind": "sparse", "of": [0]}) == [
        [None],
        [None],
        [0],
        [2],
        [None],
    ]
    sparse, dense = {"kind": "sparse", "of": [0]}, {"kind": "dense", "of": [1]}
    assert replay(NUMBER, [0, 2], 1, sparse, dense) == [[0], [2]]


def test_scaling_keeps_the_precision_of_the_column() -> None:
    third = {"do": "multiply", "by": [1 / 3], "dtype": "float64"}
    scale = {"kind": "scale", "of": [0], "dtype": "float32", "operations": [third], "clip": [0, 0.5]}
    single = float(np.float32(0.7))
    assert replay(SINGLE, [0.7, 9, NAN], 1, scale) == [[np.float32(single * (1 / 3))], [0.5], [None]]


@pytest.mark.parametrize(
    ("name", "value", "result"),
    [("abs", -2, 2), ("sqrt", 9, 3), ("square", -3, 9), ("log1p", 0, 0), ("exp", 0, 1)],
)
def test_a_function_is_calculated(name: str, value: float, result: float) -> None:
    step = {"kind": "function", "of": [0], "dtype": "float64", "name": name}
    assert replay(NUMBER, [value, NAN], 1, step) == [[result], [None]]


def test_clip_limits_values() -> None:
    step = {"kind": "clip", "of": [0], "dtype": "float64", "low": -1, "high": 2}
    assert replay(NUMBER, [-5, 0.5, 5, NAN], 1, step) == [[-1], [0.5], [2], [None]]


def test_missing_numbers_are_filled_in_and_indicated() -> None:
    fill = {"kind": "impute", "of": [0], "dtype": "float64", "fill": [7], "missing": None}
    assert replay(NUMBER, [1, NAN], 1, fill) == [[1], [7]]
    sign = {"kind": "impute", "of": [0], "dtype": "float64", "fill": [7], "missing": -1}
    assert replay(NUMBER, [1, -1], 1, sign) == [[1], [7]]
    assert replay(TEXT, [1, NAN], 1, {"kind": "indicate", "of": [0], "missing": None}) == [[0], [1]]


def test_bins_and_thresholds_compare() -> None:
    bins = {"kind": "bin", "of": [0], "dtype": "float64", "edges": [1, 2]}
    assert replay(NUMBER, [0, 1, 1.5, 2, 3], 1, bins) == [[0], [1], [1], [2], [2]]
    threshold = {"kind": "threshold", "of": [0], "dtype": "float64", "threshold": 1}
    assert replay(NUMBER, [1, 1.5], 1, threshold) == [[0], [1]]


def test_quantiles_are_interpolated() -> None:
    step = {
        "kind": "quantile",
        "of": [0],
        "dtype": "float64",
        "quantiles": [0, 2, 4],
        "references": [0, 0.5, 1],
    }
    assert replay(NUMBER, [-1, 0, 1, 4, 9, NAN], 1, step) == [[0], [0], [0.25], [1], [1], [None]]


def test_normal_quantiles_end_where_those_of_scikit_learn_do() -> None:
    step = {
        "kind": "normal_quantile",
        "of": [0],
        "dtype": "float64",
        "quantiles": [0, 2, 4],
        "references": [0, 0.5, 1],
    }
    end, third = np.float32(-5.199337582605575), np.float32(0.6744897501960817)
    made = replay(NUMBER, [-1, 5e-8, 2, 3, 4 - 5e-8, 9, NAN], 1, step)
    assert made == [[end], [end], [0], [third], [-end], [-end], [None]]


def test_a_product_names_all_its_sources() -> None:
    features = [{**NUMBER, "name": name} for name in "abc"]
    product = {"kind": "product", "of": [0, 1, 2], "dtype": "float64", "terms": [[], [1], [0, 2, 2]]}
    read = Steps.from_dict({"steps": [product], "output": [3, 4, 5], "names": ["1", "b", "acc"]}, features)
    assert read.transform(np.array([[2.0, 3.0, 5.0]])).tolist() == [[1, 3, 50]]
    assert read.sources == ((), (1,), (0, 2))


def test_a_number_that_counts_as_missing() -> None:
    read = Steps.from_dict({"steps": [], "output": [0], "names": ["x"], "missing": -999}, [NUMBER])
    assert np.isnan(read.transform(np.array([[-999.0], [1.0]]))).tolist() == [[True], [False]]


@pytest.mark.parametrize(
    ("feature", "step", "value"),
    [
        (TEXT, {"kind": "lookup", "of": [0], "dtype": "float64", "results": [1, 2, 3]}, NAN),
        (TEXT, {"kind": "one_hot", "of": [0], "width": 1, "results": [0, 0, 0]}, -1),
        (TEXT, {"kind": "one_hot", "of": [0], "width": 1, "results": [0, 0, 0]}, 3),
        (NUMBER, {"kind": "bin", "of": [0], "dtype": "float64", "edges": [1]}, NAN),
        (NUMBER, {"kind": "threshold", "of": [0], "dtype": "float64", "threshold": 1}, NAN),
        (NUMBER, {"kind": "product", "of": [0], "dtype": "float64", "terms": [[0, 0]]}, NAN),
        (NUMBER, {"kind": "impute", "of": [0], "dtype": "float64", "fill": [7], "missing": -1}, NAN),
        (NUMBER, {"kind": "power", "of": [0], "dtype": "float64", "method": "box_cox", "powers": [1]}, 0),
    ],
    ids=lambda one: one.get("kind", "") if isinstance(one, dict) else "",
)
def test_rows_without_a_place_are_named(feature: dict[str, Any], step: dict[str, Any], value: float) -> None:
    read = Steps.from_dict({"steps": [step], "output": [1], "names": ["a"]}, [feature])
    read.transform(np.array([[1.0]]))
    with pytest.raises(StepsError) as refused:
        read.transform(np.array([[1.0], [value], [1.0]]))
    if value != 3:
        assert refused.value.rows == (1,)


def test_infinity_goes_into_no_step_that_scikit_learn_keeps_it_from() -> None:
    log = {"kind": "function", "of": [0], "dtype": "float64", "name": "log"}
    clip = {"kind": "scale", "of": [1], "dtype": "float64", "operations": [], "clip": [0, 1]}
    read = Steps.from_dict({"steps": [log, clip], "output": [2], "names": ["a"]}, [NUMBER])
    with pytest.raises(StepsError, match="too large") as refused:
        read.transform(np.array([[1.0], [0.0]]))
    assert refused.value.rows == (1,)


def test_rows_of_another_width_are_refused() -> None:
    read = Steps.from_dict({"steps": [], "output": [0], "names": ["x"]}, [NUMBER])
    with pytest.raises(StepsError, match="must have 1 values"):
        read.transform(np.zeros((2, 3)))


def test_no_rows_give_no_rows() -> None:
    encoder = {"kind": "one_hot", "of": [0], "width": 2, "results": [0, 1, 0]}
    read = Steps.from_dict({"steps": [encoder], "output": [1, 2], "names": ["a", "b"]}, [TEXT])
    assert read.transform(np.zeros((0, 1))).shape == (0, 2)
