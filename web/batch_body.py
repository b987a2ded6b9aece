"""What a caller asks of a batch: in the query beside a file, or in JSON."""

import re
from collections.abc import Mapping
from typing import Any, NamedTuple

import orjson
from flask import Request
from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator
from pydantic_core import PydanticCustomError

from jobs.batches.record import BatchOptions
from jobs.files.tables import ENCODINGS, ENDINGS, MEDIA_TYPES, Format, format_of
from model.description.catalog import Catalog
from model.description.manifest import Manifest
from model.description.schema import Fault
from web.body import Metadata, faults_in, read_json
from web.problems import Problem

ACCEPTED = ", ".join(["application/json", *MEDIA_TYPES.values()])
_FORMATS = {media_type: kind for kind, media_type in MEDIA_TYPES.items()}
_S3 = re.compile(r"s3://[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]/[^\x00-\x1f]*")


class Options(BaseModel):
    """What may be asked of any batch."""

    model_config = ConfigDict(extra="forbid", strict=True)

    model: str | None = Field(None, description="Name of a model, or name@version")
    results: str | None = Field(None, description="Format of the results, if not that of the input")
    include_inputs: bool = Field(False, description="Puts the features into the results as well")
    prefix: str = Field(
        "", pattern=r"^[A-Za-z0-9_.-]{0,32}$", description="Before the names of the columns that results add"
    )
    explain: bool = Field(
        False,
        description="Adds `contribution_<feature>` for each feature, and `base`: they sum to the margin",
    )
    dry_run: bool = Field(False, description="Only looks at the columns and the first rows")

    @field_validator("results")
    @classmethod
    def _format(cls, results: str | None) -> str | None:
        if results is not None and results not in set(Format):
            raise PydanticCustomError("results", f"must be one of {', '.join(Format)}")
        return results


class BatchBody(Options):
    """Rows, or the address of a file."""

    rows: list[Any] | None = None
    input: str | None = None
    output: str | None = None
    metadata: Metadata = {}


class BatchRequest(NamedTuple):
    """`model` is what the caller said, `manifest` what that means now."""

    model: str | None
    manifest: Manifest
    asked: BatchOptions
    metadata: dict[str, str]
    rows: list[Any] | None = None

    def said(self) -> bytes:
        """All that makes it another request, besides rows and file."""
        return self.asked.to_json() + orjson.dumps([self.model, self.metadata])


def read_batch(request: Request, catalog: Catalog, s3_allow: str) -> BatchRequest:
    """Raises Problem (400, 413, 415, 422) or UnknownModel; of a file, only what stands beside it is read."""
    query = _from_query(request)
    if request.mimetype == "application/json":
        return _read_json(request, query, catalog, s3_allow)
    kind = _FORMATS.get(request.mimetype)
    if kind is None:
        raise Problem(415, f"send {ACCEPTED}", headers={"Accept-Post": ACCEPTED})
    options = _validated(Options, query)
    charset = request.mimetype_params.get("charset", "utf-8").lower()
    if charset not in ENCODINGS:
        raise Problem(415, "the charset must be utf-8 or iso-8859-1")
    manifest = _find(options, catalog)
    return BatchRequest(options.model, manifest, _asked(options, kind, ENCODINGS[charset]), {})


def _from_query(request: Request) -> dict[str, Any]:
    """As JSON would have it."""
    words = {"true": True, "false": False}
    return {
        name: words.get(value, value) if name in ("include_inputs", "explain", "dry_run") else value
        for name, value in request.args.items()
    }


def _read_json(request: Request, query: dict[str, Any], catalog: Catalog, s3_allow: str) -> BatchRequest:
    sent = read_json(request)
    if not isinstance(sent, dict):
        raise Problem(422, "the body is not a request for a batch; it must be an object")
    body = _validated(BatchBody, {**sent, **query})
    manifest = _find(body, catalog)
    if (body.rows is None) == (body.input is None):
        raise Problem(422, "give either rows or input", [Fault("", "must have one of rows and input")])
    if body.rows is not None:
        if body.output is not None:
            raise Problem(422, "output goes with input", [Fault("/output", "goes with input only")])
        if not body.rows:
            raise Problem(422, "there are no rows", [Fault("/rows", "must have a row")])
        return BatchRequest(body.model, manifest, _asked(body, Format.NDJSON), body.metadata, body.rows)
    source = _allowed("/input", str(body.input), s3_allow)
    kind = format_of(source)
    if kind is None:
        listed = ", ".join(f".{ending}" for ending in ENDINGS)
        raise Problem(
            422,
            "the input's format is not known",
            [Fault("/input", f"must end in one of {listed}, also with .gz")],
        )
    output = _allowed("/output", body.output, s3_allow).rstrip("/") if body.output is not None else ""
    asked = _asked(body, kind, source=source, output=output)
    return BatchRequest(body.model, manifest, asked, body.metadata)


def _find(options: Options, catalog: Catalog) -> Manifest:
    manifest = catalog.find(options.model)
    if options.explain and not manifest.explained:
        fault = Fault("/explain", f"{manifest.ref} gives no explanations")
        raise Problem(422, "what is asked of the batch is wrong; see errors", [fault])
    return manifest


def _asked(
    options: Options, kind: Format, encoding: str = "utf-8", source: str = "", output: str = ""
) -> BatchOptions:
    return BatchOptions(
        input=kind,
        results=Format(options.results) if options.results else kind,
        encoding=encoding,
        include_inputs=options.include_inputs,
        explain=options.explain,
        prefix=options.prefix,
        source=source,
        output=output,
        dry_run=options.dry_run,
    )


def _allowed(pointer: str, address: str, s3_allow: str) -> str:
    prefixes = [prefix for prefix in s3_allow.split(",") if prefix]
    if not _S3.fullmatch(address) or ".." in address.split("/"):
        raise Problem(422, "an address is wrong", [Fault(pointer, "must be s3://BUCKET/KEY")])
    if not any(_is_below(address, prefix) for prefix in prefixes):
        raise Problem(
            422, "an address is not allowed here", [Fault(pointer, "is not under PAYGRADE_S3_ALLOW")]
        )
    return address


def _is_below(address: str, prefix: str) -> bool:
    """s3://salaries is not to allow s3://salaries-of-others."""
    return address.startswith(prefix if prefix.count("/") > 2 else f"{prefix}/")


def _validated(kind: "type[Any]", sent: Mapping[str, Any]) -> Any:
    try:
        return kind.model_validate(sent)
    except ValidationError as error:
        raise Problem(422, "what is asked of the batch is wrong; see errors", faults_in(error)) from None
