"""The JSON Schema of a row accepts the same rows as `Schema.check_row`."""

import json
import re
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from model.description.features import FLOAT32_LIMIT, Feature
from model.description.schema import InvalidRows, Schema

LIMITS = st.none() | st.integers(-2000, 2000) | st.floats(-100, 100).map(lambda limit: round(limit, 2))


@st.composite
def features(draw: st.DrawFn) -> Feature:
    kind = draw(st.sampled_from(["number", "integer", "boolean", "category", "date"]))
    fields: dict[str, Any] = {"name": "x", "type": kind, "nullable": draw(st.booleans())}
    if kind == "category":
        fields["categories"] = draw(
            st.sampled_from([["gas", "oil", ""], ["1", "2.0", "2.5", "03"], ["True", "-4", str(2**60)]])
        )
        fields["unseen"] = draw(st.sampled_from(["fault", "missing", "unknown"]))
    if kind in ("number", "integer"):
        low, high = draw(LIMITS), draw(LIMITS)
        if low is not None and high is not None and low > high:
            low, high = high, low
        fields |= {"minimum": low, "maximum": high}
    return Feature.from_dict(fields)


NUMBERS = (
    st.integers()
    | st.integers(-4, 4)
    | st.integers(-2000, 2000)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.sampled_from(
        [2.0, -0.0, 1e38, -3.4e38, FLOAT32_LIMIT, -FLOAT32_LIMIT, 2**127, 10**400, 2**60, 2.0**60, 2.5]
    )
)
SHORT_TEXTS = st.from_regex(r"-?[0-9]{1,4}(\.[0-9]{1,2})?", fullmatch=True)
NUMBER_TEXTS = st.from_regex(
    r"[ \t\n\r]?[+-]?([0-9]{1,40}(\.[0-9]{0,3})?|\.[0-9]{1,3})([eE][+-]?[0-9]{1,3})?\s?", fullmatch=True
)
OTHERS = (
    st.none()
    | st.booleans()
    | st.text()
    | st.sampled_from(["gas", "oil ", "true", " false\n", "True", "2", "NaN", "NA", [], {}])
)
DATES = (
    st.dates().map(str)
    | st.from_regex(r"[0-9]{4}-[0-1][0-9]-[0-3][0-9]", fullmatch=True)
    | st.sampled_from(
        ["2024-02-29", "2023-02-29", "1900-02-29", "2000-02-29", "0000-01-01", "2024-02-29T00:00"]
    )
)
VALUES = DATES | NUMBERS | SHORT_TEXTS | NUMBER_TEXTS | OTHERS


def check_accepts(schema: Schema, row: object) -> bool:
    try:
        schema.check_row(row)
    except InvalidRows:
        return False
    return True


def json_schema_accepts(schema: Schema, row: object) -> bool:
    return Draft202012Validator(schema.to_json_schema()).is_valid(row)


def may_be_left_out(feature: Feature, value: object) -> bool:
    """Return whether the patterns may leave this value out."""
    if feature.type == "category":
        return value not in (*feature.categories, True, False, *range(-4, 4))
    if feature.type not in ("number", "integer") or not isinstance(value, str):
        return False
    whole, _, exponent = value.strip().lower().partition("e")
    limits = [limit for limit in (feature.minimum, feature.maximum) if limit is not None]
    near_a_limit = any(limit % 1 and abs(limit - float(value)) < 1 for limit in limits)
    at_zero = bool(limits) and abs(float(value)) < 1  # such as .0 and 0.5
    return bool(exponent) or near_a_limit or at_zero or len(re.sub(r"\..*", "", whole.lstrip("+-"))) > 38


@given(features(), VALUES)
def test_the_check_accepts_whatever_the_json_schema_accepts(feature: Feature, value: object) -> None:
    schema = Schema([feature])
    if json_schema_accepts(schema, {"x": value}):
        assert check_accepts(schema, {"x": value})


@given(features(), st.data())
def test_the_check_accepts_text_that_matches_the_pattern(feature: Feature, data: st.DataObject) -> None:
    schema = Schema([feature])
    pattern = schema.to_json_schema()["properties"]["x"].get("pattern")
    if pattern:
        value = data.draw(st.from_regex(pattern))
        assert check_accepts(schema, {"x": value}), value


@given(features(), VALUES)
def test_the_json_schema_leaves_out_only_some_text(feature: Feature, value: object) -> None:
    schema = Schema([feature])
    if check_accepts(schema, {"x": value}) and not may_be_left_out(feature, value):
        assert json_schema_accepts(schema, {"x": value})


@pytest.mark.parametrize(
    ("kind", "text"),
    [
        ("number", ".5"),
        ("number", "5."),
        ("number", "+007"),
        ("boolean", "TRUE"),
        ("boolean", "1"),
        ("boolean", "0.0"),
        ("number", "2e10"),
        ("number", "-1.5E-400"),
        ("integer", "2.0"),
        ("integer", "2e0"),
        ("boolean", " true\n"),
    ],
)
def test_text_of_a_value_is_accepted(kind: str, text: str) -> None:
    schema = Schema([Feature("x", kind)])
    assert json_schema_accepts(schema, {"x": text})
    assert check_accepts(schema, {"x": text})


def test_texts_for_missing_values_are_part_of_the_json_schema() -> None:
    features = [
        Feature("area", "number", nullable=True, minimum=0.5),
        Feature("lift", "boolean", nullable=True),
        Feature("heating", "category", nullable=True, categories=("gas",)),
    ]
    schema = Schema(features, ["N.A.", "?"])
    row: dict[str, object] = {"area": "N.A.", "lift": " ?", "heating": "N.A."}
    for accepted in (row, {}, {**row, "area": "NaN"}, {**row, "heating": None}):
        assert json_schema_accepts(schema, accepted)
        assert check_accepts(schema, accepted)
    for refused in ({"area": "NbA."}, {"heating": "NaN"}):
        assert not json_schema_accepts(schema, refused)


def test_a_missing_or_unknown_member_is_refused() -> None:
    schema = Schema([Feature("area", "number"), Feature("rooms", "integer")])
    assert json_schema_accepts(schema, {"area": 1, "rooms": 2})
    wrong: list[object] = [{"area": 1}, {"area": 1, "rooms": 2, "lift": True}, [], "area", None]
    for row in wrong:
        assert not json_schema_accepts(schema, row)


def test_the_result_is_a_valid_json_schema() -> None:
    written = Schema(
        [
            Feature("area", "number", description="Square metres", minimum=0),
            Feature("lift", "boolean", nullable=True),
            Feature("heating", "category", categories=("gas",), nullable=True),
        ]
    ).to_json_schema()
    Draft202012Validator.check_schema(written)
    assert json.loads(json.dumps(written)) == written
    assert written["properties"]["area"]["description"] == "Square metres"
    assert written["properties"]["heating"] == {"enum": ["gas", None]}
