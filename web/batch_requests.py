"""Reads requests for batches: the options in the query, beside a file or in JSON."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any, TypeVar

import orjson
from flask import Request
from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator
from pydantic_core import PydanticCustomError
from werkzeug.http import parse_options_header

from jobs.batches.record import BatchOptions
from jobs.files.allow_list import is_address, is_allowed
from jobs.files.json_lines import read_object
from jobs.files.store import PIECE
from jobs.files.tables import Format, format_of, needs_decoding
from model.description.catalog import Catalog
from model.description.errors import SchemaError
from model.description.manifest import Manifest
from model.description.schema import MAX_FAULTS, Fault
from model.tables.dialect import DECIMALS, DELIMITERS, ENCODINGS, sign_named
from web.batch_inputs import BatchRequest, checked_encoding, plain_start, recognized
from web.direct_uploads.service import DirectUploads
from web.faults import faults_in, no_explanations
from web.file_bodies import START_BYTES, UploadedFile
from web.input_files import FILE_ENDINGS, names_several
from web.media_types import ACCEPTED, FORMATS, JSON_TYPES, TAB_SEPARATED, UNNAMED
from web.problems import Problem
from web.requests import (
    ApiRequest,
    Metadata,
    idempotency_key_of,
    parse_json,
    read_cancel_after,
    refuse_many_members,
)

_GIVEN = ("rows", "input", "upload")
_FLAGS = ("include_inputs", "error_inputs", "explain", "dry_run", "escape_formulas")
_BOOLEANS = {
    **dict.fromkeys(("true", "1", "yes", "on"), True),
    **dict.fromkeys(("false", "0", "no", "off"), False),
}
"""As clients write them in a query, in lower case."""


class BatchParameters(BaseModel):
    """The options of any batch: in the query beside a file, or in JSON."""

    model_config = ConfigDict(extra="forbid", strict=True)

    model: str | None = Field(None, description="Name of a model, name@version or name@alias")
    results: str | None = Field(None, description="Format of the results, if not that of the input")
    include_inputs: bool = Field(False, description="Whether the results include the features")
    prefix: str = Field(
        "", pattern=r"^[A-Za-z0-9_.-]{0,32}$", description="Prefix of the columns that the results add"
    )
    explain: bool = Field(
        False,
        description="Adds `contribution_<feature>` for each feature, and `base`; their sum is the margin",
    )
    escape_formulas: bool = Field(
        False,
        description="Puts an apostrophe before texts in CSV results that a spreadsheet would run as formulas",
    )
    dry_run: bool = Field(False, description="Only checks the columns and the first rows")
    delimiter: str = Field(
        "", description="What separates the fields of CSV; found by looking if it is not given"
    )
    decimal: str = Field(
        "", description="The decimal sign in CSV, a point or a comma; found by looking likewise"
    )
    encoding: str = Field("", description="The encoding of a text, such as windows-1252, if it is not UTF-8")
    missing: str = Field(
        "", description="Texts for missing values, as in `NA,?`, besides those of the bundle"
    )
    error_inputs: bool = Field(
        False,
        description="Whether the errors have the features of each failed row, as `input`, to be corrected "
        "and sent to `retry`",
    )
    webhook: str = Field("", description="https:// address that is told when the batch has ended")

    @field_validator("delimiter")
    @classmethod
    def _delimiter(cls, delimiter: str) -> str:
        return _sign("delimiter", delimiter, DELIMITERS)

    @field_validator("decimal")
    @classmethod
    def _decimal(cls, decimal: str) -> str:
        return _sign("decimal", decimal, DECIMALS)

    @field_validator("encoding")
    @classmethod
    def _encoding(cls, encoding: str) -> str:
        if encoding and encoding.lower() not in ENCODINGS:
            raise PydanticCustomError("encoding", f"must be one of {', '.join(ENCODINGS)}")
        return ENCODINGS.get(encoding.lower(), "")

    @field_validator("results")
    @classmethod
    def _format(cls, results: str | None) -> str | None:
        if results is not None and results not in set(Format):
            raise PydanticCustomError("results", f"must be one of {', '.join(Format)}")
        return results


class BatchBody(BatchParameters):
    """Rows, or a file: its address, or an upload."""

    rows: list[Any] | None = None
    input: str | None = None
    upload: str | None = Field(None, description="The id of an upload, whose file is scored")
    output: str | None = None
    metadata: Metadata = {}


def _sign(name: str, sent: str, names: Mapping[str, str]) -> str:
    """A sign, which may be sent by its name: a query cannot have every sign as it is."""
    sign = sign_named(sent, names) if sent else ""
    if sign is None:
        raise PydanticCustomError(name, f"must be one of {', '.join(names.values())}, or the sign itself")
    return sign


Parameters = TypeVar("Parameters", bound=BatchParameters)


def read_batch(
    request: ApiRequest, file: UploadedFile, catalog: Catalog, s3_allow: str, uploads: DirectUploads
) -> BatchRequest:
    """Raises Problem (400, 413, 415, 422), InvalidTable or UnknownModel.

    Of a file, the start is read; an upload past web is completed.
    """
    filled = {name: value for name, value in file.fields.items() if value}  # forms send empty fields, too
    query: dict[str, Any] = {**filled, **request.args}
    query |= {name: _BOOLEANS.get(value.lower(), value) for name, value in query.items() if name in _FLAGS}
    if file.media_type in JSON_TYPES or (not file.media_type and _is_json_batch(file.read_start())):
        return _read_json_batch(request, file, query, catalog, s3_allow, uploads)
    check_file_type(file.media_type)
    return _file_batch(request, file, _validated(BatchParameters, query), catalog)


def check_file_type(media_type: str) -> None:
    """Raises Problem (415) for what is no table."""
    if media_type not in FORMATS and media_type not in UNNAMED:
        raise Problem(
            415,
            f"the file is {media_type[:64]}; send one of {ACCEPTED}",
            headers={"Accept-Post": ACCEPTED},
        )


def _file_batch(
    request: ApiRequest,
    file: UploadedFile,
    parameters: BatchParameters,
    catalog: Catalog,
    metadata: dict[str, str] | None = None,
) -> BatchRequest:
    """The request for a batch of a file, whose start is read."""
    encoding = parameters.encoding or _encoding_of(file.charset)
    start = file.read_start()
    plain = plain_start(start, encoding)
    kind = FORMATS.get(file.media_type) or format_of(file.name) or recognized(plain)
    options = _options(parameters, kind, encoding)
    if file.media_type == TAB_SEPARATED and not options.delimiter:
        options = replace(options, delimiter="\t")
    options = replace(options, needs_decoding=needs_decoding(start, checked_encoding(start, encoding)))
    batch_request = _request(request, parameters, _find(parameters, catalog), options, metadata)
    cut = len(start) >= START_BYTES or len(plain) >= PIECE
    return batch_request._replace(start=plain or (None if start else b""), cut=cut)


def _encoding_of(charset: str) -> str:
    if charset and charset.lower() not in ENCODINGS:
        raise Problem(415, f"the charset is {charset[:64]}; send one of {', '.join(ENCODINGS)}")
    return ENCODINGS.get(charset.lower(), "")


def _is_json_batch(start: bytes) -> bool:
    """Whether a body of no media type is a request in JSON, and not NDJSON."""
    if not start.lstrip().startswith(b"{"):
        return False
    first = read_object(start.lstrip().partition(b"\n")[0])
    return first is None or not first.keys().isdisjoint(("rows", "input"))


def _read_json_batch(
    request: ApiRequest,
    file: UploadedFile,
    query: dict[str, Any],
    catalog: Catalog,
    s3_allow: str,
    uploads: DirectUploads,
) -> BatchRequest:
    limit = request.max_content_length or 0
    request.hold(limit if request.length is None else min(request.length, limit))
    sent = parse_json(file.read(limit))
    if not isinstance(sent, dict):
        raise Problem(422, "the body is not a request for a batch; it must be an object")
    refuse_many_members(sent)
    body = _validated(BatchBody, {**sent, **query})
    manifest = _find(body, catalog)
    if [body.rows, body.input, body.upload].count(None) != len(_GIVEN) - 1:
        fault = Fault("", f"must have one of {', '.join(_GIVEN)}")
        raise Problem(422, f"give one of {', '.join(_GIVEN)}", [fault])
    if body.output is not None and body.input is None:
        fault = Fault("/output", "needs input, the address of a file")
        raise Problem(422, "output can only be given with input", [fault])
    if body.upload is not None:
        return _complete_upload(request, body, body.upload, catalog, uploads)
    if body.rows is not None:
        if not body.rows:
            raise Problem(422, "there are no rows", [Fault("/rows", "must have at least one row")])
        options = _options(body, Format.NDJSON)
        return _request(request, body, manifest, options, body.metadata, _lines(body.rows))
    source = _allowed("/input", str(body.input), s3_allow)
    kind = format_of(source)
    if kind is None and names_several(source):
        kind = Format(body.results or Format.CSV)  # until its files are known
    if kind is None:
        fault = Fault("/input", f"must end in one of {FILE_ENDINGS}, or name several files")
        raise Problem(422, "the format of the input is unknown", [fault])
    output = _allowed("/output", body.output, s3_allow).rstrip("/") if body.output is not None else ""
    options = _options(body, kind, body.encoding, source=source, output=output)
    named = _request(request, body, manifest, options, body.metadata)
    return named._replace(results_named=body.results is not None)


def _complete_upload(
    request: ApiRequest, body: BatchBody, upload_id: str, catalog: Catalog, uploads: DirectUploads
) -> BatchRequest:
    """The batch of a file past web, once its parts are one file. Raises what completing it raises, too."""
    upload = uploads.complete(upload_id, request.owner.name)
    start = uploads.start_of(upload, START_BYTES)
    media_type, parameters = parse_options_header(upload.media_type)
    file = UploadedFile(iter([start]), media_type.lower(), parameters.get("charset", ""), upload.name)
    return _file_batch(request, file, body, catalog, body.metadata)._replace(upload=upload)


def _request(
    request: Request,
    parameters: BatchParameters,
    manifest: Manifest,
    options: BatchOptions,
    metadata: dict[str, str] | None = None,
    lines: bytes | None = None,
) -> BatchRequest:
    return BatchRequest(
        parameters.model,
        manifest,
        options,
        metadata or {},
        lines,
        read_cancel_after(request),
        idempotency_key_of(request),
        webhook="" if options.dry_run else parameters.webhook,
    )


def _lines(rows: list[Any]) -> bytes:
    """The rows as NDJSON. Raises Problem (422) for those that could be read, and cannot be written."""
    lines, faults = [], []
    for number, row in enumerate(rows):
        try:
            lines.append(orjson.dumps(row))
        except orjson.JSONEncodeError:
            detail = "is nested too deeply, or has a number that no float can hold"
            faults.append(Fault(f"/rows/{number}", detail))
            if len(faults) == MAX_FAULTS:
                break
    if faults:
        raise Problem(422, "some rows cannot be a row of any model; see errors", faults)
    return b"\n".join([*lines, b""])


def _find(parameters: BatchParameters, catalog: Catalog) -> Manifest:
    manifest = catalog.find(parameters.model)
    if parameters.explain and not manifest.explained:
        fault = Fault("/explain", no_explanations(manifest))
        raise Problem(422, "the options of the batch are invalid; see errors", [fault])
    try:
        manifest.schema.with_missing(_texts(parameters.missing))
    except SchemaError as error:
        fault = Fault("/missing", str(error))
        raise Problem(422, "the options of the batch are invalid; see errors", [fault]) from None
    return manifest


def _texts(listed: str) -> tuple[str, ...]:
    return tuple(text.strip() for text in listed.split(",") if text.strip())


def _options(
    parameters: BatchParameters, kind: Format, encoding: str = "", source: str = "", output: str = ""
) -> BatchOptions:
    results = Format(parameters.results) if parameters.results else kind
    if parameters.escape_formulas and results is not Format.CSV:
        fault = Fault("/escape_formulas", f"is for results in csv; these are in {results}")
        raise Problem(422, "the options of the batch are invalid; see errors", [fault])
    return BatchOptions(
        input=kind,
        results=results,
        encoding=encoding,
        delimiter=parameters.delimiter,
        decimal=parameters.decimal,
        missing=_texts(parameters.missing),
        include_inputs=parameters.include_inputs,
        explain=parameters.explain,
        prefix=parameters.prefix,
        source=source,
        output=output,
        dry_run=parameters.dry_run,
        error_inputs=parameters.error_inputs,
        escape_formulas=parameters.escape_formulas,
    )


def _allowed(pointer: str, address: str, s3_allow: str) -> str:
    if not is_address(address):
        raise Problem(422, "the address of a file is wrong", [Fault(pointer, "must be s3://BUCKET/KEY")])
    if not is_allowed(address, s3_allow):
        fault = Fault(pointer, "is not in a folder that PAYGRADE_S3_ALLOW lists")
        raise Problem(422, "the address of a file is not allowed here", [fault])
    return address


def _validated(model: type[Parameters], sent: Mapping[str, Any]) -> Parameters:
    try:
        return model.model_validate(sent)
    except ValidationError as error:
        raise Problem(422, "the options of the batch are invalid; see errors", faults_in(error)) from None
