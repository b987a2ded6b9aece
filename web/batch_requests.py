"""Reads requests for batches: the options in the query or in JSON, and the pieces of a file's body."""

import re
from collections.abc import Callable, Iterator, Mapping
from typing import TYPE_CHECKING, Any, TypeVar

import gevent
from flask import Request
from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator
from pydantic_core import PydanticCustomError

from jobs.batches.record import BatchOptions
from jobs.files.gunzip import gunzip
from jobs.files.store import PIECE
from jobs.files.tables import ENCODINGS, ENDINGS, MEDIA_TYPES, Format, format_of
from model.description.catalog import Catalog
from model.description.manifest import Manifest
from model.description.schema import Fault
from web.batch_submission import BatchRequest
from web.errors import FileTooLong
from web.problems import Problem
from web.requests import (
    Metadata,
    faults_in,
    idempotency_key_of,
    no_explanations,
    read_cancel_after,
    read_json,
)

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIEnvironment

ACCEPTED = ", ".join(["application/json", *MEDIA_TYPES.values()])
_FORMATS = {media_type: kind for kind, media_type in MEDIA_TYPES.items()}
_BOOLEANS = {"true": True, "false": False}
_S3 = re.compile(r"s3://[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]/[^\x00-\x1f]*")


class BatchParameters(BaseModel):
    """The options of any batch: in the query beside a file, or in JSON."""

    model_config = ConfigDict(extra="forbid", strict=True)

    model: str | None = Field(None, description="Name of a model, or name@version")
    results: str | None = Field(None, description="Format of the results, if not that of the input")
    include_inputs: bool = Field(False, description="Whether the results include the features")
    prefix: str = Field(
        "", pattern=r"^[A-Za-z0-9_.-]{0,32}$", description="Prefix of the columns that the results add"
    )
    explain: bool = Field(
        False,
        description="Adds `contribution_<feature>` for each feature, and `base`; their sum is the margin",
    )
    dry_run: bool = Field(False, description="Only checks the columns and the first rows")

    @field_validator("results")
    @classmethod
    def _format(cls, results: str | None) -> str | None:
        if results is not None and results not in set(Format):
            raise PydanticCustomError("results", f"must be one of {', '.join(Format)}")
        return results


class BatchBody(BatchParameters):
    """Rows, or the address of a file."""

    rows: list[Any] | None = None
    input: str | None = None
    output: str | None = None
    metadata: Metadata = {}


Parameters = TypeVar("Parameters", bound=BatchParameters)


def read_batch(request: Request, catalog: Catalog, s3_allow: str) -> BatchRequest:
    """Raises Problem (400, 413, 415, 422) or UnknownModel. The body of a file is not read here."""
    query: dict[str, Any] = {
        name: _BOOLEANS.get(value, value) if name in ("include_inputs", "explain", "dry_run") else value
        for name, value in request.args.items()
    }
    if request.mimetype == "application/json":
        return _read_json_batch(request, query, catalog, s3_allow)
    kind = _FORMATS.get(request.mimetype)
    if kind is None:
        raise Problem(
            415,
            f"the body is {request.mimetype[:64] or 'without a Content-Type'}; send one of {ACCEPTED}",
            headers={"Accept-Post": ACCEPTED},
        )
    parameters = _validated(BatchParameters, query)
    charset = request.mimetype_params.get("charset", "utf-8").lower()
    if charset not in ENCODINGS:
        raise Problem(415, f"the charset is {charset[:64]}; send utf-8 or iso-8859-1")
    options = _options(parameters, kind, ENCODINGS[charset])
    return _request(request, parameters, _find(parameters, catalog), options)


def _read_json_batch(
    request: Request, query: dict[str, Any], catalog: Catalog, s3_allow: str
) -> BatchRequest:
    sent = read_json(request)
    if not isinstance(sent, dict):
        raise Problem(422, "the body is not a request for a batch; it must be an object")
    body = _validated(BatchBody, {**sent, **query})
    manifest = _find(body, catalog)
    if (body.rows is None) == (body.input is None):
        raise Problem(422, "give either rows or input", [Fault("", "must have one of rows and input")])
    if body.rows is not None:
        if body.output is not None:
            raise Problem(
                422, "output can only be given with input", [Fault("/output", "needs input, not rows")]
            )
        if not body.rows:
            raise Problem(422, "there are no rows", [Fault("/rows", "must have at least one row")])
        options = _options(body, Format.NDJSON)
        return _request(request, body, manifest, options, body.metadata, body.rows)
    source = _allowed("/input", str(body.input), s3_allow)
    kind = format_of(source)
    if kind is None:
        endings = ", ".join(f".{ending}" for ending in ENDINGS)
        fault = Fault("/input", f"must end in one of {endings}, each also with .gz")
        raise Problem(422, "the format of the input is unknown", [fault])
    output = _allowed("/output", body.output, s3_allow).rstrip("/") if body.output is not None else ""
    options = _options(body, kind, source=source, output=output)
    return _request(request, body, manifest, options, body.metadata)


def _request(
    request: Request,
    parameters: BatchParameters,
    manifest: Manifest,
    options: BatchOptions,
    metadata: dict[str, str] | None = None,
    rows: list[Any] | None = None,
) -> BatchRequest:
    return BatchRequest(
        parameters.model,
        manifest,
        options,
        metadata or {},
        rows,
        read_cancel_after(request),
        idempotency_key_of(request),
    )


def _find(parameters: BatchParameters, catalog: Catalog) -> Manifest:
    manifest = catalog.find(parameters.model)
    if parameters.explain and not manifest.explained:
        fault = Fault("/explain", no_explanations(manifest))
        raise Problem(422, "the options of the batch are invalid; see errors", [fault])
    return manifest


def _options(
    parameters: BatchParameters, kind: Format, encoding: str = "utf-8", source: str = "", output: str = ""
) -> BatchOptions:
    return BatchOptions(
        input=kind,
        results=Format(parameters.results) if parameters.results else kind,
        encoding=encoding,
        include_inputs=parameters.include_inputs,
        explain=parameters.explain,
        prefix=parameters.prefix,
        source=source,
        output=output,
        dry_run=parameters.dry_run,
    )


def _allowed(pointer: str, address: str, s3_allow: str) -> str:
    prefixes = [prefix for prefix in s3_allow.split(",") if prefix]
    if not _S3.fullmatch(address) or ".." in address.split("/"):
        raise Problem(422, "the address of a file is wrong", [Fault(pointer, "must be s3://BUCKET/KEY")])
    if not any(_is_below(address, prefix) for prefix in prefixes):
        fault = Fault(pointer, "is not under a prefix in PAYGRADE_S3_ALLOW")
        raise Problem(422, "the address of a file is not allowed here", [fault])
    return address


def _is_below(address: str, prefix: str) -> bool:
    """s3://salaries must not allow s3://salaries-of-others."""
    return address.startswith(prefix if prefix.count("/") > 2 else f"{prefix}/")


def _validated(model: type[Parameters], sent: Mapping[str, Any]) -> Parameters:
    try:
        return model.model_validate(sent)
    except ValidationError as error:
        raise Problem(422, "the options of the batch are invalid; see errors", faults_in(error)) from None


def read_pieces(
    request: Request, limit: int, report_progress: Callable[["WSGIEnvironment"], None]
) -> Iterator[bytes]:
    """The body, decompressed, in pieces.

    Raises FileTooLong, InvalidGzip, and Problem: 400 if the body is cut off, 415 for an unknown encoding.
    """
    encoding = request.headers.get("Content-Encoding", "identity").lower()
    if encoding == "identity":
        return _raw_pieces(request, limit, report_progress)
    if encoding in ("gzip", "x-gzip"):
        return gunzip(_raw_pieces(request, limit, report_progress))
    raise Problem(
        415,
        f"the Content-Encoding is {encoding[:64]}; send the file as it is, or with Content-Encoding: gzip",
    )


def _raw_pieces(
    request: Request, limit: int, report_progress: Callable[["WSGIEnvironment"], None]
) -> Iterator[bytes]:
    environ = request.environ
    left = request.content_length
    if left is not None and left > limit:
        raise FileTooLong(limit)
    try:
        while left is None or left > 0:
            piece = environ["wsgi.input"].read(PIECE if left is None else min(PIECE, left))
            if not piece:
                break
            left = None if left is None else left - len(piece)
            report_progress(environ)
            yield piece
            gevent.sleep(0)  # a fast sender would otherwise hold up all other callers
    except OSError:
        raise _cut_off() from None
    if left:
        raise _cut_off()


def _cut_off() -> Problem:
    return Problem(400, "the body ended early: it is shorter than its Content-Length; send it again")
