"""The output of a row has every member of its kind of model, and no other."""

import json

import numpy as np
import pytest

from model.outputs import Explanation, Outputs
from worker.bundles import NOT_FINITE, explanation_members, output_rows


def floats(*values: object) -> "np.ndarray[tuple[int, ...], np.dtype[np.float32]]":
    return np.array(values, dtype=np.float32)


NUMBERS = np.array([1, 0])


@pytest.mark.parametrize(
    ("outputs", "first"),
    [
        (Outputs(floats(0.1, 2)), {"prediction": 0.1}),
        (Outputs(NUMBERS, probability=floats(0.9, 0.2)), {"prediction": 1, "probability": 0.9}),
        (
            Outputs(NUMBERS, probability=floats(0.9, 0.2), labels=["yes", "no"], classes=["no", "yes"]),
            {"prediction": 1, "label": "yes", "probability": 0.9},
        ),
        (
            Outputs(
                NUMBERS,
                labels=["b", "ä"],
                probabilities=floats([0.25, 0.75], [0.6, 0.4]),
                classes=["ä", "b"],
            ),
            {"prediction": 1, "label": "b", "probabilities": {"ä": 0.25, "b": 0.75}},
        ),
        (
            Outputs(floats(0.1, 2), interval=floats([0, 0.3], [1, 3])),
            {"prediction": 0.1, "interval": [0, 0.3]},
        ),
        (
            Outputs(floats([1.2, 3.4], [5, 6]), targets=["height", "größe"]),
            {"prediction": {"height": 1.2, "größe": 3.4}},
        ),
        (
            Outputs(np.array([[1, 0], [0, 0]]), probability=floats([0.9, 0.2], [0, 0]), targets=["a", "b"]),
            {"prediction": {"a": 1, "b": 0}, "probability": {"a": 0.9, "b": 0.2}},
        ),
    ],
)
def test_each_kind_of_model_has_its_members(outputs: Outputs, first: object) -> None:
    texts = output_rows(outputs, {})
    assert json.loads(texts[0]) == first
    assert len(texts) == 2


@pytest.mark.parametrize(
    "outputs",
    [
        Outputs(floats(1, np.nan)),
        Outputs(NUMBERS, probability=floats(1, np.inf)),
        Outputs(NUMBERS, probabilities=floats([0, 1], [np.nan, 1]), labels=["a", "b"], classes=["a", "b"]),
        Outputs(floats(1, 1), interval=floats([0, 1], [0, np.inf])),
        Outputs(floats([1, 2], [1, np.nan]), targets=["a", "b"]),
    ],
)
def test_a_value_that_is_not_finite_fails_its_row_alone(outputs: Outputs) -> None:
    first, second = output_rows(outputs, {1: ["a warning"]})
    assert "error" not in json.loads(first)
    assert second == NOT_FINITE


def test_an_explanation_names_each_feature() -> None:
    explanation = Explanation(floats([0.1, -2]), np.array([7.25]))
    [text] = output_rows(
        Outputs(floats(5.35)), {0: ["w"]}, explanation_members([b'"a"', b'"b c"'], explanation)
    )
    assert json.loads(text) == {
        "prediction": 5.35,
        "contributions": {"a": 0.1, "b c": -2},
        "base": 7.25,
        "warnings": ["w"],
    }
