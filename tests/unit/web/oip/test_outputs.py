"""Outputs of rows become tensors, one for each member that all rows have."""

import struct
from typing import Any

from web.oip.outputs import output_tensors


def described(*rows: dict[str, Any]) -> list[dict[str, Any]]:
    return [output.describe(binary=False) for output in output_tensors(rows, "float32")]


def test_a_prediction_is_a_number_for_each_row_and_warnings_are_not_a_tensor() -> None:
    warned = {"prediction": 749.99884, "warnings": ["years is above"]}
    assert described(warned, warned) == [
        {"name": "prediction", "datatype": "FP32", "shape": (2,), "data": [749.99884, 749.99884]}
    ]


def test_each_other_member_is_a_tensor_of_its_own() -> None:
    first = {"prediction": 1, "label": "yes", "probabilities": {"no": 0.25, "yes": 0.75}, "interval": [1, 2]}
    second = {"prediction": 0, "label": "no", "probabilities": {"no": 0.5, "yes": 0.5}, "interval": [3, 4]}
    _, label, probabilities, interval = described(first, second)
    assert label == {"name": "label", "datatype": "BYTES", "shape": (2,), "data": ["yes", "no"]}
    assert probabilities["shape"] == interval["shape"] == (2, 2)
    assert probabilities["data"] == [0.25, 0.75, 0.5, 0.5]
    assert probabilities["parameters"] == {"classes": '["no","yes"]'}
    assert interval["data"] == [1, 2, 3, 4]


def test_targets_are_one_tensor_that_names_them() -> None:
    [prediction] = described(
        {"prediction": {"height": 1.2, "weight": 3.4}}, {"prediction": {"height": 5, "weight": 6}}
    )
    assert prediction["shape"] == (2, 2)
    assert prediction["data"] == [1.2, 3.4, 5, 6]
    assert prediction["parameters"] == {"targets": '["height","weight"]'}


def test_a_member_that_some_row_lacks_is_not_a_tensor() -> None:
    assert [output["name"] for output in described({"prediction": 1, "label": "a"}, {"prediction": 2})] == [
        "prediction"
    ]


def test_a_tensor_as_bytes_has_its_size_and_no_data() -> None:
    [output] = output_tensors([{"prediction": 260.00012}], "float32")
    assert output.describe(binary=True) == {
        "name": "prediction",
        "datatype": "FP32",
        "shape": (1,),
        "parameters": {"binary_data_size": 4},
    }
    assert output.as_bytes() == struct.pack("<f", 260.00012)


def test_a_score_in_double_precision_keeps_it() -> None:
    [output] = output_tensors([{"prediction": 0.1 + 0.2}], "float64")
    assert output.describe(binary=False)["datatype"] == "FP64"
    assert output.as_bytes() == struct.pack("<d", 0.1 + 0.2)
