"""/v1/batches: create, show, list, results, errors, cancel and delete."""

from collections.abc import Mapping

from jobs import ids
from jobs.batches.record import BatchRecord
from jobs.batches.resource import PATH, batch, path_of
from jobs.batches.status import BatchStatus
from jobs.files.tables import MEDIA_TYPES, MOST_FIRST_BYTES, Format
from jobs.settings import Settings
from model.description.catalog import Catalog
from web.app import JsonResponse
from web.batch_inputs import check_ndjson
from web.batch_requests import BatchBody, BatchParameters, read_batch
from web.batch_retries import BatchRetrying
from web.batch_submission import BatchSubmission
from web.direct_uploads.service import DirectUploads
from web.file_bodies import open_upload, send_stored_file
from web.lists import read_page_query, write_page
from web.media_types import FORMATS, MULTIPART
from web.openapi.batch_schemas import BatchListSchema, BatchSchema, ManifestSchema, PreviewSchema
from web.openapi.job_operations import ON_BATCHES
from web.openapi.operation import JSON, Operation, ResponseSchema
from web.openapi.parameters import CANCEL_AFTER, IDEMPOTENCY_KEY, WAIT, Parameter, in_path, in_query
from web.problems import Problem
from web.requests import (
    ApiRequest,
    idempotency_key_of,
    read_file_number,
    read_query_wait,
    require_json_accepted,
)
from web.routing import route
from web.webhooks.requests import WebhookRequests

_BATCH = ResponseSchema("The batch", BatchSchema, always=("Cache-Control",), sometimes=("Retry-After",))
_FILE = {
    200: ResponseSchema("The file", {}, "*/*", always=("ETag", "Accept-Ranges", "Cache-Control")),
    307: ResponseSchema(
        "The file is in S3, at an address for the next minutes: send no key there",
        always=("Location", "Cache-Control"),
    ),
    206: ResponseSchema("A part of the file", {}, "*/*", always=("ETag", "Accept-Ranges", "Content-Range")),
}
_FILE_NUMBER = in_query(
    "file",
    "Of a batch of several files: the number of one, from 0",
    type="integer",
    minimum=0,
    maximum=999_999,
)
_MANIFEST = {200: ResponseSchema("The manifest", ManifestSchema, always=("ETag", "Cache-Control"))}
_DESCRIPTION = """\
Send the file as it is, packed with gzip or zip, or as a part of a form; the options are in the query, or \
in fields of the form before the file. Its format follows from the media type, from the name in the form, \
or from its first bytes. How CSV is written is found by looking, or named by `delimiter`, `decimal` and \
`encoding`. The results have a line for each row: the columns that are not features, the columns of the \
model, `warnings` about values outside the range of the training data where the range is known, and \
`error`, which is empty where the row was scored. In JSON, `input` is the address of a file, or names \
several: a prefix (`s3://BUCKET/FOLDER/`), a glob (`s3://BUCKET/2026-*/part-*.csv`) or a manifest, a \
list of addresses in a file whose name ends in `.json` or `.manifest`. Then each file has results and errors \
of its own, and the manifest of the batch lists them."""


_RETRY = """\
Without a body, every row that failed is scored again. With lines of the errors, to each of which a member \
`input` was added, an object with the features of the row, these rows are scored with what it says; a line \
that is wrong ends the new batch as `failed`. What was scored keeps its scores. The results of the new batch \
are those of the whole file, in its order."""


def _query_parameters() -> list[Parameter]:
    parameters = BatchParameters.model_json_schema()["properties"]
    parameters["results"] = {"description": parameters["results"]["description"], "enum": list(Format)}
    return [in_query(name, **schema) for name, schema in parameters.items()]


_FORM = {
    "type": "object",
    "required": ["file"],
    "properties": {"file": {"type": "string", "contentMediaType": "application/octet-stream"}},
}
_CREATE = Operation(
    "createBatch",
    "batches",
    "Score a file",
    {
        200: ResponseSchema(
            "With `dry_run`: a preview of the first rows", PreviewSchema, always=("Cache-Control",)
        ),
        202: ResponseSchema(
            "Accepted: the file is stored, and the batch is queued",
            BatchSchema,
            always=("Location", "Cache-Control"),
            sometimes=("Retry-After", "Idempotency-Replayed"),
        ),
    },
    (404, 406, 409, 413, 415, 422, 429, 501, 503),
    description=_DESCRIPTION,
    parameters=(*_query_parameters(), IDEMPOTENCY_KEY, CANCEL_AFTER),
    body={
        "required": True,
        "content": {
            **{media_type: {"schema": {"type": "string"}} for media_type in MEDIA_TYPES.values()},
            "application/octet-stream": {"schema": {"type": "string"}},
            MULTIPART: {"schema": _FORM},
            JSON: {"schema": BatchBody.model_json_schema()},
        },
    },
)


class BatchRoutes:
    def __init__(
        self,
        submission: BatchSubmission,
        catalog: Catalog,
        retrying: BatchRetrying,
        webhooks: WebhookRequests,
        uploads: DirectUploads,
        settings: Settings,
    ) -> None:
        self._submission = submission
        self._catalog = catalog
        self._retrying = retrying
        self._webhooks = webhooks
        self._uploads = uploads
        self._s3_allow = settings.s3_allow
        self._direct_files = settings.direct_files

    @route("POST", PATH, _CREATE)
    def create(self, request: ApiRequest) -> JsonResponse:
        require_json_accepted(request)
        file = open_upload(request, self._submission.max_file)
        batch_request = read_batch(request, file, self._catalog, self._s3_allow, self._uploads)._replace(
            request_id=request.id, traceparent=request.traceparent
        )
        if batch_request.options.dry_run:
            preview = self._submission.dry_run(batch_request, file, request.owner.name)
            return JsonResponse(preview, headers={"Cache-Control": "no-store"})
        if batch_request.webhook:
            webhook = self._webhooks.accept(batch_request.webhook, request.owner.name)
            batch_request = batch_request._replace(webhook=webhook)
        record, replayed = self._submission.submit(batch_request, file, request.owner.name)
        if batch_request.upload:
            self._uploads.note_used(batch_request.upload)
        headers = {"Idempotency-Replayed": "true"} if replayed else {}
        return _resource(request, record, 202, {"Location": path_of(record.id), **headers})

    @route("GET", PATH, ON_BATCHES.list("List your own batches, newest first", BatchListSchema))
    def list(self, request: ApiRequest) -> JsonResponse:
        require_json_accepted(request)
        query = read_page_query(request, ids.BATCH, BatchStatus)
        records, cursor = self._submission.list(request.owner.name, query)
        page = write_page([batch(record) for record in records], query, cursor, PATH)
        return JsonResponse(page, headers={"Cache-Control": "no-store"})

    @route(
        "GET",
        f"{PATH}/<job_id>",
        ON_BATCHES.on_one("showBatch", "Show a batch, or wait for its end", {200: _BATCH}, (406,), WAIT),
    )
    def show(self, request: ApiRequest, job_id: str) -> JsonResponse:
        require_json_accepted(request)
        seconds = read_query_wait(request, self._submission.longest_wait)
        record = self._submission.read(job_id, request.owner.name, seconds)
        return _resource(request, record, 200)

    @route(
        "DELETE",
        f"{PATH}/<job_id>",
        ON_BATCHES.on_one(
            "deleteBatch",
            "Delete a batch that has ended",
            {204: ResponseSchema("The batch is deleted")},
            (409,),
        ),
    )
    def delete(self, request: ApiRequest, job_id: str) -> JsonResponse:
        self._submission.delete(job_id, request.owner.name)
        request.job_id = job_id
        return JsonResponse(status=204)

    @route(
        "POST",
        f"{PATH}/<job_id>/cancel",
        ON_BATCHES.on_one(
            "cancelBatch",
            "Cancel a batch; rows that are scored are kept",
            {200: _BATCH, 202: _BATCH},
            (406, 409),
        ),
    )
    def cancel(self, request: ApiRequest, job_id: str) -> JsonResponse:
        require_json_accepted(request)
        record = self._submission.cancel(job_id, request.owner.name)
        return _resource(request, record, 200 if record.status.ended else 202)

    @route(
        "POST",
        f"{PATH}/<job_id>/retry",
        Operation(
            "retryBatch",
            "batches",
            "Score the failed rows of a batch again, or corrected ones",
            {
                202: ResponseSchema(
                    "Accepted: a new batch, whose results are those of the whole file",
                    BatchSchema,
                    always=("Location", "Cache-Control"),
                    sometimes=("Retry-After", "Idempotency-Replayed"),
                )
            },
            (404, 406, 409, 410, 413, 415, 422, 429, 501, 503),
            description=_RETRY,
            parameters=(in_path("job_id", "`id` of the batch", {"type": "string"}), IDEMPOTENCY_KEY),
            body={"required": False, "content": {MEDIA_TYPES[Format.NDJSON]: {"schema": {"type": "string"}}}},
        ),
    )
    def retry(self, request: ApiRequest, job_id: str) -> JsonResponse:
        require_json_accepted(request)
        file = open_upload(request, self._submission.max_file)
        start = file.read_start()
        corrected = bool(start)
        if corrected and FORMATS.get(file.media_type) is not Format.NDJSON:
            raise Problem(
                415,
                f"the body is {file.media_type[:64] or 'of no media type'}; send lines of the errors as "
                f"{MEDIA_TYPES[Format.NDJSON]}",
                headers={"Accept-Post": MEDIA_TYPES[Format.NDJSON]},
            )
        if corrected:
            check_ndjson(start)
        key = idempotency_key_of(request)
        record, replayed = self._retrying.retry(job_id, request.owner.name, file, corrected, key)
        headers = {"Idempotency-Replayed": "true"} if replayed else {}
        return _resource(request, record, 202, {"Location": path_of(record.id), **headers})

    @route(
        "GET",
        f"{PATH}/<job_id>/results",
        ON_BATCHES.on_one(
            "batchResults",
            "Download the results: a line for each row",
            _FILE,
            (400, 406, 409, 416),
            _FILE_NUMBER,
        ),
    )
    def results(self, request: ApiRequest, job_id: str) -> JsonResponse:
        return self._send(request, job_id, "result")

    @route(
        "GET",
        f"{PATH}/<job_id>/errors",
        ON_BATCHES.on_one(
            "batchErrors",
            "Download the errors: a line for each row that failed",
            _FILE,
            (400, 406, 409, 416),
            _FILE_NUMBER,
        ),
    )
    def errors(self, request: ApiRequest, job_id: str) -> JsonResponse:
        return self._send(request, job_id, "errors")

    @route(
        "GET",
        f"{PATH}/<job_id>/manifest",
        ON_BATCHES.on_one(
            "batchManifest",
            "Show what became of each file of a batch of several",
            _MANIFEST,
            (406, 409, 416),
        ),
    )
    def manifest(self, request: ApiRequest, job_id: str) -> JsonResponse:
        file = self._submission.manifest(job_id, request.owner.name)
        request.job_id = job_id
        return send_stored_file(request, file)

    @route(
        "GET",
        f"{PATH}/<job_id>/preview",
        ON_BATCHES.on_one(
            "batchPreview",
            "Show the first results as text: as they are, or as NDJSON where they are Parquet",
            {200: ResponseSchema("Whole lines, 256 KiB at most", {}, "*/*", always=("Cache-Control",))},
            (409,),
            _FILE_NUMBER,
        ),
    )
    def first_rows(self, request: ApiRequest, job_id: str) -> JsonResponse:
        file = self._submission.first_rows(job_id, request.owner.name, read_file_number(request))
        request.job_id = job_id
        start = b"".join(file.files.pieces(file.name, 0, min(file.size, MOST_FIRST_BYTES)))
        if len(start) < file.size:
            start = start[: start.rfind(b"\n") + 1]
        return JsonResponse(start, headers={"Cache-Control": "no-store"}, mimetype=file.media_type)

    def _send(self, request: ApiRequest, job_id: str, name: str) -> JsonResponse:
        number = read_file_number(request)
        file = self._submission.output(job_id, request.owner.name, name, number)
        request.job_id = job_id
        return send_stored_file(request, file, self._direct_files)


def _resource(
    request: ApiRequest, record: BatchRecord, status: int, headers: Mapping[str, str] | None = None
) -> JsonResponse:
    request.job_id = record.id
    headers = {"Cache-Control": "no-store", **(headers or {})}
    if not record.status.ended:
        headers["Retry-After"] = "1"
    return JsonResponse(batch(record), status, headers)
