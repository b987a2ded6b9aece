"""The CloudFormation templates: as text for CloudFormation, and parsed for Python."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml

from ecs.errors import InvalidUsage

TEMPLATES = Path(__file__).parent / "templates"
MAX_BYTES = 51_200
"""The largest template that CloudFormation accepts without an S3 bucket."""


class _Loader(yaml.SafeLoader):
    """Expands short forms: !Ref X becomes {"Ref": X}, !GetAtt A.B becomes {"Fn::GetAtt": "A.B"}."""


def _expand(loader: yaml.SafeLoader, suffix: str, node: yaml.Node) -> dict[str, Any]:
    name = suffix if suffix in ("Ref", "Condition") else f"Fn::{suffix}"
    if isinstance(node, yaml.ScalarNode):
        return {name: loader.construct_scalar(node)}
    if isinstance(node, yaml.SequenceNode):
        return {name: loader.construct_sequence(node, deep=True)}
    assert isinstance(node, yaml.MappingNode)  # noqa: S101 (YAML has no fourth kind of node)
    return {name: loader.construct_mapping(node, deep=True)}


_Loader.add_multi_constructor("!", _expand)


def _as_json(value: Any) -> Any:
    """JSON has no short form of Fn::GetAtt."""
    if isinstance(value, list):
        return [_as_json(each) for each in value]
    if not isinstance(value, dict):
        return value
    attribute = value.get("Fn::GetAtt")
    if isinstance(attribute, str):
        return {"Fn::GetAtt": attribute.split(".", 1)}
    return {key: _as_json(each) for key, each in value.items()}


class Template:
    """A file of ecs/templates, by its name without the suffix."""

    def __init__(self, name: str, folder: Path = TEMPLATES) -> None:
        text = (folder / f"{name}.yaml").read_text()
        self.parsed: dict[str, Any] = yaml.load(text, _Loader)  # noqa: S506 (a SafeLoader)
        # As JSON it takes a seventh less, without comments and indents.
        self.body = json.dumps(_as_json(self.parsed), separators=(",", ":"))
        size = len(self.body.encode())
        if size > MAX_BYTES:
            raise InvalidUsage(
                f"{name}.yaml has {size} bytes as JSON; CloudFormation accepts at most {MAX_BYTES}",
                "shorten the template",
            )

    @property
    def parameters(self) -> dict[str, dict[str, Any]]:
        parameters: dict[str, dict[str, Any]] = self.parsed["Parameters"]
        return parameters

    def values(self, given: Mapping[str, str]) -> dict[str, str]:
        """The value of each parameter that is given or has a default."""
        defaults = {name: str(each["Default"]) for name, each in self.parameters.items() if "Default" in each}
        return {**defaults, **given}


class ParameterizedTemplate:
    """A parsed template together with parameter values; a parameter without a value has its default."""

    def __init__(self, parsed: Mapping[str, Any], parameters: Mapping[str, str] | None = None) -> None:
        self._parsed = parsed
        self._resources = parsed["Resources"]
        self._parameters = {name: each.get("Default") for name, each in parsed["Parameters"].items()}
        self._parameters |= parameters or {}

    def parameter(self, name: str) -> str:
        return str(self._parameters[name])

    def properties(self, logical_id: str) -> dict[str, Any]:
        properties: dict[str, Any] = self._resources[logical_id]["Properties"]
        return properties

    def of_type(self, kind: str) -> list[dict[str, Any]]:
        """All resources of a type, such as ECS::Service."""
        return [each for each in self._resources.values() if each["Type"] == f"AWS::{kind}"]

    def changed(self, **parameters: str) -> "ParameterizedTemplate":
        return ParameterizedTemplate(self._parsed, self._parameters | parameters)

    def existing(self) -> dict[str, list[str]]:
        """The logical ids of the resources whose conditions hold, by type."""
        found: dict[str, list[str]] = {}
        for name, resource in self._resources.items():
            if "Condition" not in resource or self._holds(resource):
                found.setdefault(resource["Type"], []).append(name)
        return found

    def _holds(self, condition: Any) -> bool:
        """As CloudFormation evaluates it."""
        if "Condition" in condition:
            return self._holds(self._parsed["Conditions"][condition["Condition"]])
        [(function, values)] = condition.items()
        if function == "Fn::Equals":
            first, second = map(self._value, values)
            return first == second
        holding = [self._holds(each) for each in values]
        return {"Fn::Not": not holding[0], "Fn::And": all(holding), "Fn::Or": any(holding)}[str(function)]

    def _value(self, value: Any) -> str:
        """Of a literal, a parameter, an item of a list, or a list that is joined."""
        if not isinstance(value, dict):
            return str(value)
        [(function, given)] = value.items()
        if function == "Fn::Select":
            return self._value(given[1]).split(",")[int(given[0])]
        if function == "Fn::Join":
            return self._value(given[1]).replace(",", str(given[0]))
        return self.parameter(given)

    def number(self, value: Any) -> int:
        """Resolves a literal or a reference to a parameter."""
        return int(self._parameters[value["Ref"]] if isinstance(value, dict) else value)

    def container(self, logical_id: str) -> dict[str, Any]:
        """The only container of a task definition."""
        [container] = self.properties(logical_id)["ContainerDefinitions"]
        result: dict[str, Any] = container
        return result

    def attribute(self, logical_id: str, property_name: str, key: str) -> int:
        """The value of a key in a list of Key and Value pairs."""
        pairs = self.properties(logical_id)[property_name]
        return next(int(pair["Value"]) for pair in pairs if pair["Key"] == key)
