"""Aliases name one version each; retired versions are not offered, and deleted numbers never come back."""

import re

import pytest

from model.description.errors import LifecycleError
from model.description.lifecycle import MAX_HISTORY, Lifecycle, check_alias, next_version


def test_an_alias_names_the_version_that_it_was_last_given() -> None:
    lifecycle = Lifecycle().with_alias("champion", 1).with_alias("champion", 3).with_alias("next", 4)
    assert lifecycle.aliases == {"champion": 3, "next": 4}
    assert lifecycle.aliases_of(3) == ["champion"]
    assert lifecycle.without_alias("next").aliases == {"champion": 3}


def test_rolling_back_leads_to_the_version_before_and_no_further_than_the_first() -> None:
    lifecycle = Lifecycle().with_alias("champion", 1).with_alias("champion", 2).with_alias("champion", 3)
    back = lifecycle.rolled_back("champion")
    assert back.aliases == {"champion": 2}
    assert back.rolled_back("champion").aliases == {"champion": 1}
    with pytest.raises(LifecycleError, match="named no version before"):
        back.rolled_back("champion").rolled_back("champion")


def test_rolling_back_passes_over_versions_that_are_no_longer_offered() -> None:
    lifecycle = Lifecycle().with_alias("champion", 1).with_alias("champion", 2).with_alias("champion", 3)
    assert lifecycle.with_retired(2).rolled_back("champion").aliases == {"champion": 1}
    with pytest.raises(LifecycleError, match="named no version before that is still offered"):
        lifecycle.with_retired(2).with_deleted(1).rolled_back("champion")


def test_naming_the_same_version_again_changes_nothing() -> None:
    lifecycle = Lifecycle().with_alias("champion", 1)
    assert lifecycle.with_alias("champion", 1) is lifecycle


def test_the_history_of_an_alias_is_limited() -> None:
    lifecycle = Lifecycle()
    for version in range(1, 100):
        lifecycle = lifecycle.with_alias("champion", version)
    assert len(lifecycle.history["champion"]) == MAX_HISTORY
    assert lifecycle.aliases == {"champion": 99}


@pytest.mark.parametrize(
    "alias", ["3", "v3", "latest", "newest", "Champion", "", "a@b", "a b", "é", "a" * 64, "-a"]
)
def test_an_alias_that_looks_like_a_version_or_cannot_be_in_a_name_is_refused(alias: str) -> None:
    with pytest.raises(LifecycleError, match="cannot be an alias"):
        check_alias(alias)


@pytest.mark.parametrize("alias", ["champion", "a", "v", "v3-eu", "eu_2", "a" * 63])
def test_other_words_are_aliases(alias: str) -> None:
    check_alias(alias)


def test_a_version_that_an_alias_names_is_neither_retired_nor_deleted() -> None:
    lifecycle = Lifecycle().with_alias("champion", 2)
    for change in (lifecycle.with_retired, lifecycle.with_deleted):
        with pytest.raises(LifecycleError, match="version 2 is what the alias champion names"):
            change(2)


def test_no_alias_names_a_version_that_is_retired_or_deleted() -> None:
    with pytest.raises(LifecycleError, match="version 2 is retired"):
        Lifecycle().with_retired(2).with_alias("champion", 2)
    with pytest.raises(LifecycleError, match="version 2 is deleted"):
        Lifecycle().with_deleted(2).with_alias("champion", 2)


def test_a_retired_version_can_be_offered_again_and_a_deleted_one_cannot() -> None:
    assert Lifecycle().with_retired(2).with_offered(2) == Lifecycle()
    with pytest.raises(LifecycleError, match="version 2 is deleted"):
        Lifecycle().with_deleted(2).with_offered(2)


def test_the_number_of_a_deleted_version_is_not_used_again() -> None:
    assert next_version([], Lifecycle()) == 1
    assert next_version([1, 2], Lifecycle().with_deleted(3)) == 4


def test_a_lifecycle_is_read_as_it_was_written() -> None:
    lifecycle = Lifecycle().with_alias("champion", 1).with_alias("champion", 3)
    lifecycle = lifecycle.with_retired(1).with_deleted(2)
    assert Lifecycle.parse(lifecycle.to_json(), "here") == lifecycle


@pytest.mark.parametrize(
    "text",
    [
        b"",
        b"[]",
        b"{}",
        b'{"aliases": [], "retired": [], "deleted": []}',
        b'{"aliases": {"champion": []}, "retired": [], "deleted": []}',
        b'{"aliases": {"3": [1]}, "retired": [], "deleted": []}',
        b'{"aliases": {"champion": ["next"]}, "retired": [], "deleted": []}',
        b'{"aliases": {"champion": [true]}, "retired": [], "deleted": []}',
        b'{"aliases": {"champion": [1]}, "retired": [0], "deleted": []}',
        b'{"aliases": {"champion": 1}, "retired": [], "deleted": []}',
        b"[" * 100_000,
    ],
)
def test_anything_else_is_refused_in_one_line_that_says_where(text: bytes) -> None:
    with pytest.raises(LifecycleError, match=r"^here: is no valid lifecycle.json: ") as caught:
        Lifecycle.parse(text, "here")
    assert not re.search(r"\n", str(caught.value))
