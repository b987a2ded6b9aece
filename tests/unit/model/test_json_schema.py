"""The JSON Schema of a row and the check of a row are of one mind."""

import json
import re
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from model.description.feature import Feature
from model.description.grammar import BEYOND_FLOAT32
from model.description.schema import InvalidRows, Schema

LIMITS = st.none() | st.integers(-2000, 2000) | st.floats(-100, 100).map(lambda limit: round(limit, 2))


@st.composite
def features(draw: st.DrawFn) -> Feature:
    kind = draw(st.sampled_from(["number", "integer", "boolean", "category"]))
    fields: dict[str, Any] = {"name": "x", "type": kind, "nullable": draw(st.booleans())}
    if kind == "category":
        fields["categories"] = ["gas", "oil", ""]
    if kind in ("number", "integer"):
        low, high = draw(LIMITS), draw(LIMITS)
        if low is not None and high is not None and low > high:
            low, high = high, low
        fields |= {"minimum": low, "maximum": high}
    return Feature.from_dict(fields)


NUMBERS = (
    st.integers()
    | st.integers(-2000, 2000)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.sampled_from([2.0, -0.0, 1e38, -3.4e38, BEYOND_FLOAT32, -BEYOND_FLOAT32, 2**127, 10**400])
)
PLAIN = st.from_regex(r"-?[0-9]{1,4}(\.[0-9]{1,2})?", fullmatch=True)
WRITTEN = st.from_regex(r"[ \t\n\r]?[+-]?[0-9]{1,40}(\.[0-9]{1,3})?([eE][+-]?[0-9]{1,3})?\s?", fullmatch=True)
OTHERS = (
    st.none()
    | st.booleans()
    | st.text()
    | st.sampled_from(["gas", "oil ", "true", " false\n", "True", [], {}])
)
VALUES = NUMBERS | PLAIN | WRITTEN | OTHERS


def check_accepts(schema: Schema, row: object) -> bool:
    try:
        schema.check_row(row)
    except InvalidRows:
        return False
    return True


def says(schema: Schema, row: object) -> bool:
    return Draft202012Validator(schema.to_json_schema()).is_valid(row)


def beyond_a_pattern(feature: Feature, value: object) -> bool:
    """Text of a number that the schema may leave out, as it says of itself."""
    if feature.type not in ("number", "integer") or not isinstance(value, str):
        return False
    whole, _, exponent = value.strip().lower().partition("e")
    limits = [limit for limit in (feature.minimum, feature.maximum) if limit is not None]
    near_a_limit = any(limit % 1 and abs(limit - float(value)) < 1 for limit in limits)
    return bool(exponent) or near_a_limit or len(re.sub(r"\..*", "", whole.lstrip("-"))) > 38


@given(features(), VALUES)
def test_what_the_schema_accepts_the_check_accepts(feature: Feature, value: object) -> None:
    schema = Schema([feature])
    if says(schema, {"x": value}):
        assert check_accepts(schema, {"x": value})


@given(features(), st.data())
def test_text_made_from_the_pattern_is_accepted(feature: Feature, data: st.DataObject) -> None:
    schema = Schema([feature])
    pattern = schema.to_json_schema()["properties"]["x"].get("pattern")
    if pattern:
        value = data.draw(st.from_regex(pattern))
        assert check_accepts(schema, {"x": value}), value


@given(features(), VALUES)
def test_what_the_check_accepts_the_schema_accepts_but_for_some_text(feature: Feature, value: object) -> None:
    schema = Schema([feature])
    if check_accepts(schema, {"x": value}) and not beyond_a_pattern(feature, value):
        assert says(schema, {"x": value})


@pytest.mark.parametrize(
    ("kind", "text"),
    [
        ("number", "2e10"),
        ("number", "-1.5E-400"),
        ("integer", "2.0"),
        ("integer", "2e0"),
        ("boolean", " true\n"),
    ],
)
def test_text_of_a_value_is_a_value(kind: str, text: str) -> None:
    schema = Schema([Feature("x", kind)])
    assert says(schema, {"x": text})
    assert check_accepts(schema, {"x": text})


def test_a_member_too_few_or_too_many_is_refused() -> None:
    schema = Schema([Feature("area", "number"), Feature("rooms", "integer")])
    assert says(schema, {"area": 1, "rooms": 2})
    wrong: list[object] = [{"area": 1}, {"area": 1, "rooms": 2, "lift": True}, [], "area", None]
    for row in wrong:
        assert not says(schema, row)


def test_a_schema_is_json_and_is_one() -> None:
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
