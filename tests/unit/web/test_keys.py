"""The setting PAYGRADE_API_KEYS: its syntax, and errors that do not show the keys."""

import pytest

from jobs.errors import InvalidSettings
from web.keys import digest, parse_keys

HASH = digest("secret")


@pytest.mark.parametrize(("setting", "some"), [("", False), (" , ", False), (f" ann:{HASH} ,", True)])
def test_without_entries_there_are_no_keys(setting: str, some: bool) -> None:
    assert bool(parse_keys(setting)) is some


@pytest.mark.parametrize(
    "entry",
    [
        *("secret", "ann:secret", f"ann:{HASH[:-1]}", f"ann:{HASH.upper()}", f"Ann:{HASH}", f":{HASH}"),
        *(f"ann:{HASH}:admin", f"ann {HASH}", f"{'a' * 33}:{HASH}", f"ann:{HASH};bob:{HASH}"),
    ],
)
def test_an_entry_that_cannot_be_read_stops_the_start_without_showing_it(entry: str) -> None:
    with pytest.raises(InvalidSettings, match=r"^PAYGRADE_API_KEYS: each entry is name:sha256") as refused:
        parse_keys(f"ann:{HASH},{entry}")
    assert "secret" not in str(refused.value)
    assert HASH[:-1] not in str(refused.value)
