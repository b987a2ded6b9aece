"""The tags of --tags."""

import pytest

from ecs.errors import InvalidUsage
from ecs.tags import parse_tags


def test_tags_are_pairs_of_a_key_and_a_value() -> None:
    assert parse_tags("team=data,cost-center=42,note=") == {"team": "data", "cost-center": "42", "note": ""}


def test_without_the_option_tags_stay_and_an_empty_one_removes_them() -> None:
    assert parse_tags(None) is None
    assert parse_tags("") == {}


@pytest.mark.parametrize(
    "option", ["team", "=data", "aws:team=data", "t*=1", ",".join(f"k{n}=1" for n in range(51))]
)
def test_what_aws_refuses_is_refused(option: str) -> None:
    with pytest.raises(InvalidUsage, match="--tags"):
        parse_tags(option)
