"""What callers of one version would meet if their next request went to another one."""

from collections.abc import Iterator, Mapping
from typing import Any

from model.description.manifest import Manifest

WIDER: Mapping[str, tuple[str, ...]] = {"integer": ("integer", "number"), "boolean": ("boolean",)}
"""The types that take every value of a type; the other types take their own values only."""
LIMITS = (("minimum", "at least", 1), ("maximum", "at most", -1))


def breaking_changes(old: Manifest, new: Manifest) -> list[str]:
    """Return what is valid for the old version and not for the new, and what its answers lack or change."""
    before = {feature["name"]: feature for feature in old.schema.to_list()}
    after = {feature["name"]: feature for feature in new.schema.to_list()}
    changes = [f"{name} is no longer a feature" for name in before if name not in after]
    for name, feature in after.items():
        if name in before:
            changes += (f"{name} {change}" for change in _narrowed(before[name], feature))
        elif not feature.get("nullable"):
            changes.append(f"{name} is a new feature, and must be given")
    if texts := sorted(set(old.schema.missing_texts) - set(new.schema.missing_texts)):
        changes.append(f"{', '.join(texts)} no longer stand for a missing value")
    return [*changes, *_changed_outputs(old, new)]


def _narrowed(before: Mapping[str, Any], after: Mapping[str, Any]) -> Iterator[str]:
    kind = before["type"]
    if after["type"] not in WIDER.get(kind, (kind,)):
        yield f"is of the type {after['type']} instead of {kind}"
        return
    if before.get("nullable") and not after.get("nullable"):
        yield "must not be null any more"
    if kind == "category":
        yield from _narrowed_categories(before, after)
    for limit, words, sign in LIMITS:
        old, new = before.get(limit), after.get(limit)
        if new is not None and (old is None or sign * new > sign * old):
            yield f"must be {words} {new} instead of {'any number' if old is None else old}"


def _narrowed_categories(before: Mapping[str, Any], after: Mapping[str, Any]) -> Iterator[str]:
    """A text that is not listed is a fault, unless the feature says what else it is."""
    if after.get("unseen", "fault") != "fault":
        return
    if before.get("unseen", "fault") != "fault":
        yield "refuses texts that are not listed among its categories"
    listed = set(after["categories"])
    if lost := [text for text in before["categories"] if text not in listed]:
        more = f" and {len(lost) - 3} more" if len(lost) > 3 else ""
        yield f"has no longer the categories {', '.join(lost[:3])}{more}"


def _changed_outputs(old: Manifest, new: Manifest) -> Iterator[str]:
    if lost := [member for member in old.members if member not in new.members]:
        yield f"answers have no longer {', '.join(lost)}"
    if added := [member for member in new.members if member not in old.members]:
        yield f"answers have now {', '.join(added)}"
    if old.explained and not new.explained:
        yield "it cannot be explained"
    for what in ("target", "unit"):
        if (before := getattr(old, what)) != (after := getattr(new, what)):
            yield f"the {what} is {after or 'not named'} instead of {before or 'not named'}"
    for what in ("classes", "targets"):
        if list(getattr(old, what)) != list(getattr(new, what)):
            names = [", ".join(getattr(each, what)) or "not named" for each in (new, old)]
            yield f"the {what} are {names[0]} instead of {names[1]}"
    if list(old.quantiles) != list(new.quantiles) and old.quantiles and new.quantiles:
        quantiles = [", ".join(map(str, each.quantiles)) for each in (new, old)]
        yield f"the quantiles are {quantiles[0]} instead of {quantiles[1]}"
