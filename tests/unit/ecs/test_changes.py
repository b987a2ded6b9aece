"""A change set becomes readable rows."""

from typing import Any

import pytest

from ecs.changes import ResourceChange, parse_changes, resources_losing_data, summarize


def change(action: str, kind: str = "AWS::ECS::Service", **more: Any) -> ResourceChange:
    page = {
        "Changes": [
            {"ResourceChange": {"Action": action, "LogicalResourceId": "It", "ResourceType": kind, **more}}
        ]
    }
    [only] = parse_changes(page)
    return only


@pytest.mark.parametrize(
    ("action", "replacement", "shown"),
    [
        ("Add", None, "add"),
        ("Remove", None, "remove"),
        ("Modify", "False", "change"),
        ("Modify", "True", "replace"),
        ("Modify", "Conditional", "may replace"),
    ],
)
def test_the_action_is_named(action: str, replacement: str | None, shown: str) -> None:
    assert change(action, **({"Replacement": replacement} if replacement else {})).action == shown


def test_a_replaced_task_definition_is_shown_as_a_new_version() -> None:
    assert change("Modify", "AWS::ECS::TaskDefinition", Replacement="True").action == "new version"


def test_why_lists_each_property_with_its_causes() -> None:
    details = [
        {"Target": {"Attribute": "Properties", "Name": "ContainerDefinitions"}, "CausingEntity": "ImageTag"},
        {"Target": {"Attribute": "Properties", "Name": "ContainerDefinitions"}, "CausingEntity": "ImageTag"},
        {"Target": {"Attribute": "Properties", "Name": "Cpu"}, "CausingEntity": "WorkerCpu"},
        {"Target": {"Attribute": "Tags"}},
    ]
    assert (
        change("Modify", Details=details).why
        == "ContainerDefinitions (by ImageTag), Cpu (by WorkerCpu), Tags"
    )


def test_changes_of_other_things_than_resources_are_omitted() -> None:
    assert list(parse_changes({"Changes": [{"Type": "Hook"}]})) == []


def test_deleting_or_replacing_a_store_loses_its_data() -> None:
    removed = change("Remove", "AWS::EFS::FileSystem")
    replaced = change("Modify", "AWS::ElastiCache::ReplicationGroup", Replacement="Conditional")
    harmless = change("Modify", "AWS::EFS::FileSystem", Replacement="False")
    assert resources_losing_data([removed, replaced, harmless, change("Remove")]) == ["It", "It"]


def test_the_summary_counts_actions() -> None:
    assert summarize([change("Add"), change("Add"), change("Remove")]) == "2 to add, 1 to remove"
    assert summarize([]) == "nothing to change"
