"""What a caller may send to be predicted."""

import json
from typing import Annotated, Any, NoReturn

import orjson
from flask import Request
from pydantic import BaseModel, ConfigDict, Field, StringConstraints, ValidationError, field_validator
from pydantic_core import PydanticCustomError

from model.schema import Fault
from web.problems import Problem

MOST_ROWS = 1_000

_Key = Annotated[str, StringConstraints(max_length=64)]
_Text = Annotated[str, StringConstraints(max_length=512)]


class PredictionBody(BaseModel):
    """`inputs` is one row or a list of 1 to 1,000; the schema of the model checks it further."""

    model_config = ConfigDict(extra="forbid", strict=True)

    model: str | None = None
    inputs: Any
    explain: bool = False
    metadata: Annotated[dict[_Key, _Text], Field(max_length=16)] = {}

    @field_validator("inputs")
    @classmethod
    def _rows(cls, inputs: Any) -> Any:
        if isinstance(inputs, dict) or (isinstance(inputs, list) and 1 <= len(inputs) <= MOST_ROWS):
            return inputs
        raise PydanticCustomError("rows", f"must be one row (an object) or a list of 1 to {MOST_ROWS:,} rows")


def read_json(request: Request) -> Any:
    """Raises Problem: 415 for another media type, 413 for too much, 400 for what is not JSON."""
    if request.mimetype != "application/json":
        raise Problem(415, "send application/json", headers={"Accept-Post": "application/json"})
    if request.headers.get("Content-Encoding", "identity") != "identity":
        raise Problem(415, "send the body as it is, without a Content-Encoding")
    body = request.get_data(cache=False)
    try:
        return orjson.loads(body)
    except orjson.JSONDecodeError:
        return _read_slowly(body)


def read_prediction(request: Request) -> PredictionBody:
    """Raises Problem (422) with all faults at once."""
    sent = read_json(request)
    try:
        return PredictionBody.model_validate(sent)
    except ValidationError as error:
        faults = [Fault(_pointer(fault["loc"]), fault["msg"]) for fault in error.errors(include_url=False)]
        raise Problem(422, "the body is not a request for a prediction; see errors", faults) from None


def _read_slowly(body: bytes) -> Any:
    """JSON all the same may be a number beyond any float, which the schema refuses in its place."""
    try:
        return json.loads(body, parse_constant=_refuse_constant)
    except (ValueError, RecursionError):
        raise Problem(400, "the body is not JSON, or is nested too deeply") from None


def _refuse_constant(name: str) -> NoReturn:
    raise ValueError(name)


def _pointer(location: tuple[int | str, ...]) -> str:
    names = [str(part).replace("~", "~0").replace("/", "~1") for part in location]
    return "".join(f"/{name}" for name in names)
