"""Scores as tensors: one for each member that the outputs of all rows have."""

from collections.abc import Mapping, Sequence
from itertools import chain
from typing import Any, NamedTuple

import orjson

from model.description.manifest import Manifest
from web.oip.elements import BYTES, encode

DATATYPE_OF_OUTPUT = {
    "prediction": "FP32",
    "label": BYTES,
    "probability": "FP32",
    "probabilities": "FP32",
    "interval": "FP32",
}
"""The members of an output that are tensors. Warnings are not, since a row may have any number."""


class OutputTensor(NamedTuple):
    name: str
    shape: tuple[int, ...]
    elements: Sequence[Any]
    parameters: dict[str, str | int]

    def describe(self, binary: bool) -> dict[str, Any]:
        """Includes the data, unless they follow as bytes."""
        parameters, data = dict(self.parameters), {}
        if binary:
            parameters["binary_data_size"] = len(self.as_bytes())
        else:
            data = {"data": self.elements}
        described = {
            "name": self.name,
            "datatype": DATATYPE_OF_OUTPUT[self.name],
            "shape": self.shape,
            **data,
        }
        return {**described, "parameters": parameters} if parameters else described

    def as_bytes(self) -> bytes:
        return encode(DATATYPE_OF_OUTPUT[self.name], self.elements)


def describe_outputs(manifest: Manifest) -> list[dict[str, Any]]:
    """The outputs in the metadata of the model."""
    return [
        {"name": name, "datatype": DATATYPE_OF_OUTPUT[name], "shape": [-1] if width == 1 else [-1, width]}
        for name, width in manifest.members.items()
    ]


def output_tensors(rows: Sequence[Mapping[str, Any]]) -> list[OutputTensor]:
    """`rows` are the outputs of rows that were all scored."""
    names = (name for name in DATATYPE_OF_OUTPUT if all(name in row for row in rows))
    return [_output(name, [row[name] for row in rows]) for name in names]


def _output(name: str, values: Sequence[Any]) -> OutputTensor:
    first = values[0]
    parameters: dict[str, str | int] = {}
    if isinstance(first, dict):  # probabilities by class, in the same order in each row
        parameters = {"classes": orjson.dumps(list(first)).decode()}
        values = [list(value.values()) for value in values]
    if isinstance(values[0], list):
        shape = (len(values), len(values[0]))
        return OutputTensor(name, shape, list(chain.from_iterable(values)), parameters)
    return OutputTensor(name, (len(values),), values, parameters)
