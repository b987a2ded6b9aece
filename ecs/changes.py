"""A change set as readable rows: the action on each resource, and its cause."""

from collections.abc import Iterator
from dataclasses import asdict, dataclass
from typing import Any

_ACTIONS = {"Add": "add", "Remove": "remove", "Import": "import", "Dynamic": "may change"}
_HOLDS_DATA = ("AWS::EFS::FileSystem", "AWS::ElastiCache::ReplicationGroup", "AWS::S3::Bucket")
# A task definition never changes: CloudFormation registers a new revision and points the service to it.
_VERSIONED = "AWS::ECS::TaskDefinition"


@dataclass(frozen=True)
class ResourceChange:
    action: str
    resource: str
    type: str
    why: str

    def as_json(self) -> dict[str, str]:
        return asdict(self)


def parse_changes(page: dict[str, Any]) -> Iterator[ResourceChange]:
    """Reads one page of describe_change_set."""
    for each in page.get("Changes", []):
        change = each.get("ResourceChange")
        if change:
            yield ResourceChange(
                _action(change), change["LogicalResourceId"], change["ResourceType"], _why(change)
            )


def _action(change: dict[str, Any]) -> str:
    if change["Action"] != "Modify":
        return _ACTIONS.get(change["Action"], str(change["Action"]).lower())
    replacement = change.get("Replacement", "False")
    if replacement == "True":
        return "new version" if change["ResourceType"] == _VERSIONED else "replace"
    return "may replace" if replacement == "Conditional" else "change"


def _why(change: dict[str, Any]) -> str:
    """Lists each property that differs, with the parameters or resources that caused it."""
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


def resources_losing_data(changes: list[ResourceChange]) -> list[str]:
    return [
        change.resource
        for change in changes
        if change.type in _HOLDS_DATA and change.action in ("remove", "replace", "may replace")
    ]


def summarize(changes: list[ResourceChange]) -> str:
    """For example `3 to add, 1 to replace`."""
    counts: dict[str, int] = {}
    for change in changes:
        counts[change.action] = counts.get(change.action, 0) + 1
    return (
        ", ".join(f"{count} to {action}" for action, count in sorted(counts.items())) or "nothing to change"
    )
