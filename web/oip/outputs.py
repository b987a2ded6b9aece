"""What was scored, as tensors: one for each member that the output of every row has."""

from collections.abc import Mapping, Sequence
from itertools import chain
from typing import Any, NamedTuple

import orjson

from model.description.manifest import Manifest
from web.oip.elements import BYTES, encode

MEMBERS = {
    "prediction": "FP32",
    "label": BYTES,
    "probability": "FP32",
    "probabilities": "FP32",
    "interval": "FP32",
}
"""Those of an output that are tensors, and their datatypes. Warnings are none: there may be any number."""


class Output(NamedTuple):
    name: str
    shape: tuple[int, ...]
    elements: Sequence[Any]
    parameters: dict[str, str | int]

    def described(self, binary: bool) -> dict[str, Any]:
        """With its data in it, unless that follows as bytes."""
        parameters, data = dict(self.parameters), {}
        if binary:
            parameters["binary_data_size"] = len(self.as_bytes())
        else:
            data = {"data": self.elements}
        described = {"name": self.name, "datatype": MEMBERS[self.name], "shape": self.shape, **data}
        return {**described, "parameters": parameters} if parameters else described

    def as_bytes(self) -> bytes:
        return encode(MEMBERS[self.name], self.elements)


def described_outputs(manifest: Manifest) -> list[dict[str, Any]]:
    """As the metadata of the model lists them."""
    return [
        {"name": name, "datatype": MEMBERS[name], "shape": [-1] if width == 1 else [-1, width]}
        for name, width in manifest.members.items()
    ]


def outputs_of(rows: Sequence[Mapping[str, Any]]) -> list[Output]:
    """`rows` are the outputs of rows, all of them scored."""
    names = (name for name in MEMBERS if all(name in row for row in rows))
    return [_output(name, [row[name] for row in rows]) for name in names]


def _output(name: str, values: Sequence[Any]) -> Output:
    first = values[0]
    parameters: dict[str, str | int] = {}
    if isinstance(first, dict):  # by class, in the same order for each row
        parameters = {"classes": orjson.dumps(list(first)).decode()}
        values = [list(value.values()) for value in values]
    if isinstance(values[0], list):
        shape = (len(values), len(values[0]))
        return Output(name, shape, list(chain.from_iterable(values)), parameters)
    return Output(name, (len(values),), values, parameters)
