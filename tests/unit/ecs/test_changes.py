"""A change set is read as its reader would say it."""

from typing import Any

import pytest

from ecs.changes import Change, changes_of, loses_data, summary


def change(action: str, kind: str = "AWS::ECS::Service", **more: Any) -> Change:
    page = {
        "Changes": [
            {"ResourceChange": {"Action": action, "LogicalResourceId": "It", "ResourceType": kind, **more}}
        ]
    }
    [only] = changes_of(page)
    return only


@pytest.mark.parametrize(
    ("action", "replacement", "said"),
    [
        ("Add", None, "add"),
        ("Remove", None, "remove"),
        ("Modify", "False", "change"),
        ("Modify", "True", "replace"),
        ("Modify", "Conditional", "perhaps replace"),
    ],
)
def test_what_happens_is_one_word(action: str, replacement: str | None, said: str) -> None:
    assert change(action, **({"Replacement": replacement} if replacement else {})).action == said


def test_a_task_definition_is_not_replaced_but_has_a_new_version() -> None:
    assert change("Modify", "AWS::ECS::TaskDefinition", Replacement="True").action == "new version"


def test_why_names_each_property_and_what_made_it_differ() -> None:
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


def test_a_change_that_is_of_no_resource_is_left_out() -> None:
    assert list(changes_of({"Changes": [{"Type": "Hook"}]})) == []


def test_data_is_lost_with_what_holds_it() -> None:
    gone = change("Remove", "AWS::EFS::FileSystem")
    made_anew = change("Modify", "AWS::ElastiCache::ReplicationGroup", Replacement="Conditional")
    harmless = change("Modify", "AWS::EFS::FileSystem", Replacement="False")
    assert loses_data([gone, made_anew, harmless, change("Remove")]) == ["It", "It"]


def test_the_summary_counts() -> None:
    assert summary([change("Add"), change("Add"), change("Remove")]) == "2 to add, 1 to remove"
    assert summary([]) == "nothing to change"
