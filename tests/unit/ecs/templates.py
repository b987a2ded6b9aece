"""Queries on the templates."""

import functools
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from ecs.template import Template

Properties = dict[str, Any]


@dataclass(frozen=True)
class Templates:
    base: dict[str, Any]
    app: dict[str, Any]
    events: dict[str, Any] = field(default_factory=lambda: Template("events").parsed)

    def of(self, kind: str) -> Iterator[tuple[str, Properties]]:
        """The names and properties of all resources of a type, such as ECS::Service."""
        for template in (self.base, self.app, self.events):
            for name, resource in template["Resources"].items():
                if resource["Type"] == f"AWS::{kind}":
                    yield name, resource.get("Properties", {})

    def containers(self) -> Iterator[tuple[str, Properties, Properties]]:
        for name, task in self.of("ECS::TaskDefinition"):
            for container in task["ContainerDefinitions"]:
                yield name, task, container

    def statements(self) -> Iterator[tuple[str, Properties]]:
        """Of roles, and of what is attached to them."""
        for name, role in self.of("IAM::Role"):
            for policy in (one for each in role.get("Policies", []) for one in branches(each)):
                yield from _statements(name, policy)
        for name, policy in self.of("IAM::ManagedPolicy"):
            yield from _statements(name, policy)


def _statements(name: str, policy: Properties) -> Iterator[tuple[str, Properties]]:
    for statements in policy["PolicyDocument"]["Statement"]:
        for statement in branches(statements):
            yield name, statement


@functools.cache
def shipped() -> Templates:
    return Templates(Template("base").parsed, Template("app").parsed)


def reference(value: Any) -> str:
    return str(value.get("Ref", "")) if isinstance(value, dict) else ""


def branches(value: Any) -> list[Any]:
    """The possible values: both sides of an Fn::If."""
    if isinstance(value, dict) and "Fn::If" in value:
        return [each for side in value["Fn::If"][1:] for each in branches(side)]
    return [] if reference(value) == "AWS::NoValue" else [value]


def as_list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]
