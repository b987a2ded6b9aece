"""Every route but those of batches and of /v2, as the document has it."""

from collections.abc import Iterator

from jobs.predictions.status import PredictionStatus
from model.description.manifest import Manifest
from web.openapi.answers import JOB_ID
from web.openapi.jobs import Kind
from web.openapi.operation import HTML, JSON, Answer, Operation
from web.openapi.parameters import CANCEL_AFTER, FILE, ONCE, PREFER, WAIT, Parameter, in_path
from web.openapi.requests import Requests, name_of, ref_to
from web.recms import MODEL

_PREDICTIONS = Kind("prediction", "predictions", JOB_ID, PredictionStatus)


def _link(operation: str, description: str) -> Parameter:
    return {
        "operationId": operation,
        "description": description,
        "parameters": {"job_id": "$response.body#/id"},
    }


_LINKS = {
    "show": _link("showPrediction", "The job as it stands"),
    "cancel": _link("cancelPrediction", "Withdraw it"),
    "delete": _link("deletePrediction", "Remove it once it has ended"),
}


def operations(requests: Requests, manifests: tuple[Manifest, ...]) -> Iterator[Operation]:
    yield from _predictions(requests)
    yield from _models(manifests)
    yield from _recms(manifests)
    yield from _service()
    yield from _documents()


def _predictions(requests: Requests) -> Iterator[Operation]:
    yield _create(requests)
    yield _PREDICTIONS.listed("List your own predictions, the newest first", "PredictionList")
    shown = Answer("The job", "Prediction", always=("Cache-Control",), sometimes=("Retry-After",))
    canceled = Answer("It is canceled", "Prediction", always=("Cache-Control",))
    removed = Answer("It is removed")
    of_one = _PREDICTIONS.of_one
    yield of_one(
        "get", "", "showPrediction", "Show a prediction, or wait for its end", {200: shown}, (406,), WAIT
    )
    yield of_one(
        "post",
        "/cancel",
        "cancelPrediction",
        "Withdraw a prediction that is queued",
        {200: canceled},
        (406, 409),
    )
    yield of_one(
        "delete",
        "",
        "deletePrediction",
        "Remove a prediction that has ended, and its data",
        {204: removed},
        (409,),
    )


def _create(requests: Requests) -> Operation:
    return Operation(
        "post",
        _PREDICTIONS.path,
        "createPrediction",
        _PREDICTIONS.all,
        "Ask for the scores of one row, or of a list of rows",
        {
            200: Answer(
                "Ended within the wait that was asked for",
                "Prediction",
                always=("Preference-Applied", "Cache-Control"),
                sometimes=("Idempotency-Replayed",),
                links={name: _LINKS[name] for name in ("show", "delete")},
            ),
            202: Answer(
                "Accepted: recorded and in the line",
                "Prediction",
                always=("Location", "Cache-Control"),
                sometimes=("Retry-After", "Idempotency-Replayed"),
                links=_LINKS,
            ),
        },
        (404, 406, 409, 413, 415, 422, 429, 503),
        parameters=(PREFER, ONCE, CANCEL_AFTER),
        body={
            "required": True,
            "content": {JSON: {"schema": requests.body, "examples": requests.examples}},
        },
    )


def _models(manifests: tuple[Manifest, ...]) -> Iterator[Operation]:
    refs = sorted({ref for manifest in manifests for ref in (manifest.name, manifest.ref)})
    name = in_path(
        "name", "Name of a model, for its newest version, or name@version", {"type": "string", "enum": refs}
    )
    yield Operation(
        "get",
        "/v1/models",
        "listModels",
        "models",
        "List the models",
        {200: Answer("The newest version of each", "ModelList")},
        (406,),
    )
    yield Operation(
        "get",
        "/v1/models/{name}",
        "showModel",
        "models",
        "Show a model: the rows that it takes, and what it says of itself",
        {200: Answer("The model", "Model")},
        (404, 406),
        parameters=(name,),
    )


def _recms(manifests: tuple[Manifest, ...]) -> Iterator[Operation]:
    """Its rows are those of the newest version of one model; without that, nothing can be sent that fits."""
    newest = next((manifest for manifest in manifests if manifest.name == MODEL), None)
    schema = ref_to(name_of("Row", newest)) if newest else {"type": "object"}
    examples = {"row": {"summary": "a row", "value": newest.examples[0]}} if newest else {}
    yield Operation(
        "post",
        "/recms",
        "recms",
        "predictions",
        f"Score one row with the model {MODEL}, and wait for it",
        {200: Answer("The score", "Salary")},
        (404, 406, 413, 415, 422, 429, 503),
        body={"required": True, "content": {JSON: {"schema": schema, "examples": examples}}},
    )


def _service() -> Iterator[Operation]:
    answers = {200: Answer("It is", "Health")}
    yield Operation("get", "/healthz", "health", "service", "Is the process up?", answers, needs_key=False)
    yield Operation(
        "get",
        "/readyz",
        "readiness",
        "service",
        "Is Redis there? Workers may be at zero",
        answers,
        (503,),
        needs_key=False,
    )
    yield Operation(
        "get",
        "/v1/capacity",
        "capacity",
        "service",
        "How things stand: the lines, the workers, their rate",
        {200: Answer("How they stand", "Capacity", always=("Cache-Control",))},
        (406, 503),
    )
    yield Operation(
        "get",
        "/metrics",
        "metrics",
        "service",
        "Metrics of all processes together, for Prometheus",
        {200: Answer("Prometheus' text format, or OpenMetrics' by Accept", {"type": "string"}, "*/*")},
        (503,),
        needs_operate=True,
    )


def _documents() -> Iterator[Operation]:
    yield Operation(
        "get",
        "/openapi.json",
        "openapi",
        "service",
        "This document, with the rows of the models as they are now",
        {200: Answer("OpenAPI 3.1", {"type": "object", "required": ["openapi"]})},
        needs_key=False,
    )
    yield Operation(
        "get",
        "/",
        "start",
        "service",
        "Leads a browser to the page",
        {302: Answer("See /docs", None, always=("Location",))},
        needs_key=False,
    )
    yield Operation(
        "get",
        "/docs",
        "docs",
        "service",
        "This document as a page, on which each operation can be tried",
        {200: Answer("The page", {"type": "string"}, HTML, always=("Content-Security-Policy",))},
        needs_key=False,
    )
    yield Operation(
        "get",
        "/docs/{file}",
        "docsFile",
        "service",
        "A file of that page",
        {200: Answer("The file", {"type": "string"}, "*/*", always=("Cache-Control",))},
        (404,),
        parameters=(FILE,),
        needs_key=False,
    )
