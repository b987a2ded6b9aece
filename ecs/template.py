"""The CloudFormation templates: as text for CloudFormation, and parsed for Python."""

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


def _without_comments(text: str) -> str:
    """Comments are for readers of the file, and count among the bytes that CloudFormation accepts."""
    lines = [line for line in text.splitlines() if line.strip() and not line.lstrip().startswith("#")]
    return "\n".join(lines) + "\n"


class Template:
    """A file of ecs/templates, by its name without the suffix."""

    def __init__(self, name: str, folder: Path = TEMPLATES) -> None:
        text = (folder / f"{name}.yaml").read_text()
        self.body = _without_comments(text)
        size = len(self.body.encode())
        if size > MAX_BYTES:
            raise InvalidUsage(
                f"{name}.yaml has {size} bytes; CloudFormation accepts at most {MAX_BYTES}",
                "shorten the template",
            )
        self.parsed: dict[str, Any] = yaml.load(self.body, _Loader)  # noqa: S506 (a SafeLoader)

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
        self._resources = parsed["Resources"]
        self._parameters = {name: each.get("Default") for name, each in parsed["Parameters"].items()}
        self._parameters |= parameters or {}

    def parameter(self, name: str) -> str:
        return str(self._parameters[name])

    def properties(self, logical_id: str) -> dict[str, Any]:
        properties: dict[str, Any] = self._resources[logical_id]["Properties"]
        return properties

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
