"""What breaks callers is said: what they send is refused, or what they read is no longer there."""

import json
from pathlib import Path
from typing import Any

import pytest

from model.comparing.callers import breaking_changes
from model.description.manifest import Manifest

ROOMS = {"name": "rooms", "type": "number", "nullable": True}
KIND = {"name": "kind", "type": "category", "categories": ["flat", "house", "villa"], "nullable": True}
LIFT = {"name": "lift", "type": "boolean", "nullable": True}


def described(*features: dict[str, Any], **fields: Any) -> Manifest:
    """The description of a version that takes these features."""
    description: dict[str, Any] = {
        "name": "rent",
        "version": 1,
        "target": "rent",
        "unit": "euros",
        "objective": "reg:squarederror",
        "features": list(features or (ROOMS,)),
        "trees": 1,
        "metrics": {},
        "training": {},
        "xgboost": "3.2.0",
        "golden": {"rows": [golden(features or (ROOMS,))], "predictions": [1.0]},
        "sha256": "",
        **fields,
    }
    return Manifest.parse(json.dumps(description).encode(), Path(), "here")


def golden(features: tuple[dict[str, Any], ...]) -> dict[str, Any]:
    values = {"number": 1, "integer": 1, "boolean": True}
    return {each["name"]: values.get(each["type"]) or each["categories"][0] for each in features}


@pytest.mark.parametrize(
    ("before", "after", "said"),
    [
        ({}, {}, []),
        ({}, {"nullable": False}, ["rooms must not be null any more"]),
        ({}, {"type": "integer"}, ["rooms is of the type integer instead of number"]),
        ({}, {"type": "boolean"}, ["rooms is of the type boolean instead of number"]),
        ({"type": "integer"}, {"type": "number"}, []),
        ({}, {"maximum": 9}, ["rooms must be at most 9 instead of any number"]),
        ({"maximum": 9}, {"maximum": 8}, ["rooms must be at most 8 instead of 9"]),
        ({"minimum": 0}, {"minimum": 1}, ["rooms must be at least 1 instead of 0"]),
        ({"maximum": 8, "minimum": 1}, {"maximum": 9, "minimum": 0}, []),
        ({"maximum": 8}, {}, []),
        ({}, {"description": "How many", "observed": {"minimum": 0, "maximum": 1}}, []),
    ],
)
def test_a_feature_that_takes_less_breaks_callers(
    before: dict[str, Any], after: dict[str, Any], said: list[str]
) -> None:
    assert breaking_changes(described(ROOMS | before), described(ROOMS | after)) == said


def test_a_feature_that_callers_send_must_stay() -> None:
    assert breaking_changes(described(ROOMS, LIFT), described(ROOMS)) == ["lift is no longer a feature"]
    renamed = breaking_changes(described(ROOMS), described(ROOMS | {"name": "Rooms", "nullable": False}))
    assert renamed == ["rooms is no longer a feature", "Rooms is a new feature, and must be given"]


def test_a_new_feature_breaks_callers_only_if_it_must_be_given() -> None:
    assert breaking_changes(described(ROOMS), described(ROOMS, LIFT)) == []
    required = described(ROOMS, LIFT | {"nullable": False})
    assert breaking_changes(described(ROOMS), required) == ["lift is a new feature, and must be given"]


def test_categories_may_be_added_and_not_removed() -> None:
    fewer, more = KIND | {"categories": ["flat"]}, KIND | {"categories": ["villa", "flat", "house", "loft"]}
    assert breaking_changes(described(KIND), described(more)) == []
    assert breaking_changes(described(KIND), described(fewer)) == [
        "kind has no longer the categories house, villa"
    ]
    many = KIND | {"categories": [f"kind {number}" for number in range(9)]}
    assert breaking_changes(described(many), described(KIND)) == [
        "kind has no longer the categories kind 0, kind 1, kind 2 and 6 more"
    ]


def test_texts_for_missing_values_must_stay() -> None:
    before, after = described(missing_texts=["NA", "?"]), described(missing_texts=["NA"])
    assert breaking_changes(before, after) == ["? no longer stand for a missing value"]
    assert breaking_changes(after, before) == []


def test_texts_that_training_did_not_see_must_stay_valid() -> None:
    unseen = KIND | {"unseen": "missing"}
    assert breaking_changes(described(KIND), described(unseen | {"categories": ["flat"]})) == []
    said = breaking_changes(described(unseen), described(KIND))
    assert said == ["kind refuses texts that are not listed among its categories"]


@pytest.mark.parametrize(
    ("before", "after", "said"),
    [
        ({}, {"unit": "dollars"}, ["the unit is dollars instead of euros"]),
        ({}, {"unit": ""}, ["the unit is not named instead of euros"]),
        ({}, {"target": "price"}, ["the target is price instead of rent"]),
        ({}, {"explained": False}, ["it cannot be explained"]),
        ({"explained": False}, {}, []),
        ({}, {"transform": "log", "objective": "reg:absoluteerror"}, []),
        ({}, {"quantiles": [0.1, 0.5, 0.9]}, ["answers have now interval"]),
        ({"quantiles": [0.1, 0.5, 0.9]}, {}, ["answers have no longer interval"]),
        (
            {"quantiles": [0.1, 0.5, 0.9]},
            {"quantiles": [0.05, 0.5, 0.95]},
            ["the quantiles are 0.05, 0.5, 0.95 instead of 0.1, 0.5, 0.9"],
        ),
        (
            {"targets": ["rent", "size"]},
            {"targets": ["size", "rent"]},
            ["the targets are size, rent instead of rent, size"],
        ),
        (
            {"classes": ["no", "yes"], "objective": "binary:logistic"},
            {"classes": ["yes", "no"], "objective": "binary:logistic"},
            ["the classes are yes, no instead of no, yes"],
        ),
    ],
)
def test_other_answers_break_callers(before: dict[str, Any], after: dict[str, Any], said: list[str]) -> None:
    assert breaking_changes(described(**before), described(**after)) == said
