"""Texts from bundles, in a document whose descriptions are read as Markdown."""

import re
from collections.abc import Mapping
from typing import Any

_MARKS = re.compile(r"[\\`*_{}\[\]()<>#+.!|~&:-]")


def with_plain_description(schema: Mapping[str, Any]) -> dict[str, Any]:
    """The schema of a feature; its description is shown as it is, with no link, image or HTML made of it."""
    description = schema.get("description")
    if description is None:
        return dict(schema)
    return {**schema, "description": _MARKS.sub(r"\\\g<0>", " ".join(description.split()))}
