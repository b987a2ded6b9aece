"""Reads inference requests: JSON, followed by the tensors that are sent as bytes."""

import math
import re
from collections.abc import Iterable, Iterator, Sequence
from typing import Annotated, Any, NamedTuple

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator
from pydantic_core import PydanticCustomError

from model.description.manifest import Manifest
from model.description.schema import Fault, InvalidRows, Schema
from model.description.values import Value
from web.faults import faults_in
from web.oip.elements import DATATYPES, decode
from web.oip.outputs import MEMBERS, describe_outputs
from web.oip.tensors import FeatureTensor, flatten, read_rows
from web.problems import Problem
from web.requests import MAX_ROWS, ApiRequest, parse_json, read_body

JSON_LENGTH = "Inference-Header-Content-Length"
"""The header with the number of bytes of the JSON, where tensors follow."""
MAX_OUTPUTS = 100
MEDIA_TYPES = ("application/json", "application/octet-stream", "")
"""The client of Triton sends no Content-Type."""


class InferenceModel(BaseModel):
    """Unknown members are ignored: clients add their own."""

    model_config = ConfigDict(strict=True)


class TensorParameters(InferenceModel):
    binary_data_size: Annotated[int, Field(ge=0)] | None = None
    binary_data: bool | None = None
    binary_data_output: bool | None = None
    classification: Any = None
    shared_memory_region: Any = None

    @field_validator("classification", "shared_memory_region")
    @classmethod
    def _refuse(cls, given: Any) -> Any:
        if given is not None:
            raise PydanticCustomError("parameter", "is not supported")
        return given


class InputTensor(InferenceModel):
    name: str
    shape: Annotated[list[Annotated[int, Field(ge=1)]], Field(fail_fast=True)]
    datatype: str
    data: list[Any] | None = None
    parameters: TensorParameters | None = None

    @property
    def size(self) -> int | None:
        """How many of the bytes after the JSON belong to this tensor."""
        return self.parameters.binary_data_size if self.parameters else None

    @field_validator("shape")
    @classmethod
    def _rows(cls, shape: list[int]) -> list[int]:
        if len(shape) not in (1, 2) or shape[0] > MAX_ROWS:
            raise PydanticCustomError("shape", f"must be [n] or [n, features], n being 1 to {MAX_ROWS:,}")
        return shape

    @field_validator("datatype")
    @classmethod
    def _known(cls, datatype: str) -> str:
        if datatype not in DATATYPES:
            raise PydanticCustomError("datatype", f"must be one of {', '.join(DATATYPES)}")
        return datatype


class RequestedOutput(InferenceModel):
    name: str
    parameters: TensorParameters | None = None

    def binary(self, default: bool) -> bool:
        value = self.parameters.binary_data if self.parameters else None
        return default if value is None else value


class InferenceBody(InferenceModel):
    id: str | None = None
    inputs: Annotated[list[InputTensor], Field(min_length=1, fail_fast=True)]
    outputs: Annotated[list[RequestedOutput], Field(max_length=MAX_OUTPUTS, fail_fast=True)] | None = None
    parameters: TensorParameters | None = None

    def requested(self) -> dict[str, bool]:
        """Whether each output is requested as bytes; all outputs if none is named."""
        binary = bool(self.parameters and self.parameters.binary_data_output)
        if not self.outputs:
            return dict.fromkeys(MEMBERS, binary)
        return {output.name: output.binary(binary) for output in self.outputs}


class InferenceRequest(NamedTuple):
    """A valid request. `outputs` are the requested ones, and whether each is requested as bytes."""

    id: str | None
    rows: list[list[Value]]
    outputs: dict[str, bool]


def read_inference(request: ApiRequest, manifest: Manifest) -> InferenceRequest:
    """Raises Problem: 415 and 413 as read_body does, 400 for what is malformed, 422 with all faults."""
    json, appended = _parts(request)
    sent = parse_json(json)
    _check_count(sent, manifest.schema)
    try:
        body = InferenceBody.model_validate(sent)
    except ValidationError as error:
        raise Problem(
            422, "the body is not a valid inference request; see errors", faults_in(error)
        ) from None
    faults = list(_unknown(body.outputs or (), manifest))
    rows: list[list[Value]] = []
    try:
        rows = read_rows(manifest.schema, _tensors(body.inputs, appended))
    except InvalidRows as error:
        faults += error.faults
    if faults:
        raise Problem(422, "the tensors do not fit the model; see errors", faults)
    return InferenceRequest(body.id, rows, body.requested())


def _check_count(sent: Any, schema: Schema) -> None:
    """Raises InvalidRows for more tensors than can be right, before any of them is looked at."""
    tensors = sent.get("inputs") if isinstance(sent, dict) else None
    if isinstance(tensors, list) and len(tensors) > len(schema.names):
        raise InvalidRows([Fault("/inputs", "has more tensors than the model has features")])


def _parts(request: ApiRequest) -> tuple[bytes, bytes]:
    if request.mimetype not in MEDIA_TYPES:
        raise Problem(
            415,
            f"the body is {request.mimetype[:64]}; send application/json, or application/octet-stream with "
            "tensors as bytes",
        )
    length = request.headers.get(JSON_LENGTH)
    body = read_body(request)
    if length is None:
        return body, b""
    if not re.fullmatch("[0-9]{1,18}", length) or int(length) > len(body):
        raise Problem(400, f"{JSON_LENGTH} must be the number of bytes of the JSON at the start of the body")
    return body[: int(length)], body[int(length) :]


def _tensors(inputs: Sequence[InputTensor], appended: bytes) -> list[FeatureTensor]:
    """Raises InvalidRows, or Problem (400) if the bytes after the JSON do not match the tensors."""
    declared = sum(tensor.size or 0 for tensor in inputs)
    if declared != len(appended):
        raise Problem(
            400, f"the body has {len(appended)} bytes after the JSON, but its tensors declare {declared}"
        )
    tensors, faults, start = [], [], 0
    for number, sent in enumerate(inputs):
        end = start + (sent.size or 0)
        try:
            tensors.append(_tensor(sent, f"/inputs/{number}", appended[start:end]))
        except ValueError as error:
            faults.append(Fault(f"/inputs/{number}", str(error)))
        start = end
    if faults:
        raise InvalidRows(faults)
    return tensors


def _tensor(sent: InputTensor, pointer: str, appended: bytes) -> FeatureTensor:
    """Raises ValueError if the elements do not match the shape."""
    shape = tuple(sent.shape)
    if sent.data is None and sent.size is not None:
        elements = decode(sent.datatype, appended, math.prod(shape))
        return FeatureTensor(pointer, sent.name, shape, elements, binary=True)
    if sent.data is None or sent.size is not None:
        raise ValueError("must have either data or the parameter binary_data_size")
    elements, nested = flatten(sent.data, shape)
    return FeatureTensor(pointer, sent.name, shape, elements, nested)


def _unknown(outputs: Iterable[RequestedOutput], manifest: Manifest) -> Iterator[Fault]:
    known = {output["name"] for output in describe_outputs(manifest)}
    for number, output in enumerate(outputs):
        if output.name not in known:
            yield Fault(f"/outputs/{number}/name", "is not an output of this model", "unknown")
