"""Steps come from a file, and nothing in it is trusted."""

import copy
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from paygrade.steps import After, Steps, StepsError

FEATURES: list[dict[str, Any]] = [
    {"name": "x", "type": "number", "dtype": "float64"},
    {"name": "city", "type": "category", "categories": ["a", "b"], "dtype": "object"},
]
ADD = {"do": "add", "by": [1], "dtype": "float64"}
GOOD: dict[str, Any] = {
    "steps": [
        {"kind": "lookup", "of": [1], "dtype": "float64", "results": [1, 2], "unknown": 0, "missing": None},
        {"kind": "one_hot", "of": [1], "width": 2, "results": [0, 1], "unknown": -1},
        {
            "kind": "lookup",
            "of": [0],
            "dtype": "float32",
            "values": [1, 2.5],
            "results": [1, 2],
            "unknown": 0,
        },
        {"kind": "scale", "of": [0], "dtype": "float64", "operations": [ADD]},
        {"kind": "impute", "of": [0], "dtype": "float64", "fill": [1], "missing": None},
        {"kind": "indicate", "of": [0, 1], "missing": None},
        {"kind": "function", "of": [0], "dtype": "float64", "name": "abs"},
        {"kind": "clip", "of": [0], "dtype": "float64", "low": 1},
        {"kind": "bin", "of": [0], "dtype": "float64", "edges": [1, 2]},
        {"kind": "threshold", "of": [0], "dtype": "float64", "threshold": 1},
        {"kind": "quantile", "of": [0], "dtype": "float64", "quantiles": [1, 2], "references": [0, 1]},
        {"kind": "power", "of": [0], "dtype": "float64", "method": "yeo_johnson", "powers": [0.5]},
        {"kind": "product", "of": [0], "dtype": "float64", "terms": [[0, 0]]},
        {"kind": "sparse", "of": [0]},
        {"kind": "dense", "of": [0]},
    ],
    "output": [0, 2],
    "names": ["x", "city"],
}
AFTER: list[dict[str, Any]] = [
    {"kind": "scale", "dtype": "float32", "operations": [{"do": "divide", "by": [2], "dtype": "float64"}]},
    {"kind": "function", "dtype": "float32", "name": "expm1"},
    {"kind": "inverse_quantile", "dtype": "float32", "quantiles": [1, 2], "references": [0, 1]},
    {"kind": "calibration", "calibrators": [{"method": "sigmoid", "slope": 1, "intercept": 0}]},
]
JUNK = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=3),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=2),
    max_leaves=5,
)


def changed(steps: Any, path: tuple[Any, ...], value: Any) -> Any:
    """A copy with another value in one place; `...` as the value removes the member."""
    copied = copy.deepcopy(steps)
    place = copied
    for key in path[:-1]:
        place = place[key]
    if value is ...:
        del place[path[-1]]
    else:
        place[path[-1]] = value
    return copied


def test_steps_of_every_kind_are_read() -> None:
    assert Steps.from_dict(GOOD, FEATURES).sources == ((0,), (1,))
    assert not After.from_list(AFTER).exact


@pytest.mark.parametrize(
    ("path", "value", "message"),
    [
        (("steps",), {}, "steps: steps must be a list"),
        (("steps", 0), "lookup", "step 0 must be an object"),
        (("steps", 0, "kind"), "pickle", "step 0: kind must be one of"),
        (("steps", 0, "kind"), ["lookup"], "step 0: kind must be one of"),
        (("steps", 0, "of"), [99], "step 0 (lookup): of must be a list of whole numbers from 0 to 1"),
        (("steps", 0, "of"), [True], "step 0 (lookup): of must be a list of whole numbers"),
        (("steps", 0, "of"), [0, 1], "step 0 (lookup) needs one column, and is given 2"),
        (("steps", 0, "results"), [1], "step 0 (lookup): results must have 2 values, not 1"),
        (("steps", 0, "results"), [1, "2"], "step 0 (lookup): results must be a list of numbers"),
        (("steps", 0, "results"), [1, float("nan")], "step 0 (lookup): results must be a list of numbers"),
        (("steps", 0, "results"), [1, 10**400], "step 0 (lookup): results must be a list of numbers"),
        (("steps", 0, "texts"), 1, "step 0 (lookup)"),
        (("steps", 0, "dtype"), "object", "step 0 (lookup): dtype must be one of float32, float64"),
        (("steps", 0, "code"), "print()", "step 0 (lookup) has an unknown member: code"),
        (("steps", 1, "width"), 10**9, "step 1 (one_hot): width must be a whole number from 0 to"),
        (("steps", 1, "results"), [0, 2], "step 1 (one_hot): results must be whole numbers from -1 to 1"),
        (("steps", 1, "results"), [0, 0.5], "step 1 (one_hot): results must be whole numbers from -1 to 1"),
        (("steps", 2, "values"), [2, 1], "step 2 (lookup): values must ascend"),
        (("steps", 3, "of"), [1], "step 3 (scale) needs numbers, and is given text"),
        (("steps", 3, "operations", 0, "do"), "__import__", "an operation: do must be one of add, subtract"),
        (("steps", 3, "operations", 0, "by"), [], "an operation: by must have 1 values, not 0"),
        (("steps", 6, "name"), "system", "step 6 (function): name must be one of abs"),
        (("steps", 8, "edges"), [2, 1], "step 8 (bin): edges must ascend"),
        (("steps", 10, "references"), [], "step 10 (quantile): quantiles must have 0 values, not 2"),
        (("steps", 12, "terms"), [[1]], "step 12 (product): terms must be positions below 1"),
        (("steps", 12, "terms"), [[0] * 50], "step 12 (product): terms must be lists of at most 20"),
        (("steps", 12, "terms"), [0], "step 12 (product): terms must be lists"),
        (("steps", 8, "of"), [18], "step 8 (bin)"),
        (("output",), [0, 1], "steps: output must be columns of numbers, at least one"),
        (("output",), [], "steps: names must have 0 values, not 2"),
        (("names",), ["a", "a"], "steps: names must be texts, each different from the others"),
        (("names",), ["a", 1], "steps: names must be texts"),
        (("missing",), "NA", "steps: missing must be a number"),
        (("names",), ..., "steps lacks names"),
    ],
)
def test_what_is_wrong_is_named(path: tuple[Any, ...], value: Any, message: str) -> None:
    with pytest.raises(StepsError) as refused:
        Steps.from_dict(changed(GOOD, path, value), FEATURES)
    assert message in str(refused.value)
    assert "\n" not in str(refused.value)


def test_too_many_steps_and_columns_are_refused() -> None:
    with pytest.raises(StepsError, match="at most 20000 values, not 20001"):
        Steps.from_dict({**GOOD, "steps": [{"kind": "sparse", "of": [0]}] * 20_001}, FEATURES)
    wide = {"kind": "one_hot", "of": [1], "width": 99_999, "results": [0, 1]}
    with pytest.raises(StepsError, match="more than 200000 columns"):
        Steps.from_dict({**GOOD, "steps": [wide] * 3}, FEATURES)


@given(data=st.data())
def test_junk_in_any_place_is_refused_or_harmless(data: st.DataObject) -> None:
    number = data.draw(st.integers(0, len(GOOD["steps"]) - 1))
    member = data.draw(st.sampled_from(sorted(GOOD["steps"][number])))
    try:
        Steps.from_dict(changed(GOOD, ("steps", number, member), data.draw(JUNK)), FEATURES)
    except StepsError as refused:
        assert "\n" not in str(refused)  # noqa: PT017 - most junk is refused, some is valid


@given(data=st.data())
def test_junk_in_what_comes_after_is_refused_or_harmless(data: st.DataObject) -> None:
    number = data.draw(st.integers(0, len(AFTER) - 1))
    member = data.draw(st.sampled_from(sorted(AFTER[number])))
    try:
        After.from_list(changed(AFTER, (number, member), data.draw(JUNK)))
    except StepsError as refused:
        assert "\n" not in str(refused)  # noqa: PT017 - most junk is refused, some is valid
