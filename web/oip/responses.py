"""The response to an inference, and errors as clients of the protocol read them."""

from typing import Any

import orjson

from jobs.predictions.resource import path_of
from model.description.manifest import Manifest
from model.description.schema import Fault
from web.app import JsonResponse
from web.oip.outputs import output_tensors
from web.oip.requests import JSON_LENGTH, InferenceRequest
from web.prediction_submission import Scored
from web.problems import Members, Problem

MAX_FAULTS = 3


def inference_response(inference: InferenceRequest, manifest: Manifest, scored: Scored) -> JsonResponse:
    """Raises Problem (422) if a row was not scored: a tensor has no errors, and NaN may pass for a score."""
    rows = orjson.loads(scored.outputs)
    _check_scored(rows, scored.job_id)
    outputs, appended = [], []
    for output in output_tensors(rows, manifest.scores):
        if output.name in inference.outputs:
            if inference.outputs[output.name]:
                appended.append(output.as_bytes())
            outputs.append(output.describe(binary=inference.outputs[output.name]))
    body: dict[str, Any] = {
        "model_name": manifest.name,
        "model_version": str(manifest.version),
        "parameters": {"job_id": scored.job_id},
        "outputs": outputs,
    }
    if inference.id is not None:
        body["id"] = inference.id
    json = orjson.dumps(body)
    if not appended:
        return JsonResponse(json)
    headers = {JSON_LENGTH: str(len(json))}
    return JsonResponse(b"".join([json, *appended]), headers=headers, content_type="application/octet-stream")


def _check_scored(rows: list[dict[str, Any]], job_id: str) -> None:
    faults = [
        Fault("/inputs", f"row {number}: {row['error']['detail']}")
        for number, row in enumerate(rows)
        if "error" in row
    ]
    if faults:
        raise Problem(
            422, f"some rows were not scored; {path_of(job_id)} has the scores of the others", faults
        )


def with_error_line(problem: Members) -> Members:
    """Adds the member `error`, the only one that clients of the protocol show."""
    faults = [f"{fault['pointer']} {fault['detail']}" for fault in problem.get("errors", ())]
    parts = [problem["detail"], *faults[:MAX_FAULTS]]
    if len(faults) > MAX_FAULTS:
        parts.append(f"{len(faults) - MAX_FAULTS} more")
    return {**problem, "error": "; ".join(parts)}
