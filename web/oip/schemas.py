"""The requests and responses of the Open Inference Protocol, for the OpenAPI document."""

from typing import Annotated, Any, Literal, NotRequired

from pydantic import Field
from typing_extensions import TypedDict

from web.oip.elements import DATATYPES
from web.openapi.schemas import PredictionId


class LiveSchema(TypedDict):
    live: Literal[True]


class ReadySchema(TypedDict):
    ready: Literal[True]


class ServerSchema(TypedDict):
    name: str
    version: str
    extensions: list[str]


class IndexedSchema(TypedDict):
    name: str
    version: str
    state: Literal["READY"]
    reason: str


class TensorMetadataSchema(TypedDict):
    name: str
    datatype: str
    shape: list[int]


class ModelMetadataSchema(TypedDict):
    name: str
    versions: list[str]
    platform: str
    inputs: list[TensorMetadataSchema]
    outputs: list[TensorMetadataSchema]


class ModelReadySchema(TypedDict):
    name: str
    ready: Literal[True]


class TensorSchema(TypedDict):
    name: str
    datatype: str
    shape: list[int]
    data: NotRequired[Annotated[list[Any], Field(description="Row by row; absent if bytes were requested")]]
    parameters: NotRequired[dict[str, Any]]


class InferenceParametersSchema(TypedDict):
    job_id: PredictionId


class InferenceSchema(TypedDict):
    model_name: str
    model_version: str
    id: NotRequired[str]
    parameters: InferenceParametersSchema
    outputs: list[TensorSchema]


_INPUT = {
    "type": "object",
    "properties": {
        "name": {"type": "string", "description": "Of the feature"},
        "shape": {"type": "array", "items": {"type": "integer", "minimum": 1}, "minItems": 1},
        "datatype": {"enum": list(DATATYPES)},
        "data": {"type": "array"},
    },
    "required": ["name", "shape", "datatype", "data"],
}
INFER_REQUEST: dict[str, Any] = {
    "type": "object",
    "properties": {
        "id": {"type": ["string", "null"]},
        "inputs": {"type": "array", "items": _INPUT, "minItems": 1},
    },
    "required": ["inputs"],
}
"""Which tensors there must be is up to the model."""
