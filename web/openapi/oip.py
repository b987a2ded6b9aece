"""/v2, the Open Inference Protocol: its operations and answers, in short. A body is described for one row."""

from collections.abc import Iterator, Sequence
from typing import Annotated, Any, Literal, NotRequired

from pydantic import Field
from typing_extensions import TypedDict

from model.description.json_schema import feature_schema
from model.description.manifest import Manifest
from web.oip.elements import DATATYPES
from web.oip.routes import DATATYPES as DATATYPE_OF
from web.openapi.answers import JobId
from web.openapi.operation import JSON, Answer, Operation
from web.openapi.parameters import in_path

BYTES = "application/octet-stream"
TAG = "Open Inference Protocol"


class Live(TypedDict):
    live: Literal[True]


class Ready(TypedDict):
    ready: Literal[True]


class Server(TypedDict):
    name: str
    version: str
    extensions: list[str]


class Indexed(TypedDict):
    name: str
    version: str
    state: Literal["READY"]
    reason: str


class TensorMetadata(TypedDict):
    name: str
    datatype: str
    shape: list[int]


class ModelMetadata(TypedDict):
    name: str
    versions: list[str]
    platform: str
    inputs: list[TensorMetadata]
    outputs: list[TensorMetadata]


class ModelReady(TypedDict):
    name: str
    ready: Literal[True]


class Tensor(TypedDict):
    name: str
    datatype: str
    shape: list[int]
    data: NotRequired[Annotated[list[Any], Field(description="Row by row, unless bytes were asked for")]]
    parameters: NotRequired[dict[str, Any]]


class InferenceParameters(TypedDict):
    job_id: JobId


class Inference(TypedDict):
    model_name: str
    model_version: str
    id: NotRequired[str]
    parameters: InferenceParameters
    outputs: list[Tensor]


ANSWERS = (Live, Ready, Server, Indexed, ModelMetadata, ModelReady, Inference)


def operations(manifests: Sequence[Manifest]) -> Iterator[Operation]:
    names = sorted({manifest.name for manifest in manifests})
    name = in_path("name", "Name of a model", {"enum": names})
    version = in_path("version", "A version of it", {"type": "string", "pattern": "^[1-9][0-9]{0,8}$"})
    yield from _server()
    for path, parameters, suffix in (
        ("/v2/models/{name}", (name,), ""),
        ("/v2/models/{name}/versions/{version}", (name, version), "Version"),
    ):
        yield _get(path, f"oipModel{suffix}", "A model's tensors", "ModelMetadata", (404,), parameters)
        yield _get(
            f"{path}/ready",
            f"oipModelReady{suffix}",
            "Can the model be asked?",
            "ModelReady",
            (404, 503),
            parameters,
        )
    newest: set[str] = set()
    for manifest in manifests:
        if manifest.name not in newest:
            newest.add(manifest.name)
            yield _infer(f"/v2/models/{manifest.name}/infer", manifest, manifest.name)
        path = f"/v2/models/{manifest.name}/versions/{manifest.version}/infer"
        yield _infer(path, manifest, f"{manifest.name}.{manifest.version}")


def _server() -> Iterator[Operation]:
    yield _get("/v2", "oipServer", "The server", "Server")
    yield _get("/v2/", "oipServerSlash", "The server", "Server")
    yield _get("/v2/health/live", "oipLive", "Is the process up?", "Live", needs_key=False)
    yield _get("/v2/health/ready", "oipReady", "Is Redis there?", "Ready", (503,), needs_key=False)
    index = {"type": "array", "items": {"$ref": "#/components/schemas/Indexed"}}
    yield Operation(
        "post",
        "/v2/repository/index",
        "oipIndex",
        TAG,
        "Every version that is served",
        {200: Answer("They are", index)},
        (406,),
    )


def _get(
    path: str,
    operation: str,
    summary: str,
    answer: str,
    problems: Sequence[int] = (),
    parameters: Sequence[dict[str, Any]] = (),
    needs_key: bool = True,
) -> Operation:
    refused = (406, *problems) if needs_key else problems
    answers = {200: Answer(summary, answer)}
    return Operation(
        "get", path, operation, TAG, summary, answers, refused, parameters=parameters, needs_key=needs_key
    )


def _infer(path: str, manifest: Manifest, called: str) -> Operation:
    return Operation(
        "post",
        path,
        f"oipInfer.{called}",
        TAG,
        f"Score rows with {called}",
        {200: Answer("The scores", "Inference", also=(BYTES,))},
        (404, 406, 413, 415, 422, 429, 503),
        description="Here for one row; [n] takes as many, and tensors may be sent and had as bytes.",
        body={
            "required": True,
            "content": {
                JSON: {"schema": _body(manifest), "examples": {"row": {"value": _example(manifest)}}}
            },
        },
    )


def _body(manifest: Manifest) -> dict[str, Any]:
    tensors = [
        {
            "type": "object",
            "properties": {
                "name": {"const": feature.name},
                "shape": {"const": [1]},
                "datatype": {"enum": list(DATATYPES)},
                "data": {"type": "array", "items": feature_schema(feature), "minItems": 1, "maxItems": 1},
            },
            "required": ["name", "shape", "datatype", "data"],
        }
        for feature in manifest.schema.features
    ]
    size = len(tensors)
    inputs = {"type": "array", "prefixItems": tensors, "items": False, "minItems": size, "maxItems": size}
    return {
        "type": "object",
        "properties": {"id": {"type": ["string", "null"]}, "inputs": inputs},
        "required": ["inputs"],
    }


def _example(manifest: Manifest) -> dict[str, Any]:
    row = manifest.examples[0]
    return {
        "inputs": [
            {
                "name": feature.name,
                "shape": [1],
                "datatype": DATATYPE_OF[feature.type],
                "data": [row[feature.name]],
            }
            for feature in manifest.schema.features
        ]
    }
