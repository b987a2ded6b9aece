"""What a caller may send to be predicted: read, and all that is wrong with it said at once."""

import json
from functools import reduce
from typing import Annotated, Any, NamedTuple, NoReturn

import orjson
from flask import Request
from pydantic import BaseModel, ConfigDict, Field, StringConstraints, ValidationError, field_validator
from pydantic_core import PydanticCustomError

from jobs.predictions.record import Row
from model.description.catalog import Catalog
from model.description.manifest import Manifest
from model.description.schema import Fault, InvalidRows, member_of
from web.problems import Problem

MOST_ROWS, MOST_EXPLAINED = 1_000, 100
MOST_PAIRS = 16
LONGEST_INTEGER = 400
"""Digits; any longer is beyond every float, and slow to read."""

_Key = Annotated[str, StringConstraints(max_length=64)]
_Text = Annotated[str, StringConstraints(max_length=512)]
Metadata = Annotated[dict[_Key, _Text], Field(max_length=MOST_PAIRS)]


class PredictionBody(BaseModel):
    """`inputs` is one row or a list of 1 to 1,000; the schema of the model checks it further."""

    model_config = ConfigDict(extra="forbid", strict=True)

    model: str | None = None
    inputs: Any
    explain: Annotated[bool, Field(description=f"Of at most {MOST_EXPLAINED} rows")] = False
    metadata: Metadata = {}

    @field_validator("inputs")
    @classmethod
    def _rows(cls, inputs: Any) -> Any:
        if isinstance(inputs, dict) or (isinstance(inputs, list) and 1 <= len(inputs) <= MOST_ROWS):
            return inputs
        raise PydanticCustomError("rows", f"must be one row (an object) or a list of 1 to {MOST_ROWS:,} rows")


class PredictionRequest(NamedTuple):
    """A request for a prediction, checked: one row, or a list of rows, in the order of the features."""

    manifest: Manifest
    inputs: Row | list[Row]
    rows: int
    metadata: dict[str, str]
    explain: bool = False


def read_prediction(request: Request, catalog: Catalog) -> PredictionRequest:
    """Raises what read_json does, UnknownModel, or Problem (422) with all faults."""
    sent = read_json(request)
    try:
        body = PredictionBody.model_validate(sent)
    except ValidationError as error:
        faults = faults_in(error)
        if isinstance(sent, dict):
            faults += _further_faults(sent, catalog, {fault.pointer for fault in faults})
        raise _refused(faults) from None
    manifest, inputs = catalog.find(body.model), body.inputs
    if body.explain and (faults := _faults_of_explain(manifest, inputs)):
        raise _refused(faults + _faults_of_rows(manifest, inputs))
    if isinstance(inputs, list):
        rows = manifest.schema.check_rows(inputs)
        return PredictionRequest(manifest, rows, len(rows), body.metadata, body.explain)
    return PredictionRequest(manifest, manifest.schema.check_row(inputs), 1, body.metadata, body.explain)


def _refused(faults: list[Fault]) -> Problem:
    return Problem(422, "the body is not a request for a prediction; see errors", faults)


def _faults_of_explain(manifest: Manifest, inputs: Any) -> list[Fault]:
    faults = []
    if not manifest.explained:
        faults.append(Fault("/explain", f"{manifest.ref} gives no explanations"))
    if isinstance(inputs, list) and len(inputs) > MOST_EXPLAINED:
        detail = f"must have at most {MOST_EXPLAINED} rows if they are to be explained"
        faults.append(Fault("/inputs", detail))
    return faults


def _faults_of_rows(manifest: Manifest, inputs: Any) -> list[Fault]:
    try:
        if isinstance(inputs, list):
            manifest.schema.check_rows(inputs)
        else:
            manifest.schema.check_row(inputs)
    except InvalidRows as error:
        return error.faults
    return []


def read_json(request: Request) -> Any:
    """Raises Problem: 415 for another media type, 413 for too much, 400 for what is not JSON."""
    if request.mimetype != "application/json":
        raise Problem(415, "send application/json", headers={"Accept-Post": "application/json"})
    return parse_json(read_body(request))


def read_body(request: Request) -> bytes:
    """Raises Problem: 415 for an encoded one, 413 for too much."""
    if request.headers.get("Content-Encoding", "identity").lower() != "identity":
        raise Problem(415, "send the body as it is, without a Content-Encoding")
    return request.get_data()


def parse_json(body: bytes) -> Any:
    """Raises Problem (400) for what is not JSON."""
    try:
        return orjson.loads(body)
    except orjson.JSONDecodeError:
        return _read_slowly(body)


def _read_slowly(body: bytes) -> Any:
    """A number beyond any float is JSON all the same; the schema refuses it in its place."""
    try:
        read = json.loads(body.decode(), parse_constant=_refuse_constant, parse_int=_read_integer)
        json.dumps(read, ensure_ascii=False).encode()  # a lone surrogate is no text
    except (ValueError, RecursionError):
        raise Problem(400, "the body is not JSON, or is nested too deeply") from None
    return read


def _refuse_constant(name: str) -> NoReturn:
    raise ValueError(name)


def _read_integer(digits: str) -> float:
    return int(digits) if len(digits) <= LONGEST_INTEGER else float(digits)


def _further_faults(sent: dict[str, Any], catalog: Catalog, found: set[str]) -> list[Fault]:
    """What the model has against rows and `explain`, where something else is wrong already."""
    inputs, model = sent.get("inputs"), sent.get("model")
    if "/inputs" in found or not (model is None or isinstance(model, str)):
        return []
    manifest = catalog.find(model)
    of_explain = _faults_of_explain(manifest, inputs) if sent.get("explain") is True else []
    return of_explain + _faults_of_rows(manifest, inputs)


def faults_in(error: ValidationError) -> list[Fault]:
    return [Fault(_pointer(fault["loc"]), fault["msg"]) for fault in error.errors(include_url=False)]


def _pointer(location: tuple[int | str, ...]) -> str:
    return reduce(member_of, (str(part) for part in location if part != "[key]"), "")
