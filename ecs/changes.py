"""A change set as rows that can be read: what is done to which resource, and why."""

from collections.abc import Iterator
from dataclasses import asdict, dataclass
from typing import Any

_ACTIONS = {"Add": "add", "Remove": "remove", "Import": "take in", "Dynamic": "perhaps"}
_HOLDS_DATA = ("AWS::EFS::FileSystem", "AWS::ElastiCache::ReplicationGroup", "AWS::S3::Bucket")
# A task definition is never changed: each version of it is a new one, and services are switched to it.
_VERSIONED = "AWS::ECS::TaskDefinition"


@dataclass(frozen=True)
class Change:
    action: str
    resource: str
    type: str
    why: str

    def as_json(self) -> dict[str, str]:
        return asdict(self)


def changes_of(page: dict[str, Any]) -> Iterator[Change]:
    for each in page.get("Changes", []):
        change = each.get("ResourceChange")
        if change:
            yield Change(_action(change), change["LogicalResourceId"], change["ResourceType"], _why(change))


def _action(change: dict[str, Any]) -> str:
    if change["Action"] != "Modify":
        return _ACTIONS.get(change["Action"], str(change["Action"]).lower())
    replaced = change.get("Replacement", "False")
    if replaced == "True":
        return "new version" if change["ResourceType"] == _VERSIONED else "replace"
    return "perhaps replace" if replaced == "Conditional" else "change"


def _why(change: dict[str, Any]) -> str:
    """Each property that differs, with what made it differ."""
    reasons: dict[str, list[str]] = {}
    for detail in change.get("Details", []):
        target = detail.get("Target", {})
        name = target.get("Name") or target.get("Attribute", "")
        causes = reasons.setdefault(name, [])
        cause = detail.get("CausingEntity", "")
        if cause and cause not in causes:
            causes.append(cause)
    return ", ".join(
        f"{name} (by {', '.join(causes)})" if causes else name for name, causes in sorted(reasons.items())
    )


def loses_data(changes: list[Change]) -> list[str]:
    """Resources that go or are made anew, with what is in them."""
    return [
        change.resource
        for change in changes
        if change.type in _HOLDS_DATA and change.action in ("remove", "replace", "perhaps replace")
    ]


def summary(changes: list[Change]) -> str:
    """`3 to add, 1 to replace`."""
    counts: dict[str, int] = {}
    for change in changes:
        counts[change.action] = counts.get(change.action, 0) + 1
    return (
        ", ".join(f"{count} to {action}" for action, count in sorted(counts.items())) or "nothing to change"
    )
