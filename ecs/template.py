"""The templates, as CloudFormation gets them and as Python reads them."""

from pathlib import Path
from typing import Any

import yaml

from ecs.errors import BadInput

TEMPLATES = Path(__file__).parent / "templates"
LARGEST = 51_200
"""Bytes that CloudFormation takes without a bucket."""


class _Loader(yaml.SafeLoader):
    """Short forms as long ones: !Ref X is {"Ref": X}, !GetAtt A.B is {"Fn::GetAtt": "A.B"}."""


def _long_form(loader: yaml.SafeLoader, suffix: str, node: yaml.Node) -> dict[str, Any]:
    name = suffix if suffix in ("Ref", "Condition") else f"Fn::{suffix}"
    if isinstance(node, yaml.ScalarNode):
        return {name: loader.construct_scalar(node)}
    if isinstance(node, yaml.SequenceNode):
        return {name: loader.construct_sequence(node, deep=True)}
    assert isinstance(node, yaml.MappingNode)  # noqa: S101 (there is no fourth kind)
    return {name: loader.construct_mapping(node, deep=True)}


_Loader.add_multi_constructor("!", _long_form)


class Template:
    """One of ecs/templates, by name."""

    def __init__(self, name: str, folder: Path = TEMPLATES) -> None:
        self.body = (folder / f"{name}.yaml").read_text()
        if len(self.body.encode()) > LARGEST:
            raise BadInput(
                f"{name}.yaml is larger than CloudFormation takes ({LARGEST} bytes)", "make it smaller"
            )
        self.parsed: dict[str, Any] = yaml.load(self.body, _Loader)  # noqa: S506 (a SafeLoader)

    @property
    def parameters(self) -> dict[str, dict[str, Any]]:
        parameters: dict[str, dict[str, Any]] = self.parsed["Parameters"]
        return parameters
