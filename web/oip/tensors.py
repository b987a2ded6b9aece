"""Converts tensors to rows: a tensor for each feature, or one tensor with a row of numbers for each row."""

from collections.abc import Iterator, Mapping, Sequence
from itertools import chain
from typing import Any, NamedTuple

from model.description.features import NUMERIC, Feature
from model.description.schema import Fault, InvalidRows, Schema
from model.description.values import Value


class FeatureTensor(NamedTuple):
    """The elements row by row, and a pointer to the tensor in the request."""

    pointer: str
    name: str
    shape: tuple[int, ...]
    elements: Sequence[Any]
    nested: bool = False
    """Whether the data came as a list for each row."""
    binary: bool = False
    """Whether the data came as bytes, which have no null."""

    @property
    def rows(self) -> int:
        return self.shape[0]

    @property
    def width(self) -> int:
        return self.shape[1] if len(self.shape) > 1 else 1


class TensorColumn(NamedTuple):
    """The part of a tensor that belongs to one feature."""

    tensor: FeatureTensor
    number: int

    def values(self, feature: Feature) -> list[Any]:
        values = list(self.tensor.elements[self.number :: self.tensor.width])
        if self.tensor.binary and feature.nullable and "" not in feature.categories:
            return [None if value == "" else value for value in values]  # like an empty field in CSV
        return values

    def pointer_to(self, row: int) -> str:
        """A pointer to the value of a row. Elements sent as bytes are counted as if they were in `data`."""
        tensor = self.tensor
        index = f"{row}/{self.number}" if tensor.nested else row * tensor.width + self.number
        return f"{tensor.pointer}/data/{index}"


def flatten(data: list[Any], shape: Sequence[int]) -> tuple[list[Any], bool]:
    """The elements, and whether they came as a list for each row. Raises ValueError for another shape."""
    rows, width = (*shape, 1)[:2]
    nested = len(shape) > 1 and any(isinstance(row, list) for row in data)
    if not nested:
        if len(data) != rows * width:
            raise ValueError(f"holds {len(data)} elements, but its shape has {rows * width}")
        return data, False
    if len(data) != rows or any(not isinstance(row, list) or len(row) != width for row in data):
        raise ValueError(f"must hold {rows} lists of {width}, or all elements in one list")
    return list(chain.from_iterable(data)), True


def read_rows(schema: Schema, tensors: Sequence[FeatureTensor]) -> list[list[Value]]:
    """Rows in the order of the features. Raises InvalidRows, whose faults point at tensors and elements."""
    columns = _columns(schema, tensors)
    by_feature = [columns[feature.name].values(feature) for feature in schema.features]
    rows = [dict(zip(schema.names, values, strict=True)) for values in zip(*by_feature, strict=True)]
    try:
        return schema.check_rows(rows, pointer="")
    except InvalidRows as error:
        raise InvalidRows([_point_at_element(fault, columns) for fault in error.faults]) from None


def _columns(schema: Schema, tensors: Sequence[FeatureTensor]) -> dict[str, TensorColumn]:
    first, width = tensors[0], len(schema.names)
    if len(tensors) == 1 and first.name not in schema.names and first.shape[1:] == (width,):
        for feature in schema.features:
            if feature.type not in NUMERIC:
                detail = (
                    f"holds all features, but {feature.name} is not a number; send a tensor for each feature"
                )
                raise InvalidRows([Fault(first.pointer, detail)])
        return {name: TensorColumn(first, number) for number, name in enumerate(schema.names)}
    columns = {tensor.name: TensorColumn(tensor, 0) for tensor in tensors}
    faults = list(_faults(schema, tensors, columns))
    if faults:
        raise InvalidRows(faults)
    return columns


def _faults(
    schema: Schema, tensors: Sequence[FeatureTensor], columns: Mapping[str, TensorColumn]
) -> Iterator[Fault]:
    known = frozenset(schema.names)
    for tensor in tensors:
        if tensor.name not in known:
            yield Fault(f"{tensor.pointer}/name", "is not a feature of this model", "unknown")
        elif columns[tensor.name].tensor is not tensor:
            yield Fault(f"{tensor.pointer}/name", "is repeated")
        elif tensor.width != 1:
            yield Fault(f"{tensor.pointer}/shape", "must be [n] or [n, 1]")
        elif tensor.rows != tensors[0].rows:
            yield Fault(
                f"{tensor.pointer}/shape", f"must have {tensors[0].rows} rows, as the first tensor has"
            )
    for name in schema.names:
        if name not in columns:
            yield Fault("/inputs", f"has no tensor {name}", "missing")


def _point_at_element(fault: Fault, columns: Mapping[str, TensorColumn]) -> Fault:
    """The fault of a row, with a pointer to the element of the tensor instead."""
    if not fault.pointer:  # the fault that says that there are more
        return fault._replace(pointer="/inputs")
    row, _, name = fault.pointer[1:].partition("/")
    column = columns[name.replace("~1", "/").replace("~0", "~")]
    return fault._replace(pointer=column.pointer_to(int(row)))
