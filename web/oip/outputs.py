"""Scores as tensors: one for each member that the outputs of all rows have."""

from collections.abc import Mapping, Sequence
from itertools import chain
from typing import Any, NamedTuple

import orjson

from model.description.manifest import Manifest
from web.oip.elements import BYTES, encode

MEMBERS = ("prediction", "label", "probability", "probabilities", "interval")
"""The members of an output that are tensors. Warnings are not, since a row may have any number."""
DATATYPE_OF_SCORES = {"float32": "FP32", "float64": "FP64"}


class OutputTensor(NamedTuple):
    name: str
    datatype: str
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
            "datatype": self.datatype,
            "shape": self.shape,
            **data,
        }
        return {**described, "parameters": parameters} if parameters else described

    def as_bytes(self) -> bytes:
        return encode(self.datatype, self.elements)


def describe_outputs(manifest: Manifest) -> list[dict[str, Any]]:
    """The outputs in the metadata of the model."""
    return [
        {
            "name": name,
            "datatype": _datatype(name, manifest.scores),
            "shape": [-1] if width == 1 else [-1, width],
        }
        for name, width in manifest.members.items()
    ]


def output_tensors(rows: Sequence[Mapping[str, Any]], scores: str) -> list[OutputTensor]:
    """`rows` are the outputs of rows that were all scored; `scores` is the type of the model's scores."""
    names = (name for name in MEMBERS if all(name in row for row in rows))
    return [_output(name, _datatype(name, scores), [row[name] for row in rows]) for name in names]


def _datatype(name: str, scores: str) -> str:
    return BYTES if name == "label" else DATATYPE_OF_SCORES[scores]


def _output(name: str, datatype: str, values: Sequence[Any]) -> OutputTensor:
    first = values[0]
    parameters: dict[str, str | int] = {}
    if isinstance(first, dict):  # by class or by target, in the same order in each row
        of_each = "classes" if name == "probabilities" else "targets"
        parameters = {of_each: orjson.dumps(list(first)).decode()}
        values = [list(value.values()) for value in values]
    if isinstance(values[0], list):
        shape = (len(values), len(values[0]))
        return OutputTensor(name, datatype, shape, list(chain.from_iterable(values)), parameters)
    return OutputTensor(name, datatype, (len(values),), values, parameters)
