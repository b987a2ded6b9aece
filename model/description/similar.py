"""Finds the name that a caller probably meant."""

from collections.abc import Iterable
from difflib import get_close_matches

MOST_NAMES = 1_000
"""Comparing with more names takes long."""


def similar_name(name: str, names: Iterable[str]) -> str | None:
    """Return the one of `names` that differs in case, spaces or few letters; None if there is none."""
    by_key = {folded(candidate): candidate for candidate in list(names)[:MOST_NAMES]}
    close = get_close_matches(folded(name), by_key, n=1, cutoff=0.75)
    return by_key[close[0]] if close else None


def folded(name: str) -> str:
    """Return the letters and digits of a name, without their case."""
    return "".join(character for character in name.casefold() if character.isalnum())
