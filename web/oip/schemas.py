"""The responses of the Open Inference Protocol, for the OpenAPI document."""

from typing import Annotated, Any, Literal, NotRequired

from pydantic import Field
from typing_extensions import TypedDict

from web.openapi.schemas import JobId


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
    job_id: JobId


class InferenceSchema(TypedDict):
    model_name: str
    model_version: str
    id: NotRequired[str]
    parameters: InferenceParametersSchema
    outputs: list[TensorSchema]
