"""What the values of options look like."""

import re

from ecs.errors import InvalidUsage

_TAG = re.compile(r"[A-Za-z0-9_][A-Za-z0-9._-]{0,127}")


def check_format(pattern: re.Pattern[str], option: str, value: str | None, example: str) -> None:
    """Accepts the empty text, which removes the current value."""
    if value and not pattern.fullmatch(value):
        raise InvalidUsage(f"{option} {value} is not valid", f"for example {option} {example}")


def check_tag(tag: str | None) -> str | None:
    """Returns the tag. Raises InvalidUsage if no image can have it."""
    if tag is not None and not _TAG.fullmatch(tag):
        raise InvalidUsage(
            f"--tag {tag!r} is not a valid image tag: use at most 128 letters, digits, '.', '_' and '-', "
            "starting with a letter, a digit or '_'",
            "for example --tag 1.4.0",
        )
    return tag


def choice(chosen: bool | None, yes: str, no: str) -> str | None:
    """None keeps the current value."""
    return None if chosen is None else yes if chosen else no
