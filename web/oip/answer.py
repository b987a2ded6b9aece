"""The answer to an inference, and errors as clients of the protocol read them."""

from typing import Any

import orjson
from flask import Response, request

from jobs.predictions.resource import path_of
from model.description.manifest import Manifest
from model.description.schema import Fault
from web.answer import Answer
from web.blocking import Scored
from web.oip.inference import JSON_LENGTH, Inference
from web.oip.outputs import outputs_of
from web.problems import Problem

MOST_FAULTS_TOLD = 3


def inferred(inference: Inference, manifest: Manifest, scored: Scored) -> Response:
    """Raises Problem (422) if a row was not scored: a tensor cannot say so, and NaN may pass for a score."""
    rows = orjson.loads(scored.outputs)
    _check_scored(rows, scored.job_id)
    outputs, appended = [], []
    for output in outputs_of(rows):
        if output.name in inference.outputs:
            if inference.outputs[output.name]:
                appended.append(output.as_bytes())
            outputs.append(output.described(binary=inference.outputs[output.name]))
    answer: dict[str, Any] = {
        "model_name": manifest.name,
        "model_version": str(manifest.version),
        "parameters": {"job_id": scored.job_id},
        "outputs": outputs,
    }
    if inference.id is not None:
        answer["id"] = inference.id
    json = orjson.dumps(answer)
    if not appended:
        return Answer(json)
    headers = {JSON_LENGTH: str(len(json))}
    return Answer(b"".join([json, *appended]), headers=headers, content_type="application/octet-stream")


def _check_scored(rows: list[dict[str, Any]], job_id: str) -> None:
    faults = [
        Fault("/inputs", f"row {number}: {row['error']['detail']}")
        for number, row in enumerate(rows)
        if "error" in row
    ]
    if faults:
        raise Problem(422, f"not every row was scored; {path_of(job_id)} has those that were", faults)


def say_error(response: Response) -> Response:
    """Adds to problems under /v2 the member `error`: all that clients of the protocol show."""
    if response.status_code >= 400 and f"{request.path}/".startswith("/v2/"):
        problem = orjson.loads(response.data)
        faults = [f"{fault['pointer']} {fault['detail']}" for fault in problem.get("errors", ())]
        told = [problem["detail"], *faults[:MOST_FAULTS_TOLD]]
        if len(faults) > MOST_FAULTS_TOLD:
            told.append(f"{len(faults) - MOST_FAULTS_TOLD} more")
        response.data = orjson.dumps({**problem, "error": "; ".join(told)})
    return response
